"""What is told of promotions: by `flywheel status`, `models` and `show`."""

from __future__ import annotations

from datetime import UTC, datetime

from flywheel.promotions import requests
from flywheel.records import promotions
from flywheel.records import turns as turn_keys
from flywheel.records.promotions import PromotionStatus
from flywheel.records.turns import TurnOutcome, TurnRecord
from flywheel.store.parameters import DESIRED
from local.cloud import CloudAccount
from ops.deployment.published import Deployment
from ops.verbs import approve, turns
from ops.verbs.models import DELETED, ModelMark, ModelVersion, list_models, version_name
from ops.verbs.status import status
from tests.local_cloud.ops.promotions.steps import NOW, PREFIX, activate, ask, begin, decide, end, request_of_turn, stop
from tests.local_cloud.resources import until


def by_arn(deployment: Deployment) -> dict[str, ModelVersion]:
    return {version.arn: version for version in list_models(deployment)}


def test_models_tell_when_each_was_active_and_what_became_of_it(
    deployed: CloudAccount, deployment: Deployment, models: tuple[str, str]
) -> None:
    old, new = models
    gone = old.replace(version_name(old), "gone")
    assert {version.active for version in list_models(deployment)} == {()}
    deployment.models.publish(gone)
    activate(deployment, old, new, old)
    deployment.clients.ssm.put_parameter(Name=f"{PREFIX}{DESIRED}", Value=new, Type="String", Overwrite=True)
    decide(deployment, 1, old)
    decide(deployment, 3, new)
    ask(deployed, deployment, request_of_turn(deployment, model=new))
    found = by_arn(deployment)
    assert set(found) == {gone, old, new}
    assert [version.arn for version in list_models(deployment) if version.status != DELETED] == [new, old]
    assert [(times.until is None) for times in found[old].active] == [False, True]
    assert found[gone].active[0].until == found[old].active[0].since
    assert found[old].active[0].until == found[new].active[0].since
    assert found[new].active[0].until == found[old].active[1].since
    assert (found[gone].status, found[old].status) == (DELETED, "TRAINED")
    assert found[old].marks == (ModelMark.ACTIVE,)
    assert set(found[new].marks) == {ModelMark.PREVIOUS, ModelMark.DESIRED, ModelMark.WAITING}
    assert (found[old].turn, found[old].score.metrics.F1Score) == ("turn-000001", 0.51)
    assert (found[gone].turn, found[gone].promotion, found[old].promotion) == (None, None, None)
    promotion = found[new].promotion
    assert promotion is not None
    assert (promotion.status, promotion.turn) == (PromotionStatus.WAITING, "turn-000003")


def test_status_tells_of_what_waits_until_it_is_answered(deployed: CloudAccount, deployment: Deployment) -> None:
    assert status(deployment).promotions.open == ()
    name = ask(deployed, deployment, request_of_turn(deployment))
    found = status(deployment).promotions
    assert [(each.status, each.turn) for each in found.open] == [(PromotionStatus.WAITING, "turn-000003")]
    assert found.waits_until is not None
    assert (found.running, found.step) == (name, "AskForApproval")
    approve.approve(deployment, "turn-000003")
    until(lambda: status(deployment).promotions.step == "UpdateActiveModel")
    assert status(deployment).promotions.waits_until is None
    end(deployment, name, PromotionStatus.PROMOTED)
    stop(deployment, name)
    found = status(deployment).promotions
    assert (found.open, found.running, found.failed) == ((), None, None)


def test_status_tells_of_a_promotion_that_failed_for_good(deployment: Deployment) -> None:
    request = request_of_turn(deployment)
    for failures in range(1, promotions.MOST_FAILURES + 1):
        name = begin(deployment, request, approval=False)
        end(deployment, name, PromotionStatus.FAILED, cause="throttled")
        stop(deployment, name)
        found = status(deployment).promotions
        assert bool(found.open) is (failures < promotions.MOST_FAILURES)
        assert bool(found.failed) is not bool(found.open)
    assert found.failed is not None
    assert "throttled" in found.failed.reason


def test_status_tells_a_promotion_from_a_change_outside(deployment: Deployment, models: tuple[str, str]) -> None:
    old, new = models
    activate(deployment, old)
    deployment.service.set_active_model(new)
    assert status(deployment).changed_outside is not None
    request_of_turn(deployment, turn=None, model=new)
    assert status(deployment).running is None
    assert status(deployment).changed_outside is None


def test_status_takes_a_first_model_that_failed_its_smoke_test_for_no_change_outside(
    deployment: Deployment, models: tuple[str, str]
) -> None:
    """It stays active in Comprehend, where there is no other: no turn would mend that."""
    _, new = models
    deployment.service.set_active_model(new)
    assert status(deployment).changed_outside is not None
    request = request_of_turn(deployment, turn=None, model=new)
    name = begin(deployment, request, approval=False)
    end(deployment, name, PromotionStatus.SMOKE_TEST_FAILED, cause="3 of 10 are right.")
    stop(deployment, name)
    assert requests.open_requests(deployment.intake) == []
    assert status(deployment).changed_outside is None


def test_status_tells_of_another_desired_model_and_what_became_of_that(
    deployment: Deployment, models: tuple[str, str]
) -> None:
    old, new = models
    activate(deployment, old)
    assert status(deployment).desired is None
    deployment.clients.ssm.put_parameter(Name=f"{PREFIX}{DESIRED}", Value=new, Type="String", Overwrite=True)
    found = status(deployment).desired
    assert found is not None
    assert (found.arn, found.promotion) == (new, None)
    pending = requests.request_of_parameter_edit(
        published=deployment.models,
        intake=deployment.intake,
        flywheel=deployment.service.describe(),
        now=datetime.now(UTC),
    )
    assert pending is not None
    deployment.intake.write(promotions.request_key(pending.id), pending)
    name = begin(deployment, pending, approval=False)
    stop(deployment, name)
    end(deployment, name, PromotionStatus.REFUSED, cause="it is of another language")
    found = status(deployment).desired
    assert found is not None
    assert found.promotion is not None
    assert found.promotion.reason == "it is of another language"


def test_a_shown_turn_tells_how_its_promotion_stands_now(deployed: CloudAccount, deployment: Deployment) -> None:
    request = request_of_turn(deployment)
    requested = requests.promotion_of(request.id, intake=deployment.intake)
    record = TurnRecord(
        turn="turn-000003",
        outcome=TurnOutcome.SUCCEEDED,
        flywheel_arn=deployment.flywheel_arn,
        began_at=NOW,
        ended_at=NOW,
        promotion=requested,
    )
    deployment.intake.write(turn_keys.record_key("turn-000003"), record)
    ask(deployed, deployment, request)
    shown = turns.show_turn(deployment, "3").record
    assert shown is not None
    assert shown.promotion is not None
    assert shown.promotion.status is PromotionStatus.WAITING
