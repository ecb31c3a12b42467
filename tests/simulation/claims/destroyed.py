"""Claims about what is left when stacks are destroyed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.simulation.api import Caller
from tests.simulation.claims import records
from tests.simulation.claims.broken import require

if TYPE_CHECKING:
    from tests.simulation.app import App
    from tests.simulation.simulation import Situation


def nothing_bills_by_the_hour(situation: Situation, app: App) -> None:
    """No endpoint, and nothing that would make one bigger."""
    world, owner = situation.world, Caller(account=app.account)
    if "serving" in app.stacks:
        return
    endpoints = world.comprehend.answer("ListEndpoints", {}, owner)["EndpointPropertiesList"]
    require(not endpoints, f"{len(endpoints)} endpoints are left")
    targets = records.scalable_targets(world, app.account)
    require(not targets, f"{len(targets)} scalable targets are left")


def no_runtime_parameter_is_left(situation: Situation, app: App) -> None:
    """Whoever deploys under this name again would take them for its own."""
    left = situation.world.ssm.names(app.account, f"/comprehend-flywheel/{app.name}/")
    require(bool(app.stacks) or not left, f"parameters are left: {left}")
