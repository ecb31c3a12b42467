"""Executions start, end, time out, are stopped and redriven as Step Functions does it."""

from __future__ import annotations

import json
import uuid

import pytest
from botocore.exceptions import ClientError

from local.cloud import CloudAccount
from tests.local_cloud.resources import (
    allow,
    create_bucket,
    create_function,
    create_machine,
    create_queue,
    create_role,
    ended,
    invoke,
    lets_send,
    messages,
    run,
    start,
    until,
)

# Long enough, at the tests' scale, that no test waits for its end.
LONG = 100_000

FAILS_UNTIL_OBJECT_EXISTS = """
import os
import boto3

class NotReady(Exception):
    pass

def handle(event, context):
    listed = boto3.client("s3").list_objects_v2(Bucket=os.environ["BUCKET"])
    if not listed.get("KeyCount"):
        raise NotReady("nothing there")
    return event
"""


def test_retry_and_catch_match_the_name_of_a_functions_exception(account: CloudAccount) -> None:
    source = """
        class Flaky(Exception):
            pass
        calls = []
        def handle(event, context):
            calls.append(1)
            if len(calls) < 3 or event["always"]:
                raise Flaky(f"call {len(calls)}")
            return len(calls)
    """
    function = create_function(account, source)
    states = {
        "Try": invoke(
            function,
            "{% $states.input %}",
            Retry=[{"ErrorEquals": ["Flaky"], "IntervalSeconds": 1, "MaxAttempts": 2}],
            Catch=[{"ErrorEquals": ["Flaky"], "Output": "{% $parse($states.errorOutput.Cause) %}", "Next": "Caught"}],
            End=True,
        ),
        "Caught": {"Type": "Pass", "Output": {"caught": "{% $states.input.errorType %}"}, "End": True},
    }
    machine = create_machine(account, states, permissions=[allow("lambda:InvokeFunction", on=function)])
    assert run(account, machine, {"always": False})["output"] == 3
    assert run(account, machine, {"always": True})["output"] == {"caught": "Flaky"}


def test_a_throttled_function_has_its_own_error_name(account: CloudAccount) -> None:
    """Only so does a Retry for it, which waits longer than others, apply."""
    function = create_function(account, "def handle(event, context):\n    return 1")
    account.client("lambda").put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=0)
    states = {"Throttled": invoke(function, "{% $states.input %}", End=True)}
    machine = create_machine(account, states, permissions=[allow("lambda:InvokeFunction", on=function)])
    assert run(account, machine, {})["error"] == "Lambda.TooManyRequestsException"


def test_starting_a_running_name_with_its_input_returns_the_running_execution(account: CloudAccount) -> None:
    machine = create_machine(account, {"Wait": {"Type": "Wait", "Seconds": LONG, "End": True}})
    first = start(account, machine, {"turn": 1}, name="turn-1")
    assert start(account, machine, {"turn": 1}, name="turn-1") == first
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        start(account, machine, {"turn": 2}, name="turn-1")
    account.client("stepfunctions").stop_execution(executionArn=first)
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        start(account, machine, {"turn": 1}, name="turn-1")


def test_many_starts_of_one_name_make_one_execution(account: CloudAccount) -> None:
    machine = create_machine(account, {"Wait": {"Type": "Wait", "Seconds": LONG, "End": True}})
    arns = {start(account, machine, name="turn-7") for _ in range(5)}
    assert len(arns) == 1
    listed = account.client("stepfunctions").list_executions(stateMachineArn=machine)["executions"]
    assert [execution["name"] for execution in listed] == ["turn-7"]
    account.client("stepfunctions").stop_execution(executionArn=arns.pop())


@pytest.mark.parametrize(
    ("name", "text", "error"),
    [
        ("has a space", "{}", "InvalidName"),
        ("fine", "not json", "InvalidExecutionInput"),
        ("fine", json.dumps("x" * 262_144), "ValidationException"),
    ],
)
def test_start_refuses_what_aws_refuses(account: CloudAccount, name: str, text: str, error: str) -> None:
    machine = create_machine(account, {"Done": {"Type": "Succeed"}})
    with pytest.raises(ClientError, match=error):
        account.client("stepfunctions").start_execution(stateMachineArn=machine, name=name, input=text)


def test_succeed_gives_its_output(account: CloudAccount) -> None:
    machine = create_machine(account, {"Done": {"Type": "Succeed", "Output": {"twice": "{% $states.input.n * 2 %}"}}})
    assert run(account, machine, {"n": 21})["output"] == {"twice": 42}


def test_machine_times_out(account: CloudAccount) -> None:
    machine = create_machine(account, {"Wait": {"Type": "Wait", "Seconds": LONG, "End": True}}, TimeoutSeconds=10)
    described = run(account, machine)
    assert described["status"] == "TIMED_OUT"
    assert described["redriveStatus"] == "REDRIVABLE"


def test_stopping_ends_a_wait_at_once_and_leaves_no_later_event(account: CloudAccount) -> None:
    stepfunctions = account.client("stepfunctions")
    states = {"Wait": {"Type": "Wait", "Seconds": LONG, "Next": "After"}, "After": {"Type": "Succeed"}}
    execution = start(account, create_machine(account, states))
    until(lambda: "WaitStateEntered" in history(account, execution))
    stepfunctions.stop_execution(executionArn=execution, error="Stopped", cause="by hand")
    described = ended(account, execution)
    assert (described["status"], described["error"], described["cause"]) == ("ABORTED", "Stopped", "by hand")
    assert history(account, execution)[-1] == "ExecutionAborted"


def test_redrive_goes_on_with_the_failed_state_its_input_and_variables(account: CloudAccount) -> None:
    bucket = create_bucket(account)
    role = create_role(account, allow("s3:ListBucket", on=f"arn:aws:s3:::{bucket}"))
    function = create_function(
        account, FAILS_UNTIL_OBJECT_EXISTS, role=role, Environment={"Variables": {"BUCKET": bucket}}
    )
    states = {
        "Remember": {"Type": "Pass", "Assign": {"kept": "{% $uuid() %}"}, "Output": {"n": 1}, "Next": "Check"},
        "Check": invoke(function, "{% $states.input %}", Next="Tell"),
        "Tell": {"Type": "Pass", "Output": {"n": "{% $states.input.n %}", "kept": "{% $kept %}"}, "End": True},
    }
    machine = create_machine(account, states, permissions=[allow("lambda:InvokeFunction", on=function)])
    stepfunctions = account.client("stepfunctions")
    execution = start(account, machine)
    assert ended(account, execution)["error"] == "NotReady"

    account.client("s3").put_object(Bucket=bucket, Key="ready", Body=b"")
    stepfunctions.redrive_execution(executionArn=execution)
    described = ended(account, execution)
    assert described["status"] == "SUCCEEDED"
    assert described["redriveCount"] == 1
    assert described["output"]["n"] == 1
    uuid.UUID(described["output"]["kept"])
    events = history(account, execution)
    assert events.count("PassStateEntered") == 2
    assert events.count("ExecutionRedriven") == 1


def test_stopped_execution_is_redriven_in_the_state_it_was_in(account: CloudAccount) -> None:
    stepfunctions = account.client("stepfunctions")
    states = {"First": {"Type": "Pass", "Next": "Wait"}, "Wait": {"Type": "Wait", "Seconds": LONG, "End": True}}
    execution = start(account, create_machine(account, states))
    until(lambda: history(account, execution).count("WaitStateEntered") == 1)
    stepfunctions.stop_execution(executionArn=execution)
    stepfunctions.redrive_execution(executionArn=execution)
    until(lambda: history(account, execution).count("WaitStateEntered") == 2)
    stepfunctions.stop_execution(executionArn=execution)
    assert ended(account, execution)["status"] == "ABORTED"
    assert history(account, execution).count("PassStateEntered") == 1


def test_execution_that_succeeded_or_runs_cannot_be_redriven(account: CloudAccount) -> None:
    stepfunctions = account.client("stepfunctions")
    execution = start(account, create_machine(account, {"Done": {"Type": "Succeed"}}))
    ended(account, execution)
    with pytest.raises(ClientError, match="ExecutionNotRedrivable"):
        stepfunctions.redrive_execution(executionArn=execution)
    with pytest.raises(ClientError, match="ExecutionDoesNotExist"):
        stepfunctions.redrive_execution(executionArn=execution + "x")


def test_redriven_execution_keeps_the_definition_it_started_with(account: CloudAccount) -> None:
    stepfunctions = account.client("stepfunctions")
    machine = create_machine(account, {"Wait": {"Type": "Wait", "Seconds": LONG, "End": True}})
    execution = start(account, machine)
    until(lambda: "WaitStateEntered" in history(account, execution))
    stepfunctions.stop_execution(executionArn=execution)
    other = {"QueryLanguage": "JSONata", "StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}
    stepfunctions.update_state_machine(stateMachineArn=machine, definition=json.dumps(other))
    stepfunctions.redrive_execution(executionArn=execution)
    until(lambda: history(account, execution).count("WaitStateEntered") == 2)
    stepfunctions.stop_execution(executionArn=execution)


def test_state_larger_than_256_kib_fails_and_is_not_caught_by_all(account: CloudAccount) -> None:
    states = {
        "Grow": {
            "Type": "Parallel",
            "Branches": [
                {
                    "StartAt": "Long",
                    "States": {
                        "Long": {"Type": "Pass", "Output": "{% $join([1..30000].('0123456789')) %}", "End": True}
                    },
                }
            ],
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}],
            "End": True,
        },
        "Caught": {"Type": "Succeed"},
    }
    described = run(account, create_machine(account, states))
    assert (described["status"], described["error"]) == ("FAILED", "States.DataLimitExceeded")


def test_status_changes_reach_the_bus(account: CloudAccount) -> None:
    machine = create_machine(account, {"Wait": {"Type": "Wait", "Seconds": LONG, "End": True}})
    events = account.client("events")
    pattern = {"source": ["aws.states"], "detail": {"stateMachineArn": [machine]}}
    rule = events.put_rule(Name="status", EventPattern=json.dumps(pattern))["RuleArn"]
    url, queue = create_queue(account, lets_in=[lets_send("events.amazonaws.com", source=rule)])
    events.put_targets(Rule="status", Targets=[{"Id": "queue", "Arn": queue}])
    execution = start(account, machine, {"n": 1})
    account.client("stepfunctions").stop_execution(executionArn=execution, error="Why", cause="Because")

    received: dict[str, dict[str, object]] = {}

    def both() -> bool:
        received.update({event["detail"]["status"]: event["detail"] for event in messages(account, url)})
        return {"RUNNING", "ABORTED"} <= received.keys()

    until(both)
    assert received["RUNNING"]["input"] == '{"n": 1}'
    assert received["ABORTED"]["error"] == "Why"
    assert received["ABORTED"]["redriveStatus"] == "REDRIVABLE"


def test_history_is_logged(account: CloudAccount) -> None:
    logs, stepfunctions = account.client("logs"), account.client("stepfunctions")
    logs.create_log_group(logGroupName="/machine")
    arn = logs.describe_log_groups(logGroupNamePrefix="/machine")["logGroups"][0]["arn"]
    machine = create_machine(account, {"Done": {"Type": "Succeed"}})
    stepfunctions.update_state_machine(
        stateMachineArn=machine,
        loggingConfiguration={
            "level": "ALL",
            "includeExecutionData": True,
            "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": arn}}],
        },
    )
    execution = start(account, machine, {"n": 1})
    ended(account, execution)
    lines = [json.loads(event["message"]) for event in logs.filter_log_events(logGroupName="/machine")["events"]]
    assert [line["type"] for line in lines] == history(account, execution)
    assert all(line["execution_arn"] == execution for line in lines)
    assert json.loads(lines[1]["details"]["input"]) == {"n": 1}


def history(account: CloudAccount, execution: str) -> list[str]:
    found = account.client("stepfunctions").get_execution_history(executionArn=execution, maxResults=1000)["events"]
    return [event["type"] for event in found]
