from __future__ import annotations

import itertools

import pytest

from tests.pipeline.imports.importing import SourceModels

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def trained() -> tuple[SourceModels, str, str]:
    """A source in another account with two versions that this one may import, trained once."""
    source = SourceModels(name=f"source-{next(_numbers)}")
    return source, source.train("first"), source.train("second")
