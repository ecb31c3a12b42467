"""Tasks that wait for a callback: one answer to each token, in time, by who may give it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.cloud import CloudAccount
from tests.local_cloud.resources import (
    allow,
    create_function,
    create_machine,
    create_queue,
    create_role,
    ended,
    messages,
    run,
    start,
    until,
)

# At the tests' scale: longer than any test, and a second.
LONG, SECOND = 1_000_000, 100

PASSES_THE_TOKEN_ON = """
import json, os, boto3
def handle(event, context):
    boto3.client("sqs").send_message(QueueUrl=os.environ["QUEUE"], MessageBody=json.dumps(event))
    return "not the result"
"""
FAILS = """
class NoApprover(Exception):
    pass
def handle(event, context):
    raise NoApprover("nobody to ask")
"""


@dataclass(frozen=True)
class Asking:
    """A machine whose only task asks through a queue and waits for the answer."""

    account: CloudAccount
    machine: str
    queue: str

    def start(self) -> tuple[str, str]:
        """A new execution, and its token."""
        return start(self.account, self.machine), self.token()

    def token(self) -> str:
        (message,) = until(lambda: messages(self.account, self.queue))
        return str(message["token"])

    def succeed(self, token: str, output: str = "{}") -> None:
        self.account.client("stepfunctions").send_task_success(taskToken=token, output=output)

    def refused(self, token: str, *, with_: str) -> None:
        """Each of the three calls is refused with this error."""
        stepfunctions = self.account.client("stepfunctions")
        for call in (
            lambda: self.succeed(token),
            lambda: stepfunctions.send_task_failure(taskToken=token),
            lambda: stepfunctions.send_task_heartbeat(taskToken=token),
        ):
            with pytest.raises(ClientError, match=f"\\({with_}\\)"):
                call()


def asking(account: CloudAccount, **state: Any) -> Asking:
    url, queue = create_queue(account)
    states = {
        "Ask": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            "Arguments": {"QueueUrl": url, "MessageBody": {"token": "{% $states.context.Task.Token %}"}},
            "Next": "Done",
            **state,
        },
        "Caught": {"Type": "Pass", "Output": {"caught": "{% $states.input %}"}, "Next": "Done"},
        "Done": {"Type": "Succeed"},
    }
    if "Catch" not in state:
        del states["Caught"]
    permissions = [allow("sqs:SendMessage", on=queue)]
    return Asking(account=account, machine=create_machine(account, states, permissions=permissions), queue=url)


def catch(*errors: str) -> list[dict[str, Any]]:
    return [{"ErrorEquals": list(errors), "Output": "{% $states.errorOutput %}", "Next": "Caught"}]


def ask_by_function(function: str, **state: Any) -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
        "Arguments": {"FunctionName": function, "Payload": {"token": "{% $states.context.Task.Token %}"}},
        "End": True,
        **state,
    }


def test_answer_is_the_result_of_the_state_that_a_function_passed_on(account: CloudAccount) -> None:
    url, queue = create_queue(account)
    role = create_role(account, allow("sqs:SendMessage", on=queue))
    function = create_function(account, PASSES_THE_TOKEN_ON, role=role, Environment={"Variables": {"QUEUE": url}})
    states = {"Ask": ask_by_function(function, Output={"said": "{% $states.result.answer %}"})}
    allowed = create_machine(account, states, permissions=[allow("lambda:InvokeFunction", on=function)])
    asked = Asking(account=account, machine=allowed, queue=url)
    execution, token = asked.start()
    asked.succeed(token, '{"answer": "yes"}')
    assert ended(account, execution)["output"] == {"said": "yes"}
    asked.refused(token, with_="TaskTimedOut")

    denied = run(account, create_machine(account, states))
    assert denied["error"] == "Lambda.AWSLambdaException"
    assert "lambda:InvokeFunction" in denied["cause"]


def test_function_that_fails_to_ask_fails_the_state_at_once(account: CloudAccount) -> None:
    function = create_function(account, FAILS)
    machine = create_machine(
        account, {"Ask": ask_by_function(function)}, permissions=[allow("lambda:InvokeFunction", on=function)]
    )
    described = run(account, machine)
    assert (described["status"], described["error"]) == ("FAILED", "NoApprover")
    assert "nobody to ask" in described["cause"]


def test_failure_reaches_catch_by_its_name(account: CloudAccount) -> None:
    asked = asking(account, Catch=catch("Declined"))
    execution, token = asked.start()
    account.client("stepfunctions").send_task_failure(taskToken=token, error="Declined", cause="Not on a Friday.")
    assert ended(account, execution)["output"] == {"caught": {"Error": "Declined", "Cause": "Not on a Friday."}}
    asked.refused(token, with_="TaskTimedOut")


def test_second_answer_is_refused_and_changes_nothing(account: CloudAccount) -> None:
    asked = asking(account)
    execution, token = asked.start()
    asked.succeed(token, '"first"')
    asked.refused(token, with_="TaskTimedOut")
    assert ended(account, execution)["output"] == "first"


def test_answer_that_is_not_json_is_refused_and_another_may_follow(account: CloudAccount) -> None:
    asked = asking(account)
    execution, token = asked.start()
    with pytest.raises(ClientError, match="InvalidOutput"):
        asked.succeed(token, "yes")
    asked.succeed(token, '"yes"')
    assert ended(account, execution)["output"] == "yes"


def test_unknown_token_is_refused(account: CloudAccount, cloud: Any) -> None:
    asked = asking(account)
    asked.refused("no token at all", with_="InvalidToken")
    execution, token = asked.start()
    stranger = cloud.account("299999999999")
    Asking(account=stranger, machine="", queue="").refused(token, with_="InvalidToken")
    asked.succeed(token)
    assert ended(account, execution)["status"] == "SUCCEEDED"


@pytest.mark.parametrize("seconds", [SECOND, "{% 0.5 * $states.input.n %}"])
def test_nobody_answers_in_time(account: CloudAccount, seconds: Any) -> None:
    asked = asking(account, TimeoutSeconds=seconds, Catch=catch("States.Timeout"))
    execution = start(account, asked.machine, {"n": SECOND})
    token = asked.token()
    assert ended(account, execution)["output"]["caught"]["Error"] == "States.Timeout"
    asked.refused(token, with_="TaskTimedOut")


@pytest.mark.parametrize("expression", ["0.001 * 3600", "0", "-1", "'60'", "100000000"])
def test_time_out_that_is_no_positive_integer_fails_the_state(account: CloudAccount, expression: str) -> None:
    asked = asking(account, TimeoutSeconds=f"{{% {expression} %}}", Catch=catch("States.QueryEvaluationError"))
    output = run(account, asked.machine)["output"]
    assert output["caught"]["Error"] == "States.QueryEvaluationError"
    assert "TimeoutSeconds" in output["caught"]["Cause"]
    assert messages(account, asked.queue) == []


def test_a_missing_heartbeat_ends_the_wait_and_a_heartbeat_prolongs_it(account: CloudAccount) -> None:
    asked = asking(account, HeartbeatSeconds="{% 50 %}", TimeoutSeconds=LONG, Catch=catch("States.HeartbeatTimeout"))
    execution, token = asked.start()
    begun = time.monotonic()

    def beat() -> bool:
        account.client("stepfunctions").send_task_heartbeat(taskToken=token)
        return time.monotonic() - begun > 1

    # Twice as long as one heartbeat lasts.
    until(beat)
    described = ended(account, execution)
    assert described["output"]["caught"]["Error"] == "States.HeartbeatTimeout"
    asked.refused(token, with_="TaskTimedOut")


def test_stopping_ends_the_wait_at_once_and_a_redrive_asks_anew(account: CloudAccount) -> None:
    asked = asking(account)
    stepfunctions = account.client("stepfunctions")
    execution, first = asked.start()
    stepfunctions.stop_execution(executionArn=execution)
    asked.refused(first, with_="TaskTimedOut")
    assert ended(account, execution)["status"] == "ABORTED"
    stepfunctions.redrive_execution(executionArn=execution)
    second = asked.token()
    assert second != first
    asked.refused(first, with_="TaskTimedOut")
    asked.succeed(second, '"yes"')
    assert ended(account, execution)["output"] == "yes"


def test_execution_that_times_out_closes_its_tokens(account: CloudAccount) -> None:
    url, queue = create_queue(account)
    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "Arguments": {"QueueUrl": url, "MessageBody": {"token": "{% $states.context.Task.Token %}"}},
        "End": True,
    }
    permissions = [allow("sqs:SendMessage", on=queue)]
    machine = create_machine(account, {"Ask": state}, permissions=permissions, TimeoutSeconds=SECOND // 2)
    asked = Asking(account=account, machine=machine, queue=url)
    execution, token = asked.start()
    assert ended(account, execution)["status"] == "TIMED_OUT"
    asked.refused(token, with_="TaskTimedOut")


def test_each_attempt_of_a_retry_has_a_token_of_its_own(account: CloudAccount) -> None:
    asked = asking(account, Retry=[{"ErrorEquals": ["Again"], "IntervalSeconds": 1, "MaxAttempts": 1}])
    execution, first = asked.start()
    account.client("stepfunctions").send_task_failure(taskToken=first, error="Again")
    second = asked.token()
    assert second != first
    asked.refused(first, with_="TaskTimedOut")
    asked.succeed(second)
    assert ended(account, execution)["status"] == "SUCCEEDED"


@pytest.mark.parametrize("operation", ["SendTaskSuccess", "SendTaskFailure", "SendTaskHeartbeat"])
def test_answering_is_allowed_by_the_machines_arn(account: CloudAccount, operation: str) -> None:
    mine, other = asking(account), asking(account)
    execution, token = mine.start()

    def answer(*, allowed_on: str) -> None:
        role = create_role(account, allow(f"states:{operation}", on=allowed_on), trusted={"AWS": account.account})
        stepfunctions = account.client("stepfunctions", role_arn=role)
        match operation:
            case "SendTaskSuccess":
                stepfunctions.send_task_success(taskToken=token, output="{}")
            case "SendTaskFailure":
                stepfunctions.send_task_failure(taskToken=token)
            case _:
                stepfunctions.send_task_heartbeat(taskToken=token)

    with pytest.raises(ClientError, match="AccessDenied"):
        answer(allowed_on=other.machine)
    answer(allowed_on=mine.machine)
    if operation == "SendTaskHeartbeat":
        answer(allowed_on="*")
        mine.succeed(token)
    assert ended(account, execution)["status"] == ("FAILED" if operation == "SendTaskFailure" else "SUCCEEDED")


@pytest.mark.parametrize("allowed", [True, False])
def test_another_machine_answers_as_its_role_allows(account: CloudAccount, allowed: bool) -> None:
    asked = asking(account)
    execution, token = asked.start()
    answer = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:sfn:sendTaskSuccess",
        "Arguments": {"TaskToken": "{% $states.input %}", "Output": '"by a machine"'},
        "End": True,
    }
    permissions = [allow("states:SendTaskSuccess", on=asked.machine)] if allowed else []
    answering = run(account, create_machine(account, {"Answer": answer}, permissions=permissions), token)
    if allowed:
        assert ended(account, execution)["output"] == "by a machine"
    else:
        assert (answering["status"], answering["error"]) == ("FAILED", "Sfn.SfnException")
        asked.succeed(token)
