"""The OpenAPI document in the repository is the one that the code gives."""

from __future__ import annotations

from pathlib import Path

from handlers.api.openapi import openapi_document

DOCUMENT = Path(__file__).parents[3] / "docs" / "openapi.json"


def test_document_is_fresh() -> None:
    assert DOCUMENT.read_text() == openapi_document(), "make openapi"
