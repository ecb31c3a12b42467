"""A machine that runs another one and waits for it: what it needs, what it gets, how both end."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from local.cloud import CloudAccount
from tests.local_cloud.resources import allow, create_machine, ended, run, start, until

# Long enough, at the tests' scale, that no test waits for its end.
LONG = 100_000
WAITS = {"Wait": {"Type": "Wait", "Seconds": LONG, "End": True}}
FAILS = {"Stop": {"Type": "Fail", "Error": "Inner", "Cause": "broken"}}
DOUBLES = {"Done": {"Type": "Succeed", "Output": {"twice": "{% $states.input.n * 2 %}"}}}


def rights(account: CloudAccount, inner: str) -> list[dict[str, Any]]:
    """What `StepFunctionsStartExecution` with RUN_JOB of the CDK grants."""
    rule = f"arn:aws:events:{account.region}:{account.account}:rule/StepFunctionsGetEventsForStepFunctionsExecutionRule"
    return [
        allow("states:StartExecution", on=inner),
        allow(
            "states:DescribeExecution",
            "states:StopExecution",
            on=f"{inner.replace(':stateMachine:', ':execution:')}*",
        ),
        allow("events:PutTargets", "events:PutRule", "events:DescribeRule", on=rule),
    ]


def outer(account: CloudAccount, inner: str, *, pattern: str = ".sync:2", **state: Any) -> str:
    """A machine that runs `inner` with its own input."""
    arguments = {"StateMachineArn": inner, "Input": "{% $states.input %}", **state.pop("More", {})}
    task = {
        "Type": "Task",
        "Resource": f"arn:aws:states:::states:startExecution{pattern}",
        "Arguments": arguments,
        "End": True,
        **state,
    }
    return create_machine(account, {"Run": task}, permissions=rights(account, inner))


def the_execution_of(account: CloudAccount, machine: str) -> dict[str, Any]:
    """The description of the machine's only execution, once there is one."""
    stepfunctions = account.client("stepfunctions")
    (listed,) = until(lambda: stepfunctions.list_executions(stateMachineArn=machine)["executions"])
    return dict(stepfunctions.describe_execution(executionArn=listed["executionArn"]))


@pytest.mark.parametrize(("pattern", "output"), [(".sync:2", {"twice": 42}), (".sync", '{"twice": 42}')])
def test_its_end_is_waited_for_and_its_output_given(account: CloudAccount, pattern: str, output: Any) -> None:
    inner = create_machine(account, DOUBLES)
    result = run(account, outer(account, inner, pattern=pattern), {"n": 21})["output"]
    assert (result["Status"], result["Output"]) == ("SUCCEEDED", output)
    assert result["ExecutionArn"] == the_execution_of(account, inner)["executionArn"]


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_role_needs_to_start_it_to_watch_it_and_to_hear_of_it(account: CloudAccount, missing: int) -> None:
    inner = create_machine(account, DOUBLES)
    states = {
        "Run": {
            "Type": "Task",
            "Resource": "arn:aws:states:::states:startExecution.sync:2",
            "Arguments": {"StateMachineArn": inner, "Input": {}},
            "End": True,
        }
    }
    permissions = rights(account, inner)
    del permissions[missing]
    denied = run(account, create_machine(account, states, permissions=permissions))
    assert denied["error"] == "StepFunctions.AWSStepFunctionsException"
    assert ("states:StartExecution", "states:DescribeExecution", "events:PutTargets")[missing] in denied["cause"]
    assert not account.client("stepfunctions").list_executions(stateMachineArn=inner)["executions"]


def test_its_failure_fails_the_task_and_says_how(account: CloudAccount) -> None:
    inner = create_machine(account, FAILS)
    failed = run(account, outer(account, inner), {"n": 1})
    assert failed["error"] == "States.TaskFailed"
    cause = json.loads(failed["cause"])
    assert (cause["Error"], cause["Cause"], cause["Status"]) == ("Inner", "broken", "FAILED")
    assert (json.loads(cause["Input"]), cause["StateMachineArn"]) == ({"n": 1}, inner)


def test_it_is_stopped_with_the_one_that_waits(account: CloudAccount) -> None:
    inner = create_machine(account, WAITS)
    execution = start(account, outer(account, inner), {})
    the_execution_of(account, inner)
    account.client("stepfunctions").stop_execution(executionArn=execution)
    assert ended(account, execution)["status"] == "ABORTED"
    until(lambda: the_execution_of(account, inner)["status"] == "ABORTED")


def test_stopped_by_itself_it_fails_the_task(account: CloudAccount) -> None:
    inner = create_machine(account, WAITS)
    execution = start(account, outer(account, inner), {})
    nested = the_execution_of(account, inner)["executionArn"]
    account.client("stepfunctions").stop_execution(executionArn=nested, error="Enough")
    described = ended(account, execution)
    cause = json.loads(described["cause"])
    assert (described["error"], cause["Status"], cause["Error"]) == ("States.TaskFailed", "ABORTED", "Enough")


def test_it_is_stopped_when_the_tasks_time_is_up(account: CloudAccount) -> None:
    inner = create_machine(account, WAITS)
    described = run(account, outer(account, inner, TimeoutSeconds=10), {})
    assert (described["status"], described["error"]) == ("FAILED", "States.Timeout")
    until(lambda: the_execution_of(account, inner)["status"] == "ABORTED")


def test_a_name_is_used_once(account: CloudAccount) -> None:
    inner, name = create_machine(account, DOUBLES), f"run-{uuid.uuid4().hex[:8]}"
    machine = outer(account, inner, More={"Name": name})
    assert run(account, machine, {"n": 1})["output"]["Name"] == name
    assert run(account, machine, {"n": 1})["error"] == "StepFunctions.ExecutionAlreadyExistsException"


def test_a_running_namesake_with_the_same_input_is_waited_for(account: CloudAccount) -> None:
    inner, name = create_machine(account, WAITS), f"run-{uuid.uuid4().hex[:8]}"
    running = start(account, inner, {"n": 1}, name=name)
    execution = start(account, outer(account, inner, More={"Name": name}), {"n": 1})
    stepfunctions = account.client("stepfunctions")
    # It waits as soon as its task is scheduled.
    until(
        lambda: [
            event
            for event in stepfunctions.get_execution_history(executionArn=execution)["events"]
            if event["type"] == "TaskScheduled"
        ]
    )
    assert stepfunctions.describe_execution(executionArn=execution)["status"] == "RUNNING"
    stepfunctions.stop_execution(executionArn=running)
    assert json.loads(ended(account, execution)["cause"])["ExecutionArn"] == running
