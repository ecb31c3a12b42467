"""Claims about the endpoint, and about what the real-time API answers with it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from flywheel.records.predictions import PREDICTIONS, KeptPrediction
from flywheel.records.promotions import ENDS, Promotion, PromotionBeginning, PromotionStatus, record_key
from flywheel.records.serving import SmokeTest, smoke_test_key
from flywheel.serving.smoke_test import SmokeTestImpossible, find_documents
from flywheel.serving.target import EndpointTarget
from flywheel.store.parameters import ACTIVE, PREVIOUS
from tests.simulation.claims import records
from tests.simulation.claims.broken import require

if TYPE_CHECKING:
    from tests.simulation.app import App
    from tests.simulation.simulation import Situation

_CHANGES_WITHIN = timedelta(hours=1)
"""The schedule looks every quarter of an hour; an endpoint is created, or deleted, in some minutes."""
_CLOCKS = 2.0
"""By so many seconds two clocks may differ."""


def the_answer_names_the_model_that_answered(situation: Situation) -> None:
    """Of two models that answered between the look at the endpoint and the response it may be either."""
    for answer in situation.people.heard.api:
        if answer.status != 200 or not isinstance(answer.body, dict) or not answer.body.get("documents"):
            continue
        seen = answer.body["model"]
        if seen is None:
            continue
        looked = datetime.fromisoformat(seen["seen_at"]).timestamp()
        answered = _answered(situation, min(looked, answer.began), answer.ended)
        require(bool(answered), f"the API answered at {answer.ended:.0f}, and no endpoint did")
        require(seen["arn"] in answered, f"an answer names {seen['arn']}, but {sorted(answered)} answered")


def what_is_kept_names_the_model_that_answered(situation: Situation) -> None:
    for key, kept in records.read_all(situation, PREDICTIONS, KeptPrediction):
        named = kept.suggestion.model_arn
        if named is None or kept.seen_before is None or kept.seen_after is None:
            continue
        answered = _answered(situation, kept.seen_before.at.timestamp(), kept.seen_after.at.timestamp())
        require(named in answered, f"{key} names {named}, but {sorted(answered)} answered")


def _answered(situation: Situation, begin: float, end: float) -> set[str]:
    return {
        inference.model_arn
        for moment, inference in situation.world.comprehend.inferences
        if begin - _CLOCKS <= moment <= end + _CLOCKS and inference.scope.account == situation.app.account
    }


def no_model_stays_active_that_failed_its_smoke_test(situation: Situation) -> None:
    """Unless there is none to go back to, or that one failed, too."""
    app = situation.app
    key = app.parameters["serving"].get("SmokeTestKey", "none")
    active, former = (_published(situation, name) for name in ("active-model-arn", "previous-model-arn"))
    if key == "none" or active is None or former is None or not endpoint_wanted(situation):
        return
    if app.deleted_models & {former, active} or former == active:
        return
    tests = [records.read(situation, smoke_test_key(model), SmokeTest) for model in (active, former)]
    of_active, of_former = (test if test is not None and test.key == key else None for test in tests)
    require(
        of_active is not None or not _can_test(situation, active, key=key),
        f"{active} is active, and was not tested with {key}",
    )
    failed = of_active is not None and not of_active.passed
    also = (of_former is not None and not of_former.passed) or _was_refused(situation, former)
    require(not failed or also, f"{active} is active: {of_active.sentence if of_active else ''} There is {former}.")


def _was_refused(situation: Situation, model_arn: str) -> bool:
    """By Comprehend, such as a model that was made for other labels than those of the present generation."""
    ends = [end for _, end in records.read_all(situation, ENDS, Promotion) if end.model_arn == model_arn]
    return any(end.status is PromotionStatus.REFUSED and "Comprehend refuses" in end.reason for end in ends)


def what_failed_its_smoke_test_is_not_published(situation: Situation) -> None:
    """By the promotion in which it failed. What somebody wanted for other reasons may be, what fails later, and what
    was put back because the one before it failed, too."""
    app = situation.app
    published, former = app.parameter(ACTIVE), app.parameter(PREVIOUS)
    if published is None or published.value in app.wanted_models:
        return
    if former is not None and failed_its_smoke_test(situation, app, former.value):
        return
    # The one that was known when it was published. Its record says when it began.
    versions = situation.world.s3.versions(app.intake, smoke_test_key(published.value))
    known = next((each for each in versions if each.modified <= published.modified), None)
    test = SmokeTest.model_validate_json(known.body) if known is not None else None
    if test is None or test.passed:
        return
    for key, beginning in records.read_all(situation, "promotions/", PromotionBeginning, ending="/begin.json"):
        of_it = beginning.request is not None and beginning.request.model_arn == published.value
        ended = records.read(situation, record_key(beginning.promotion), Promotion)
        in_it = beginning.began_at <= test.at and (ended is None or test.at <= ended.at)
        require(not (of_it and in_it), f"{published.value} was published after {key}: {test.sentence}")


def _can_test(situation: Situation, model_arn: str, *, key: str) -> bool:
    """Whether the file at SmokeTestKey can be used with the model."""
    with situation.people.acting(""):
        at = situation.people.deployment
        task = at.service.task_of(model_arn)
        try:
            find_documents(key, intake=at.intake, kind=at.kind, task=task, delimiter="|")
        except SmokeTestImpossible:
            return False
    return True


def endpoint_wanted(situation: Situation) -> bool | None:
    """By the stack's parameters; None if the serving hours began or ended so lately that nothing may have looked."""
    values = situation.app.parameters["serving"]
    target = EndpointTarget(
        inference_units=int(values.get("InferenceUnits", "0")),
        maximum_inference_units=int(values.get("MaximumInferenceUnits", "0")),
        hours_start=values.get("ServingHoursStart", "none"),
        hours_end=values.get("ServingHoursEnd", "none"),
    )
    now = datetime.fromtimestamp(situation.world.kernel.now, tz=UTC)
    unseen = timedelta(seconds=situation.plan.least_period) + _CHANGES_WITHIN
    if target.in_hours(now) != target.in_hours(now - unseen):
        return None
    return bool(target.inference_units) and target.in_hours(now)


def failed_its_smoke_test(situation: Situation, app: App, model_arn: str) -> bool:
    test = records.read(situation, smoke_test_key(model_arn), SmokeTest, app=app)
    return test is not None and not test.passed


def only_model_failed(situation: Situation, app: App, model_arn: str) -> bool:
    """There was no model to go back to: it stays active in the flywheel, and nothing serves it."""
    published = app.published_model()
    none = published is None or published in app.deleted_models
    return none and failed_its_smoke_test(situation, app, model_arn)


def _published(situation: Situation, name: str) -> str | None:
    found = situation.app.parameter(name)
    return found.value if found else None
