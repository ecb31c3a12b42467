"""The OpenAPI documents in the repository are those that the code gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from flywheel.comprehend.model_kind import ModelType
from handlers.api.openapi import NAMES, openapi_document

DOCS = Path(__file__).parents[3] / "docs"


@pytest.mark.parametrize("model_type", ModelType)
def test_document_is_fresh(model_type: ModelType) -> None:
    assert (DOCS / NAMES[model_type]).read_text() == openapi_document(model_type), "make openapi"
