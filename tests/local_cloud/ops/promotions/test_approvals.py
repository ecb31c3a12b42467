"""`flywheel approve` and `decline` against a machine that really waits for its task token; waiting for promotions."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from flywheel.promotions import ask_for_approval
from flywheel.records import turns as turn_keys
from flywheel.records.decisions import DecisionKind
from flywheel.records.one_at_a_time import Current
from flywheel.records.promotions import Promotion, PromotionStatus
from flywheel.records.turns import TurnOutcome, TurnRecord
from local.cloud import CloudAccount
from ops.deployment.clients import Clients
from ops.deployment.errors import (
    AnsweredError,
    NotAskedError,
    OperatorError,
    PromotionEndedError,
    UnknownTurnError,
    WaitTimeoutError,
)
from ops.deployment.published import Deployment
from ops.deployment.service_errors import sentence_of
from ops.verbs import approve, pause
from ops.verbs.promotions import running_promotion, wait_for_promotion
from tests.local_cloud.ops.promotions.steps import NOW, ask, begin, end, entered, request_of_turn, stop


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
