"""The roles under which the steps run in this process."""

from __future__ import annotations

import pytest

from tests.infrastructure.conftest import Synthesis
from tests.pipeline import step_roles


@pytest.fixture(scope="session", autouse=True)
def _roles(synthesis: Synthesis) -> None:
    """Steps that run in this process may do what the templates let their functions do."""
    step_roles.take_templates_from(synthesis)
