"""The roles under which the steps run in this process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.infrastructure.conftest import Synthesis
from tests.pipeline import step_roles
from tests.pipeline.observed_world import close_worlds
from tests.simulation.installation import installed


@pytest.fixture(scope="session", autouse=True)
def _roles(synthesis: Synthesis) -> None:
    """Steps that run in this process may do what the templates let their functions do."""
    step_roles.take_templates_from(synthesis)


@pytest.fixture(scope="package", autouse=True)
def _installed() -> Iterator[None]:
    """The functions' own code runs in `tests.pipeline.deployed`."""
    with installed():
        yield
        close_worlds()
