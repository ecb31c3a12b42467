"""Claims about the active model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flywheel.records.decisions import Decision, DecisionKind
from tests.simulation.claims import records
from tests.simulation.claims.broken import require

if TYPE_CHECKING:
    from tests.simulation.simulation import Situation


def never_active_without_a_reason(situation: Situation) -> None:
    """A model becomes active by a decision that it won, or because a person wanted it."""
    app = situation.app
    active = records.flywheel(situation).get("ActiveModelArn")
    if active is None or active == app.seen_active:
        return
    before, app.seen_active = app.seen_active, active
    if active in app.wanted_models:
        return
    if before is None and situation.plan.readings["first_model_becomes_active"]:
        return
    decisions = [
        decision
        for _, decision in records.read_all(situation, "decisions/", Decision)
        if decision.candidate is not None and decision.candidate.arn == active
    ]
    won = any(decision.decision is DecisionKind.PROMOTE and not _lost(decision) for decision in decisions)
    said = ", ".join(f"{decision.decision}: {' '.join(decision.reasons)}" for decision in decisions) or "no decision"
    require(won, f"{active} became active with {said}")
    require(active not in app.promoted, f"{active} became active again, and nobody said so")
    app.promoted.add(active)
    mode = app.parameters["flywheel"]["PromotionMode"]
    changed = any(act.kind == "change a parameter" for _, act in situation.people.done)
    require(
        mode == "AUTOMATIC" or changed, f"{active} became active though PromotionMode is {mode}, and nobody said so"
    )


def _lost(decision: Decision) -> bool:
    """Whether the scores of the comparison itself say that the candidate is worse."""
    candidate, active = decision.candidate, decision.active
    if candidate is None or active is None or candidate.arn == active.arn:
        return False
    new, old = (one.metrics.value(decision.selection_metric) for one in (candidate, active))
    return new is not None and old is not None and new < old


def all_say_the_same_model_is_active(situation: Situation) -> None:
    """Parameter Store, the flywheel and the endpoint."""
    app, world = situation.app, situation.world
    active = records.flywheel(situation).get("ActiveModelArn")
    prefix = f"/comprehend-flywheel/{app.name}"
    published = world.ssm.parameter(app.account, f"{prefix}/active-model-arn")
    require(
        (published.value if published else None) == active, f"Parameter Store says {published}, the flywheel {active}"
    )
    endpoints = records.comprehend(situation, "ListEndpoints")["EndpointPropertiesList"]
    if int(app.parameters["serving"].get("InferenceUnits", "0")) == 0:
        require(not endpoints, "there is an endpoint that nobody wants")
        return
    if active is not None:
        served = [endpoint.get("ModelArn") for endpoint in endpoints if endpoint["Status"] == "IN_SERVICE"]
        require(served == [active], f"the endpoint serves {served}, active is {active}")
