"""Claims about the active model."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from flywheel.records import promotions
from flywheel.records.decisions import Decision, DecisionKind
from flywheel.records.promotions import Promotion, PromotionBeginning
from flywheel.records.serving import SmokeTest, smoke_test_key
from flywheel.serving.hours import WeeklyTime, is_open
from flywheel.store.parameters import ACTIVE, DESIRED, DesiredModel
from tests.simulation.api import Caller
from tests.simulation.claims import records, serving
from tests.simulation.claims.broken import require

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.simulation.app import App
    from tests.simulation.simulation import Situation


_CLOCKS = timedelta(seconds=2)
"""Two may differ by so much."""
_AT_ONCE = 1800.0
"""Seconds in which a function that saw the former model may still change it."""


def never_active_without_a_reason(situation: Situation) -> None:
    """A model becomes active by a decision that it won, because a person wanted it, or again, because the one that came
    after it failed its smoke test."""
    app = situation.app
    active = records.flywheel(situation).get("ActiveModelArn")
    if active is None or active == app.seen_active:
        return
    before, app.seen_active = app.seen_active, active
    _replaces_what_it_was_decided_against(situation, active, before=before)
    _has_not_failed_since_it_was_asked_for(situation, active)
    if active in app.wanted_models:
        return
    if before is None and situation.world.comprehend.local.settings.first_model_becomes_active:
        app.promoted.add(active)
        return
    if before is not None and active in app.promoted and serving.failed_its_smoke_test(situation, app, before):
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
    modes = app.ever["flywheel/PromotionMode"]
    require("AUTOMATIC" in modes, f"{active} became active though PromotionMode is {modes}, and nobody said so")


def _replaces_what_it_was_decided_against(situation: Situation, active: str, *, before: str | None) -> None:
    """UpdateFlywheel has no compare-and-set: a change in the console at the same moment is not seen."""
    now = situation.world.kernel.now
    in_console = [at for at, act in situation.people.done if act.kind == "change the model in the console"]
    if before is None or any(now - at < _AT_ONCE for at in in_console) or active in situation.app.console_models:
        return
    if serving.failed_its_smoke_test(situation, situation.app, before):
        return
    beginnings = records.read_all(situation, "promotions/", PromotionBeginning, ending="/begin.json")
    requests = [one.request for _, one in beginnings if one.request is not None and one.request.model_arn == active]
    against = {request.decided_against for request in requests}
    require(not against or bool(against & {before, active}), f"{active} took the place of {before}, not of {against}")


def _has_not_failed_since_it_was_asked_for(situation: Situation, active: str) -> None:
    """An earlier promotion of the same request may have ended without telling that the model failed its smoke test."""
    test = records.read(situation, smoke_test_key(active), SmokeTest)
    if test is None or test.passed or active in situation.app.console_models:
        return
    beginnings = records.read_all(situation, "promotions/", PromotionBeginning, ending="/begin.json")
    current = max(
        (one for _, one in beginnings), key=lambda one: promotions.number_of(one.promotion) or 0, default=None
    )
    request = current.request if current is not None else None
    if current is None or request is None or request.model_arn != active:
        return
    known = request.requested_at <= test.at < current.began_at - _CLOCKS
    require(not known, f"{current.promotion} made {active} active again, which {request.id} asked for: {test.sentence}")


def _lost(decision: Decision) -> bool:
    """Whether the scores of the comparison itself say that the candidate is worse."""
    candidate, active = decision.candidate, decision.active
    if candidate is None or active is None or candidate.arn == active.arn:
        return False
    new, old = (one.metrics.value(decision.selection_metric) for one in (candidate, active))
    return new is not None and old is not None and new < old


def all_say_the_same_model_is_active(situation: Situation) -> None:
    """Parameter Store, the flywheel and the endpoint. Until a new generation has an active model, it is the former
    one's, or what was published when the new one began: nobody publishes what became active in between."""
    app = situation.app
    active = [records.flywheel(situation, arn).get("ActiveModelArn") for arn in reversed(app.flywheels)]
    if len(active) > 1 and not _was_promoted(situation, active[0]) and app.published_model() == app.published_before:
        agree(situation, app, app.published_before)
        return
    if (
        len(active) > 1
        and app.published_before is not None
        and situation.world.comprehend.local.settings.first_model_becomes_active
        and not _was_promoted(situation, active[0])
        and active[0] not in app.console_models
    ):
        # Comprehend has made it active by itself: it has to beat the model that was published before.
        active = [*active[1:], active[0]]
    agree(situation, app, next((arn for arn in active if arn is not None), None))


def each_edit_is_answered(situation: Situation) -> None:
    """What `desired-model-arn` names is published, or the request that its edit made has ended, or waits for a
    person."""
    app = situation.app
    desired, active = app.parameter(DESIRED), app.parameter(ACTIVE)
    if desired is None or (active is not None and desired.value == active.value):
        return
    edit = DesiredModel(arn=desired.value, version=desired.version, at=desired.modified)
    end = records.read(situation, promotions.end_key(edit.request_id), Promotion)
    require(end is not None, f"nobody has answered version {edit.version} of desired-model-arn, {edit.arn}")


def _was_promoted(situation: Situation, model_arn: str | None) -> bool:
    return any(
        end.status.made_active and end.model_arn == model_arn
        for _, end in records.read_all(situation, promotions.ENDS, Promotion)
    )


def agree(situation: Situation, app: App, active: str | None) -> None:
    """Whether Parameter Store and the endpoint have this model. Not while a promotion waits for a person: what a
    stopped one has made active is published when the next goes on, or by the next turn."""
    states = situation.world.states
    if any(states.waits_for_a_person(one) for one in states.of(app.machine("Promote").arn) if one.status == "RUNNING"):
        return
    published = app.published_model()
    if active is not None and serving.only_model_failed(situation, app, active):
        return
    require(published == active, f"Parameter Store says {published}, it should be {active}")
    listed = situation.world.comprehend.answer("ListEndpoints", {}, Caller(account=app.account))
    endpoints = listed["EndpointPropertiesList"]
    if "serving" not in app.stacks:
        return
    given = app.stacks["serving"].given
    open_now = _open(situation, given)
    if int(given["InferenceUnits"]) == 0 or open_now is False:
        require(not endpoints, "there is an endpoint that nobody wants")
        return
    if active is not None and open_now and active not in app.deleted_models:
        served = [endpoint.get("ModelArn") for endpoint in endpoints if endpoint["Status"] == "IN_SERVICE"]
        require(served == [active], f"the endpoint serves {served}, active is {active}")


def _open(situation: Situation, given: Mapping[str, str]) -> bool | None:
    """Whether the serving hours want an endpoint; None if that changed a moment ago."""
    if given["ServingHoursStart"] == "none":
        return True
    start, end = WeeklyTime.of(given["ServingHoursStart"]), WeeklyTime.of(given["ServingHoursEnd"])
    now = datetime.fromtimestamp(situation.world.kernel.now, tz=UTC)
    now_open, before = (is_open(start=start, end=end, now=now - timedelta(hours=back)) for back in (0, 4))
    return now_open if now_open == before else None
