"""A machine that runs another one and waits for its end: `states:startExecution.sync` and `.sync:2`.

MiniStack runs the other machine in the waiting one's thread: its name may have been used before, stopping the one that
waits does not stop it, and nobody is told of its end. As AWS has it, it is an execution like any other, and is stopped
when the one that waits for it is stopped or its time is up.
"""

from __future__ import annotations

import contextvars
import json
from typing import Any

from local.cloud.emulator.ministack import stepfunctions
from local.cloud.emulator.step_functions import attempts, execution_clock

_PREFIX = "arn:aws:states:::states:startExecution"
_SYNC = f"{_PREFIX}.sync"
# The managed rule by which Step Functions hears of the end of what it waits for.
_RULE = "StepFunctionsGetEventsForStepFunctionsExecutionRule"
_LOOKS_EVERY = 0.05

# The `TimeoutSeconds` of the state that this thread is in.
_limit: contextvars.ContextVar[float | None] = contextvars.ContextVar("limit", default=None)


def teach() -> None:
    invoke, invoke_in_time = stepfunctions._invoke_resource, stepfunctions._invoke_resource_with_timeout

    def invoke_nested(resource: str, arguments: Any) -> Any:
        if resource.startswith(_SYNC):
            return _run(arguments, parse_output=resource.endswith(":2"))
        if resource.startswith(_PREFIX):
            started = _start(arguments)
            return {"ExecutionArn": started["executionArn"], "StartDate": started["startDate"]}
        return invoke(resource, arguments)

    def invoke_nested_in_time(resource: str, arguments: Any, limit: float) -> Any:
        if not resource.startswith(_SYNC):
            return invoke_in_time(resource, arguments, limit)
        token = _limit.set(limit)
        try:
            return stepfunctions._invoke_resource(resource, arguments)
        finally:
            _limit.reset(token)

    stepfunctions._invoke_resource = invoke_nested
    stepfunctions._invoke_resource_with_timeout = invoke_nested_in_time


def needed_to_wait(*, resource: str, machine: str, region: str, account: str) -> list[tuple[str, str]]:
    """The actions, each with the resource, that waiting for the other machine needs besides starting it."""
    if not resource.startswith(_SYNC):
        return []
    execution = f"{machine.replace(':stateMachine:', ':execution:')}:*"
    rule = f"arn:aws:events:{region}:{account}:rule/{_RULE}"
    return [
        *((f"states:{action}", execution) for action in ("DescribeExecution", "StopExecution")),
        *((f"events:{action}", rule) for action in ("PutTargets", "PutRule", "DescribeRule")),
    ]


def _start(arguments: Any) -> dict[str, Any]:
    status, _, body = stepfunctions._start_execution(stepfunctions._nested_start_execution_request(arguments))
    answer: dict[str, Any] = json.loads(body)
    if status >= 400:
        raise stepfunctions._ExecutionError(f"StepFunctions.{answer['__type']}Exception", answer.get("message", ""))
    return answer


def _run(arguments: Any, *, parse_output: bool) -> dict[str, Any]:
    """Start the other machine, or take the running execution of that name and input, and wait for its end."""
    attempt, limit = attempts.current_attempt(), _limit.get()
    # The other execution's thread begins with a copy of what is set here.
    token = _limit.set(None)
    try:
        arn = _start(arguments)["executionArn"]
    finally:
        _limit.reset(token)
    execution = stepfunctions._executions[arn]
    clock = execution_clock.clock()
    deadline = clock.now() + (float("inf") if limit is None else limit)
    skipped = _skipped(arn)
    runs = True
    while runs:
        ended = attempt.ended.wait(_LOOKS_EVERY)
        runs = execution["status"] == "RUNNING"
        # What the other one waits, this one waits as well.
        before, skipped = skipped, _skipped(arn)
        clock.skip(skipped - before)
        if ended or attempt.remaining() <= 0:
            _stop(arn)
            attempt.time_out()
        if runs and clock.now() > deadline:
            _stop(arn)
            raise stepfunctions._ExecutionError("States.Timeout", "")
    if execution["status"] != "SUCCEEDED":
        cause = {**_described(execution), "Cause": execution.get("cause"), "Error": execution.get("error")}
        # How it failed is absent if nobody said it.
        told = {name: value for name, value in sorted(cause.items()) if value is not None}
        raise stepfunctions._ExecutionError("States.TaskFailed", json.dumps(told))
    return {
        **_described(execution),
        "Output": json.loads(execution["output"]) if parse_output else execution["output"],
        "OutputDetails": {"Included": True},
    }


def _described(execution: dict[str, Any]) -> dict[str, Any]:
    return {
        "ExecutionArn": execution["executionArn"],
        "Input": execution["input"],
        "InputDetails": {"Included": True},
        "Name": execution["name"],
        "StartDate": execution["startDate"],
        "StateMachineArn": execution["stateMachineArn"],
        "Status": execution["status"],
        "StopDate": execution["stopDate"],
    }


def _skipped(execution_arn: str) -> float:
    """Seconds that the execution's clock has skipped so far."""
    attempt = attempts.attempt_of(execution_arn)
    return attempt.clock.skipped() if attempt is not None else 0.0


def _stop(arn: str) -> None:
    """Stop an execution. One that has ended at this moment is refused and stays as it ended."""
    stepfunctions._stop_execution({"executionArn": arn})
