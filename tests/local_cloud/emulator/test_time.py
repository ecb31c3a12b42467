"""Waits are shortened, and count in full; what functions do is not, and what has to outlast them does."""

from __future__ import annotations

import os
import time
from typing import Any

import pytest

from local.cloud import CloudAccount
from local.cloud.emulator.functions.function_output import FunctionOutput
from local.cloud.emulator.functions.functions import PythonEnvironment, end_idle_environments
from local.cloud.emulator.ministack import lambda_runtime
from local.cloud.emulator.step_functions import retries
from tests.local_cloud.resources import (
    allow,
    create_bucket,
    create_function,
    create_machine,
    create_role,
    invoke,
    run,
    until,
)

SCALE = 0.01
TAKES_A_SECOND = "import time\n\ndef handle(event, context):\n    time.sleep(1)\n"
TELLS_BEGIN_AND_END = """
import os
import time
import boto3

def handle(event, context):
    s3, bucket = boto3.client("s3"), os.environ["BUCKET"]
    s3.put_object(Bucket=bucket, Key=f"begun/{os.getpid()}")
    while not s3.list_objects_v2(Bucket=bucket, Prefix="go").get("KeyCount"):
        time.sleep(0.05)
    s3.put_object(Bucket=bucket, Key=f"ended/{os.getpid()}")
"""
BUSY = {
    "ErrorEquals": ["ServiceBusy"],
    "IntervalSeconds": 60,
    "BackoffRate": 1.5,
    "MaxAttempts": 12,
    "MaxDelaySeconds": 900,
}


def retrying(account: CloudAccount, *, budget: int, **retry: Any) -> dict[str, Any]:
    """What becomes of a machine with this budget whose only task fails and is tried again like this."""
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:ssm:getParameter",
        "Arguments": {"Name": "/there/is/none"},
        "Retry": [{"ErrorEquals": ["States.TaskFailed"], **retry}],
        "End": True,
    }
    machine = create_machine(account, {"Try": task}, permissions=[allow("ssm:GetParameter")], TimeoutSeconds=budget)
    return run(account, machine)


def test_a_retry_waits_at_most_the_longest_delay(account: CloudAccount) -> None:
    retry = {"IntervalSeconds": 50, "BackoffRate": 10, "MaxAttempts": 3}
    assert retrying(account, budget=500, MaxDelaySeconds=60, **retry)["error"] == "Ssm.ParameterNotFound"
    assert retrying(account, budget=500, **retry)["status"] == "TIMED_OUT"


def test_a_retry_waits_longer_than_a_minute(account: CloudAccount) -> None:
    assert retrying(account, budget=500, IntervalSeconds=600, MaxAttempts=1)["status"] == "TIMED_OUT"


@pytest.mark.parametrize("attempt", range(4))
def test_full_jitter_is_anything_up_to_the_delay(attempt: int) -> None:
    retrier = {"IntervalSeconds": 4, "MaxDelaySeconds": 10, "JitterStrategy": "FULL"}
    delays = [retries.delay(retrier, attempt) for _ in range(200)]
    most = min(4 * 2**attempt, 10)
    assert 0 <= min(delays) < most / 2 < max(delays) <= most


def real_delays(retrier: dict[str, Any]) -> list[float]:
    attempts = range(retrier["MaxAttempts"])
    taken = [(retries.delay(retrier, number), retries.real_delay(retrier, number, SCALE)) for number in attempts]
    return [delay * SCALE if real is None else real for delay, real in taken]


def test_attempts_that_outlast_a_killed_function_on_aws_do_so_here() -> None:
    delays = real_delays(retries.outlasting(BUSY, lives=120))
    usual = real_delays(BUSY)
    assert sum(delays[:-2]) >= 150
    assert delays[:-3] == usual[:-3], "what is free sooner is found as soon as ever"
    assert delays[-2:] == usual[-2:], "and of several that waited each has its turn"


@pytest.mark.parametrize(("retry", "lives"), [({"MaxAttempts": 3}, 240), ({"JitterStrategy": "FULL"}, 120), ({}, 3)])
def test_attempts_that_do_not_outlast_it_there_or_do_anyway_are_shortened_only(
    retry: dict[str, Any], lives: float
) -> None:
    retrier = {**BUSY, **retry}
    given = retries.outlasting(retrier, lives=lives)
    assert [retries.real_delay(given, number, SCALE) for number in range(given["MaxAttempts"])] == [None] * given[
        "MaxAttempts"
    ]


def test_what_a_function_takes_is_not_a_hundredfold_of_the_machines_time(account: CloudAccount) -> None:
    function = create_function(account, TAKES_A_SECOND)
    states = {"Work": invoke(function, End=True)}
    machine = create_machine(
        account, states, permissions=[allow("lambda:InvokeFunction", on=function)], TimeoutSeconds=60
    )
    assert run(account, machine)["status"] == "SUCCEEDED"


def waiting(seconds: int, following: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"Type": "Wait", "Seconds": seconds, **(following or {"End": True})}


@pytest.mark.parametrize(("budget", "status"), [(250, "SUCCEEDED"), (150, "TIMED_OUT")])
def test_branches_wait_side_by_side(account: CloudAccount, budget: int, status: str) -> None:
    """Two waits of 100 s one after the other, beside one of 100 s."""
    branches = [
        {"StartAt": "First", "States": {"First": waiting(100, {"Next": "Second"}), "Second": waiting(100)}},
        {"StartAt": "Only", "States": {"Only": waiting(100)}},
    ]
    states = {"Both": {"Type": "Parallel", "Branches": branches, "End": True}}
    assert run(account, create_machine(account, states, TimeoutSeconds=budget))["status"] == status


@pytest.mark.parametrize(("budget", "status"), [(250, "SUCCEEDED"), (150, "TIMED_OUT")])
def test_waits_of_another_machine_count(account: CloudAccount, budget: int, status: str) -> None:
    inner = create_machine(account, {"Wait": waiting(200)})
    rule = f"arn:aws:events:{account.region}:{account.account}:rule/StepFunctionsGetEventsForStepFunctionsExecutionRule"
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Arguments": {"StateMachineArn": inner},
        "End": True,
    }
    permissions = [
        allow("states:StartExecution", on=inner),
        allow(
            "states:DescribeExecution",
            "states:StopExecution",
            on=f"{inner.replace(':stateMachine:', ':execution:')}*",
        ),
        allow("events:PutTargets", "events:PutRule", "events:DescribeRule", on=rule),
    ]
    machine = create_machine(account, {"Run": task}, permissions=permissions, TimeoutSeconds=budget)
    assert run(account, machine)["status"] == status


def test_an_invocation_ends_although_its_function_is_deleted(account: CloudAccount) -> None:
    """The same one: Lambda would also try a killed one again."""
    bucket = create_bucket(account)
    role = create_role(account, allow("s3:PutObject", "s3:ListBucket"))
    function = create_function(account, TELLS_BEGIN_AND_END, role=role, Environment={"Variables": {"BUCKET": bucket}})
    s3, functions = account.client("s3"), account.client("lambda")

    def processes(word: str) -> list[str]:
        listed = s3.list_objects_v2(Bucket=bucket, Prefix=f"{word}/").get("Contents", [])
        return [item["Key"].removeprefix(f"{word}/") for item in listed]

    functions.invoke(FunctionName=function, InvocationType="Event")
    begun = until(lambda: processes("begun"))
    functions.delete_function(FunctionName=function)
    s3.put_object(Bucket=bucket, Key="go")
    assert until(lambda: processes("ended")) == begun


def test_output_is_complete_as_soon_as_it_is_written() -> None:
    """Nobody has to wait for it: what is in the pipe is read."""
    read_end, write_end = os.pipe()
    with os.fdopen(read_end, "rb", buffering=0) as stream, os.fdopen(write_end, "wb", buffering=0) as written:
        output = FunctionOutput(stream)
        assert output.take() == []
        written.write(b"one\r\ntwo\n" + b"x" * 5000 + b"\n")
        assert output.take() == ["one", "two", "x" * 5000]
        written.write(b"no end of line, and \xff")
        assert output.take() == ["no end of line, and \N{REPLACEMENT CHARACTER}"]


def test_environments_that_were_idle_for_long_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last one of a function, too; one that is at work does not."""

    def environment(*, last_used: float, in_use: bool = False) -> PythonEnvironment:
        made = PythonEnvironment("function", {}, b"")
        made.last_used, made.in_use = last_used, in_use
        return made

    new, busy = environment(last_used=time.time()), environment(last_used=0, in_use=True)
    pools = {"one": [environment(last_used=0), new, busy], "other": [environment(last_used=0)]}
    monkeypatch.setattr(lambda_runtime, "_workers", pools)
    assert end_idle_environments() == 2
    assert pools == {"one": [new, busy], "other": []}
