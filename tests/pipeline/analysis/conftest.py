from __future__ import annotations

import pytest

from tests.pipeline.analyses import with_model
from tests.pipeline.deployed import Deployment


@pytest.fixture
def at() -> Deployment:
    return with_model()
