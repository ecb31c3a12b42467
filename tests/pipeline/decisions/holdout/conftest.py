from __future__ import annotations

import pytest

from flywheel.records.decisions import Evidence
from tests.pipeline.deployed import Deployment


@pytest.fixture
def at() -> Deployment:
    return Deployment(evidence=Evidence.HOLDOUT)
