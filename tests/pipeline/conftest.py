"""The functions' own code runs in `tests.pipeline.deployed`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.pipeline.observed_world import close_worlds
from tests.simulation.installation import installed


@pytest.fixture(scope="package", autouse=True)
def _installed() -> Iterator[None]:
    with installed():
        yield
        close_worlds()
