"""The operator's verbs about promotions, against a machine that really waits for its task token, and trained models."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from typer.testing import CliRunner, Result

from flywheel.promotions import ask_for_approval, report_promotion, requests
from flywheel.records import promotions
from flywheel.records import turns as turn_keys
from flywheel.records.decisions import Decision, DecisionKind, Metrics, ModelScore, decision_key
from flywheel.records.one_at_a_time import Current
from flywheel.records.promotions import (
    Promotion,
    PromotionBeginning,
    PromotionRequest,
    PromotionSource,
    PromotionStatus,
)
from flywheel.records.turns import TurnOutcome, TurnRecord
from flywheel.store.parameters import DESIRED, PREVIOUS
from local.cloud import CloudAccount, LocalCloud
from ops.deployment.clients import Clients
from ops.deployment.errors import (
    AnsweredError,
    NotAskedError,
    OperatorError,
    PromotionEndedError,
    UnknownTurnError,
    UnknownVersionError,
    WaitTimeoutError,
)
from ops.deployment.published import Deployment, find_deployment
from ops.deployment.service_errors import sentence_of
from ops.main import app
from ops.verbs import approve, pause, rollback, turns
from ops.verbs.models import DELETED, ModelMark, ModelVersion, list_models, version_name
from ops.verbs.promotions import running_promotion, wait_for_promotion
from ops.verbs.status import status
from tests.local_cloud.ops import ops_stack
from tests.local_cloud.resources import until

NAME = "undo"
PREFIX = f"/comprehend-flywheel/{NAME}/"
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
NUMBERS = itertools.count(10, 10)
"""Promotions of different tests share the machine, where a name is used once."""
CANDIDATE = "arn:aws:comprehend:us-east-1:111122223333:document-classifier/undo/version/candidate"


@pytest.fixture(scope="module")
def deployed() -> Iterator[CloudAccount]:
    with LocalCloud(instance=f"tests/{os.getpid()}-promotions") as cloud:
        account = cloud.account()
        durations = ("flywheel_creation", "dataset_ingestion", "iteration_training")
        account.comprehend_administration("PUT", "settings", {f"{duration}_seconds": 0 for duration in durations})
        ops_stack.deploy(account, name=NAME, physical_name=f"{NAME}-0a1b2c3d")
        yield account


@pytest.fixture(scope="module")
def models(deployed: CloudAccount) -> tuple[str, str]:
    """The ARNs of two versions that iterations of the flywheel trained."""
    deployment = find_deployment(Clients(deployed.session()), name=NAME)
    return train(deployment, 60), train(deployment, 70)


@pytest.fixture
def deployment(deployed: CloudAccount) -> Iterator[Deployment]:
    """The deployed flywheel with an intake bucket of the test's own, and nothing published."""
    found = find_deployment(Clients(deployed.session()), name=NAME)
    bucket = f"intake-{next(NUMBERS)}"
    found.clients.s3.create_bucket(Bucket=bucket)
    yield replace(found, published=found.published.model_copy(update={"intake_bucket": bucket}))
    names = [f"{PREFIX}{last}" for last in ("active-model-arn", "previous-model-arn", "desired-model-arn")]
    found.clients.ssm.delete_parameters(Names=names)
    taken_out(deployed, found.published.promotion_queue_url)


def train(deployment: Deployment, documents: int) -> str:
    comprehend, intake = deployment.clients.comprehend, deployment.intake
    lines = [f"{label},document {n} of {label.lower()}" for label in ops_stack.LABELS for n in range(documents)]
    intake.write_text(f"data/{documents}/train.csv", "\n".join(lines))
    source = {"S3Uri": f"s3://{intake.name}/data/{documents}/"}
    dataset = comprehend.create_dataset(
        FlywheelArn=deployment.flywheel_arn,
        DatasetName=f"train-{documents}",
        DatasetType="TRAIN",
        InputDataConfig={"DataFormat": "COMPREHEND_CSV", "DocumentClassifierInputDataConfig": source},  # type: ignore[typeddict-item]  # a plain dict
    )["DatasetArn"]
    until(lambda: comprehend.describe_dataset(DatasetArn=dataset)["DatasetProperties"]["Status"] == "COMPLETED")
    iteration = comprehend.start_flywheel_iteration(FlywheelArn=deployment.flywheel_arn)["FlywheelIterationId"]

    def trained() -> str | None:
        found = deployment.service.iteration(iteration)
        return found.trained.arn if found.trained and not found.status.running else None

    return until(trained, patience=120)


def taken_out(account: CloudAccount, queue: str) -> list[Any]:
    sqs = account.client("sqs")
    found = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
    for message in found:
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return [json.loads(message["Body"]) for message in found]


def pokes(deployed: CloudAccount, deployment: Deployment) -> list[Any]:
    return taken_out(deployed, deployment.published.promotion_queue_url)


def request_of_turn(
    deployment: Deployment,
    *,
    turn: str | None = "turn-000003",
    request_id: str = "20261121T120000Z",
    model: str = CANDIDATE,
    at: datetime = NOW,
) -> PromotionRequest:
    """What a turn that decided to promote leaves."""
    request = PromotionRequest(
        id=request_id,
        source=PromotionSource.TURN,
        model_arn=model,
        flywheel_arn=deployment.flywheel_arn,
        requested_at=at,
        by=turn or "somebody",
        reason="0.91 beats 0.88",
        turn=turn,
        iteration_id=request_id,
    )
    deployment.intake.write(promotions.request_key(request.id), request)
    if turn is not None and (number := turn_keys.number_of(turn)):
        deployment.intake.write(turn_keys.TURNS.current_key, Current(number=number))
    return request


def begin(deployment: Deployment, request: PromotionRequest | None, *, approval: bool = True) -> str:
    """What start_promotion and begin_promotion do. The name of the execution, which runs."""
    number = next(NUMBERS)
    name = promotions.name_of(number)
    deployment.intake.write(promotions.PROMOTIONS.current_key, Current(number=number))
    beginning = PromotionBeginning(promotion=name, began_at=NOW, request=request, approval=approval)
    deployment.intake.write(promotions.begin_key(name), beginning)
    deployment.clients.stepfunctions.start_execution(
        stateMachineArn=deployment.published.promotion_machine_arn, name=name, input="{}"
    )
    return name


def ask(deployed: CloudAccount, deployment: Deployment, request: PromotionRequest) -> str:
    """What ask_for_approval does besides. The name of the promotion, which waits."""
    name = begin(deployment, request)
    stack = deployed.client("cloudformation").describe_stack_resource(
        StackName=f"{NAME}-flywheel", LogicalResourceId="Asked"
    )
    queue = str(stack["StackResourceDetail"]["PhysicalResourceId"])
    token = until(
        lambda: next((said["token"] for said in taken_out(deployed, queue) if said["promotion"] == name), None)
    )
    ask_for_approval.ask_for_approval(
        promotion=name,
        task_token=token,
        patience=timedelta(hours=72),
        intake=deployment.intake,
        now=datetime.now(UTC),
    )
    return name


def end(
    deployment: Deployment,
    promotion: str,
    end_status: PromotionStatus,
    *,
    cause: str | None = None,
    answered_by: str | None = None,
) -> Promotion:
    """What report_promotion does."""
    ended = report_promotion.report_promotion(
        promotion=promotion,
        status=end_status,
        reason=report_promotion.reason_of(end_status, error=None, cause=cause),
        intake=deployment.intake,
        service=deployment.service,
        now=datetime.now(UTC),
        answered_by=answered_by,
    )
    return ended[0]


def stop(deployment: Deployment, promotion: str) -> None:
    deployment.clients.stepfunctions.stop_execution(executionArn=deployment.promotion_execution(promotion))


def entered(deployment: Deployment, promotion: str, state: str) -> Any:
    """The input of the state, once the execution has entered it."""

    def found() -> str | None:
        history = deployment.clients.stepfunctions.get_execution_history(
            executionArn=deployment.promotion_execution(promotion)
        )
        details = (event.get("stateEnteredEventDetails") for event in history["events"])
        return next((each["input"] for each in details if each and each["name"] == state), None)

    return json.loads(until(found))


def test_an_approval_reaches_the_machine_with_who_and_why(deployed: CloudAccount, deployment: Deployment) -> None:
    name = ask(deployed, deployment, request_of_turn(deployment))
    answered = approve.approve(deployment, "turn-000003", reason="looks good")
    me = deployment.clients.sts.get_caller_identity()["Arn"]
    assert entered(deployment, name, "UpdateActiveModel") == {"by": me, "reason": "looks good"}
    assert (answered.whose, answered.by, answered.promotion.promotion) == ("turn-000003", me, name)


def test_a_decline_reaches_the_machine_with_who_and_why(deployed: CloudAccount, deployment: Deployment) -> None:
    name = ask(deployed, deployment, request_of_turn(deployment))
    approve.decline(deployment, name, reason="not before the launch")
    me = deployment.clients.sts.get_caller_identity()["Arn"]
    caught = entered(deployment, name, "ReportDeclined")
    assert caught == {"Error": ask_for_approval.DECLINED, "Cause": f"not before the launch ({me})"}


def test_a_turn_is_meant_by_its_number_too(deployed: CloudAccount, deployment: Deployment) -> None:
    name = ask(deployed, deployment, request_of_turn(deployment))
    assert approve.approve(deployment, "3").promotion.promotion == name


def test_a_second_answer_comes_late(deployed: CloudAccount, deployment: Deployment) -> None:
    name = ask(deployed, deployment, request_of_turn(deployment))
    approve.approve(deployment, "turn-000003")
    for again in (approve.approve, approve.decline):
        with pytest.raises(AnsweredError, match="turn-000003") as error:
            again(deployment, "turn-000003", reason="x")
        assert error.value.exit_status == 5
    end(deployment, name, PromotionStatus.PROMOTED, answered_by="arn:somebody")
    with pytest.raises(PromotionEndedError, match=r"turn-000003 was promoted at .* approved by arn:somebody") as ended:
        approve.approve(deployment, "turn-000003")
    assert ended.value.exit_status == 4


@pytest.mark.parametrize(
    ("ended", "words"),
    [
        (PromotionStatus.DECLINED, "was declined at .*: because.*rollback --to turn-000003"),
        (PromotionStatus.NOT_ANSWERED, "was not answered in time at .*ApprovalHours.*rollback --to turn-000003"),
        (PromotionStatus.SUPERSEDED, "was superseded at .*: because"),
        (PromotionStatus.REFUSED, "was refused at .*: because"),
        (PromotionStatus.STOPPED, "was stopped at .*: The former model stays active"),
        (PromotionStatus.FAILED, "could not be promoted at .*because The schedule tries again"),
        (PromotionStatus.ALREADY_ACTIVE, "was active already at"),
    ],
)
def test_what_does_not_wait_any_more_says_since_when_and_why(
    deployed: CloudAccount, deployment: Deployment, ended: PromotionStatus, words: str
) -> None:
    name = ask(deployed, deployment, request_of_turn(deployment))
    stop(deployment, name)
    end(deployment, name, ended, cause="because")
    for asked in ("turn-000003", name):
        with pytest.raises(PromotionEndedError, match=words):
            approve.approve(deployment, asked)


def test_what_nobody_was_asked_about(deployed: CloudAccount, deployment: Deployment) -> None:
    def turn_ended(number: int, **members: Any) -> None:
        record = TurnRecord(
            turn=turn_keys.name_of(number),
            flywheel_arn=deployment.flywheel_arn,
            began_at=NOW,
            ended_at=NOW,
            **{"outcome": TurnOutcome.SUCCEEDED, **members},
        )
        deployment.intake.write(turn_keys.record_key(record.turn), record)

    deployment.intake.write(turn_keys.TURNS.current_key, Current(number=5))
    turn_ended(1, decision=DecisionKind.KEEP, reasons=("0.7 does not beat 0.8.",))
    turn_ended(2, decision=DecisionKind.REPORT)
    turn_ended(3, decision=DecisionKind.NOTHING, outcome=TurnOutcome.TIMED_OUT)
    turn_ended(4, decision=DecisionKind.PROMOTE)
    nothing = begin(deployment, None)
    stop(deployment, nothing)
    for asked, words in {
        "1": r"decided to keep the active model \(0.7 does not beat 0.8.\).*rollback --to turn-000001",
        "2": "trained no model",
        "3": "TIMED_OUT before",
        "4": "not in the intake bucket any more",
        "turn-000005": "has not decided yet",
        nothing: "found nothing to promote",
    }.items():
        with pytest.raises(NotAskedError, match=words) as error:
            approve.approve(deployment, asked)
        assert error.value.exit_status == 3
    with pytest.raises(UnknownTurnError):
        approve.approve(deployment, "6")
    with pytest.raises(OperatorError, match="There is no promotion promotion-999999"):
        approve.approve(deployment, "promotion-999999")


def test_what_does_not_wait_yet(deployed: CloudAccount, deployment: Deployment) -> None:
    request = request_of_turn(deployment)
    with pytest.raises(NotAskedError, match="of turn-000003 has not begun"):
        approve.approve(deployment, "turn-000003")
    name = begin(deployment, request)
    with pytest.raises(NotAskedError, match=f"{name} has not asked for approval yet"):
        approve.approve(deployment, "turn-000003")
    stop(deployment, name)
    name = begin(deployment, request, approval=False)
    with pytest.raises(NotAskedError, match=f"{name} needs no approval"):
        approve.approve(deployment, "turn-000003")
    stop(deployment, name)


def test_who_may_not_answer_is_told_what_is_missing(deployed: CloudAccount, deployment: Deployment) -> None:
    ask(deployed, deployment, request_of_turn(deployment))
    reader = replace(deployment, clients=Clients(deployed.session(role_arn=role_for(deployed, deployment, "s3:*"))))
    for answer, action in (
        (approve.approve, "states:SendTaskSuccess"),
        (approve.decline, "states:SendTaskFailure"),
    ):
        with pytest.raises(ClientError) as error:
            answer(reader, "turn-000003", reason="x")
        assert f"may not do {action}" in sentence_of(error.value)
    approver = role_for(deployed, deployment, "s3:*", "states:SendTaskSuccess")
    approve.approve(replace(deployment, clients=Clients(deployed.session(role_arn=approver))), "turn-000003")


def role_for(deployed: CloudAccount, deployment: Deployment, *actions: str) -> str:
    iam = deployed.client("iam")
    name = f"approver-{deployment.intake.name}-{len(actions)}"
    trust = {"Effect": "Allow", "Principal": {"AWS": deployed.account}, "Action": "sts:AssumeRole"}
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust))
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    iam.put_role_policy(RoleName=name, PolicyName="actions", PolicyDocument=policy(statement))
    return f"arn:aws:iam::{deployed.account}:role/{name}"


def policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_waiting_ends_with_the_end_or_the_next_failure(deployed: CloudAccount, deployment: Deployment) -> None:
    request = request_of_turn(deployment)
    first = begin(deployment, request, approval=False)
    end(deployment, first, PromotionStatus.FAILED, cause="throttled")
    stop(deployment, first)
    second = begin(deployment, request, approval=False)
    seen: list[PromotionStatus] = []

    def fail(now: Promotion | None) -> None:
        assert now is not None
        seen.append(now.status)
        end(deployment, second, PromotionStatus.FAILED, cause="throttled again")

    failed = wait_for_promotion(
        deployment, request.id, failures=1, timeout_seconds=60, poll_seconds=0, on_progress=fail
    )
    assert (failed.promotion, failed.status) == (second, PromotionStatus.FAILED)
    assert seen == [PromotionStatus.FAILED]
    with pytest.raises(WaitTimeoutError, match="throttled again"):
        wait_for_promotion(deployment, request.id, failures=2, timeout_seconds=0, poll_seconds=0)
    end(deployment, second, PromotionStatus.PROMOTED)
    ended = wait_for_promotion(deployment, request.id, failures=2, timeout_seconds=0, poll_seconds=0)
    assert ended.status is PromotionStatus.PROMOTED
    stop(deployment, second)


def activate(deployment: Deployment, *model_arns: str) -> None:
    """Each becomes the active and published model, in this order."""
    for model_arn in model_arns:
        deployment.service.set_active_model(model_arn)
        deployment.models.publish(model_arn)


def decide(deployment: Deployment, turn: int, model: str, *, decision: DecisionKind = DecisionKind.PROMOTE) -> None:
    iteration = f"20261121T12{turn:02d}00Z"
    made = Decision(
        iteration_id=iteration,
        flywheel_arn=deployment.flywheel_arn,
        turn=turn_keys.name_of(turn),
        decided_at=NOW,
        decision=decision,
        reasons=(),
        selection_metric="F1Score",
        candidate=ModelScore(arn=model, metrics=Metrics(F1Score=0.5 + turn / 100), source="this iteration"),
    )
    deployment.intake.write(decision_key(iteration), made)
    if turn > turn_keys.current_number(deployment.intake):
        deployment.intake.write(turn_keys.TURNS.current_key, Current(number=turn))


def test_a_rollback_asks_for_the_model_before(
    deployed: CloudAccount, deployment: Deployment, models: tuple[str, str]
) -> None:
    old, new = models
    activate(deployment, old, new)
    asked = rollback.rollback(deployment, reason="complaints")
    assert asked.request is not None
    stored = deployment.intake.require(promotions.request_key(asked.request.id), PromotionRequest)
    assert stored == asked.request
    assert (stored.model_arn, stored.decided_against, stored.reason) == (old, new, "complaints")
    assert stored.source is PromotionSource.OPERATOR
    assert stored.by == deployment.clients.sts.get_caller_identity()["Arn"]
    assert stored.id.startswith("operator-20")
    assert pokes(deployed, deployment) == [{"poke": "operator"}]


def test_nothing_is_asked_for_that_is_active_already_or_never_was(
    deployed: CloudAccount, deployment: Deployment, models: tuple[str, str]
) -> None:
    old, _ = models
    activate(deployment, old)
    assert rollback.rollback(deployment, to=old).request is None
    with pytest.raises(OperatorError, match="nothing to go back to: `flywheel models`"):
        rollback.rollback(deployment)
    gone = old.replace("/version/", "/version/x")
    with pytest.raises(OperatorError, match=f"{gone} was deleted"):
        rollback.rollback(deployment, to=gone)
    assert list(deployment.intake.keys(promotions.REQUESTS)) == []
    assert pokes(deployed, deployment) == []


def test_an_active_model_that_is_not_published_is_undone_to_the_published_one(
    deployment: Deployment, models: tuple[str, str]
) -> None:
    old, new = models
    activate(deployment, old)
    deployment.clients.ssm.put_parameter(Name=f"{PREFIX}{PREVIOUS}", Value="arn:older", Type="String")
    deployment.service.set_active_model(new)
    assert rollback.rollback(deployment).model_arn == old


def test_an_active_model_that_is_not_published_can_be_asked_for_once(
    deployment: Deployment, models: tuple[str, str]
) -> None:
    """As a flywheel's only model is after it failed its smoke test."""
    old, new = models
    activate(deployment, old)
    deployment.service.set_active_model(new)
    asked = rollback.rollback(deployment, to=new).request
    assert asked is not None
    assert (asked.model_arn, asked.decided_against) == (new, new)
    assert rollback.rollback(deployment, to=new).request is None


def test_a_version_is_meant_by_name_part_of_it_arn_or_turn(deployment: Deployment, models: tuple[str, str]) -> None:
    old, new = models
    decide(deployment, 1, old)
    decide(deployment, 2, new, decision=DecisionKind.KEEP)
    decide(deployment, 3, old.replace(version_name(old), "gone"))
    name = version_name(old)
    for wanted in (old, name, name[-8:], "turn-000001"):
        assert rollback.find_model(deployment, wanted) == old
    assert rollback.find_model(deployment, "turn-000002") == new
    # Comprehend names the versions that iterations train alike up to here.
    both = "Comprehend-Generated-"
    with pytest.raises(OperatorError, match="may be each of") as error:
        rollback.find_model(deployment, both)
    assert old in str(error.value)
    assert new in str(error.value)
    for wanted in ("nonsense", "arn:aws:s3:::bucket"):
        with pytest.raises(UnknownVersionError, match=wanted):
            rollback.find_model(deployment, wanted)
    with pytest.raises(UnknownTurnError):
        rollback.rollback(deployment, to="turn-000009")
    with pytest.raises(OperatorError, match="was deleted"):
        rollback.rollback(deployment, to="turn-000003")


def test_a_rollback_ends_what_was_wished_before_whatever_the_clocks_say(
    deployment: Deployment, models: tuple[str, str]
) -> None:
    old, new = models
    activate(deployment, old)
    ahead = request_of_turn(deployment, at=datetime.now(UTC) + timedelta(minutes=5))
    asked = rollback.rollback(deployment, to=new)
    choice = requests.choose(requests.open_requests(deployment.intake))
    assert choice is not None
    assert (choice.chosen, choice.superseded) == (asked.request, (ahead,))


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


def test_what_waits_for_approval_keeps_a_pause_from_nothing(deployed: CloudAccount, deployment: Deployment) -> None:
    name = ask(deployed, deployment, request_of_turn(deployment))
    pause.wait_until_idle(deployment, timeout_seconds=60, poll_seconds=0)
    assert running_promotion(deployment) == name
    approve.approve(deployment, "turn-000003")
    end(deployment, name, PromotionStatus.PROMOTED)
    with pytest.raises(OperatorError, match=f"{name}.* still runs after"):
        pause.wait_until_idle(deployment, timeout_seconds=0, poll_seconds=0)
    stop(deployment, name)
    pause.wait_until_idle(deployment, timeout_seconds=60, poll_seconds=0)


def test_before_a_destruction_what_waits_is_declined_and_its_execution_ends(
    deployed: CloudAccount, deployment: Deployment
) -> None:
    name = ask(deployed, deployment, request_of_turn(deployment))
    pause.wait_until_idle(deployment, timeout_seconds=60, poll_seconds=0.01, decline_waiting="make destroy")
    assert running_promotion(deployment) is None
    assert entered(deployment, name, "ReportDeclined")["Cause"].startswith("make destroy (arn:")


@pytest.fixture
def flywheel(deployed: CloudAccount, deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The command line as a user has it, with the test's own intake bucket."""
    for variable, value in deployed.environment().items():
        monkeypatch.setenv(variable, value)
    parameter = f"{PREFIX}deployment"
    ssm = deployment.clients.ssm
    before = ssm.get_parameter(Name=parameter)["Parameter"]["Value"]
    with_bucket = json.dumps(json.loads(before) | {"intake_bucket": deployment.intake.name})
    ssm.put_parameter(Name=parameter, Value=with_bucket, Overwrite=True)

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["--name", NAME, *arguments])

    yield run
    ssm.put_parameter(Name=parameter, Value=before, Overwrite=True)


def test_the_command_line_answers_and_waits(deployed: CloudAccount, deployment: Deployment, flywheel: Any) -> None:
    name = ask(deployed, deployment, request_of_turn(deployment))
    assert "flywheel approve turn-000003" in flywheel("status").stdout
    assert flywheel("decline", "turn-000003").exit_code == 2
    late = flywheel("approve", "3", "--wait", "--timeout-minutes", "0", "--poll-seconds", "0.1")
    assert (late.exit_code, "did not end within" in late.stderr) == (1, True)
    assert flywheel("approve", "3").exit_code == 5
    end(deployment, name, PromotionStatus.REFUSED, cause="the active model has changed")
    refused = flywheel("approve", "3")
    assert (refused.exit_code, refused.stdout, "the active model has changed" in refused.stderr) == (4, "", True)
    stop(deployment, name)
    ask(deployed, deployment, request_of_turn(deployment, turn="turn-000004", request_id="20261121T130000Z"))
    declined = flywheel("decline", "4", "--reason", "no", "--json")
    assert declined.exit_code == 0, declined.stderr
    assert json.loads(declined.stdout)["answer"] == "declined"
    assert flywheel("approve", "99").exit_code == 1


def test_the_command_line_lists_models_and_rolls_back(
    deployed: CloudAccount, deployment: Deployment, models: tuple[str, str], flywheel: Any
) -> None:
    old, new = models
    activate(deployment, old, new)
    assert version_name(old) in flywheel("models").stdout
    assert {version["arn"] for version in json.loads(flywheel("models", "--json").stdout)} == set(models)
    assert "is the active model already" in flywheel("rollback", "--to", version_name(new)).stdout
    asked = flywheel("rollback", "--no-wait", "--json")
    assert json.loads(asked.stdout)["request"]["model_arn"] == old
    late = flywheel("rollback", "--timeout-minutes", "0")
    assert (late.exit_code, "did not end within" in late.stderr) == (1, True)
    assert len(list(deployment.intake.keys(promotions.REQUESTS))) == 2
