from __future__ import annotations

import pytest

from tests.pipeline.sharing.world import World


@pytest.fixture
def world() -> World:
    return World()
