"""Step Functions executions: how they start, run, time out, are stopped and are redriven.

In the place of MiniStack's interpreter loop, which ignores the machine's time-out and a stopped execution's threads,
cannot redrive, and accepts states and histories of any size. The states themselves are MiniStack's
(`stepfunctions._execute_*`). Time is counted as `execution_clock` says.

A redriven execution goes on with the state that failed, with its input and the variables as they were when it was
entered. AWS repeats only the failed iterations of a Map and the failed branches of a Parallel; here the whole state
runs again.
"""

from __future__ import annotations

import contextvars
import copy
import json
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from local.cloud.emulator import request_sizes
from local.cloud.emulator.ministack import responses, stepfunctions
from local.cloud.emulator.step_functions import attempts, execution_clock, execution_events

_logger = logging.getLogger("states")

_HISTORY_LIMIT_EVENTS = 25_000
_REDRIVABLE = frozenset({"FAILED", "ABORTED", "TIMED_OUT"})
_NAME_FORBIDDEN = frozenset(' <>{}[]?*"#%\\^|~`$&,;:/')


@dataclass(frozen=True, kw_only=True)
class _Checkpoint:
    """The state an execution is in, as it was entered."""

    state: str
    value: Any
    variables: dict[str, Any]


_checkpoints: dict[str, _Checkpoint] = {}
# An execution keeps the definition and the role it started with, also when it is redriven.
_started_with: dict[str, tuple[dict[str, Any], str]] = {}


def teach() -> None:
    start, stop, describe = (
        stepfunctions._start_execution,
        stepfunctions._stop_execution,
        stepfunctions._describe_execution,
    )
    handle, add_event = stepfunctions.handle_request, stepfunctions._add_event

    def start_execution(request: dict[str, Any]) -> Any:
        with attempts.changing:
            return _refused_start(request) or _running_namesake(request) or start(request)

    def describe_execution(request: dict[str, Any]) -> Any:
        status, headers, body = describe(request)
        if status != 200:
            return status, headers, body
        execution = stepfunctions._executions[request["executionArn"]]
        return responses.json_response({**json.loads(body), **execution_events.redrive_facts(execution)})

    def stop_execution(request: dict[str, Any]) -> Any:
        attempt = attempts.attempt_of(request.get("executionArn", ""))
        if attempt is None or not attempt.end("ABORTED", error=request.get("error"), cause=request.get("cause")):
            return stop(request)
        return responses.json_response({"stopDate": attempt.execution["stopDate"]})

    async def handle_request(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> Any:
        if headers.get("x-amz-target", "").endswith(".RedriveExecution"):
            return stepfunctions._finalize_response(_redrive(json.loads(body or b"{}")))
        return await handle(method, path, headers, body, query)

    def add_limited_event(execution: dict[str, Any], kind: str, details: dict[str, Any] | None = None) -> Any:
        attempt = attempts.current()
        if attempt is not None:
            attempt.check()
        _check_limits(execution, details)
        return execution_events.add(add_event, execution, kind, details)

    stepfunctions._start_execution = start_execution
    stepfunctions._stop_execution = stop_execution
    stepfunctions._describe_execution = describe_execution
    stepfunctions.handle_request = handle_request
    stepfunctions._add_event = add_limited_event
    stepfunctions._run_execution = run
    stepfunctions._run_sub_machine = _run_branch
    stepfunctions._scaled_sleep = attempts.wait
    stepfunctions._error_matches = _error_matches


def run(arn: str) -> None:
    """Run an execution, or go on with one that is redriven, to its end."""
    execution = stepfunctions._executions[arn]
    machine = stepfunctions._state_machines.get(execution["stateMachineArn"])
    if arn not in _started_with:
        _started_with[arn] = (json.loads(machine["definition"]), machine["roleArn"])
        execution_events.log_start(execution)
    definition, role_arn = _started_with[arn]
    limit = definition.get("TimeoutSeconds")
    with execution_clock.running() as clock:
        deadline = float("inf") if limit is None else clock.now() + limit
        attempt = attempts.Attempt(execution=execution, role_arn=role_arn, clock=clock, deadline=deadline)
        with attempts.running(attempt):
            _run(attempt, definition, limit, machine["name"] if machine else "")


def _run(attempt: attempts.Attempt, definition: dict[str, Any], limit: float | None, machine_name: str) -> None:
    execution, arn = attempt.execution, attempt.execution["executionArn"]
    checkpoint = _checkpoints.get(arn)
    context = _context(execution, definition, attempt.role_arn, machine_name)
    timer = _start_timer(attempt, limit)

    def entered(state: str, value: Any) -> None:
        _checkpoints[arn] = _Checkpoint(state=state, value=value, variables=copy.deepcopy(context["variables"]))

    try:
        if checkpoint is not None:
            context["variables"] = copy.deepcopy(checkpoint.variables)
        output = _interpret(
            definition["States"],
            checkpoint.state if checkpoint else definition["StartAt"],
            checkpoint.value if checkpoint else context["Execution"]["Input"],
            execution,
            context,
            entered=entered,
        )
        attempt.end("SUCCEEDED", output=json.dumps(output))
    except attempts.Superseded:
        return
    except stepfunctions._ExecutionError as error:
        attempt.end("FAILED", error=error.error, cause=error.cause)
    except Exception as error:
        # A defect of the emulator must end the execution visibly, not leave it running for ever.
        _logger.exception("Execution %s ended by a defect of the emulator", arn)
        attempt.end("FAILED", error="States.Runtime", cause=repr(error))
    finally:
        if timer is not None:
            timer.cancel()


def _context(execution: dict[str, Any], definition: dict[str, Any], role_arn: str, machine_name: str) -> dict[str, Any]:
    return {
        "QueryLanguage": definition.get("QueryLanguage", "JSONPath"),
        "Execution": {
            "Id": execution["executionArn"],
            "Input": json.loads(execution["input"]),
            "Name": execution["name"],
            "RoleArn": role_arn,
            "StartTime": execution["startDate"],
            "RedriveCount": execution.get("redriveCount", 0),
        },
        "StateMachine": {"Id": execution["stateMachineArn"], "Name": machine_name},
        "variables": {},
    }


def _interpret(
    states: dict[str, Any],
    start: str,
    value: Any,
    execution: dict[str, Any],
    context: dict[str, Any],
    *,
    entered: Callable[[str, Any], None] | None = None,
) -> Any:
    """Walk from `start` to the state that ends the machine or branch, and return its output."""
    name: str | None = start
    while name is not None:
        if name not in states:
            raise stepfunctions._ExecutionError("States.Runtime", f"State '{name}' not found in definition")
        state = states[name]
        kind = state.get("Type")
        context["State"] = {"Name": name, "EnteredTime": responses.now_iso(), "RetryCount": 0}
        if entered is not None:
            entered(name, value)
        stepfunctions._add_event(
            execution, f"{kind}StateEntered", {"stateEnteredEventDetails": {"name": name, "input": json.dumps(value)}}
        )
        left = name
        value, name = _run_state(state, value, execution, context)
        stepfunctions._add_event(
            execution, f"{kind}StateExited", {"stateExitedEventDetails": {"name": left, "output": json.dumps(value)}}
        )
    return value


def _run_state(
    state: dict[str, Any], value: Any, execution: dict[str, Any], context: dict[str, Any]
) -> tuple[Any, str | None]:
    """Output and next state (None at the end) of one state."""
    match state.get("Type"):
        case "Succeed":
            if stepfunctions._state_query_language(state, context) == "JSONata":
                return stepfunctions._apply_jsonata_output(state, value, context, default=value), None
            taken = stepfunctions._apply_input_path(state, value, context)
            return stepfunctions._apply_output_path(state, taken, context), None
        case "Fail":
            raise stepfunctions._ExecutionError(*stepfunctions._fail_state_error(state, value, context))
        case "Pass" | "Choice" | "Wait" as kind:
            result = getattr(stepfunctions, f"_execute_{kind.lower()}")(state, value, context)
        case "Task" | "Parallel" | "Map" as kind:
            result = getattr(stepfunctions, f"_execute_{kind.lower()}")(state, value, execution, context)
        case other:
            raise stepfunctions._ExecutionError("States.Runtime", f"Unknown state type: {other}")
    output, following = result
    return output, following


def _run_branch(
    states: dict[str, Any], start: str, value: Any, execution: dict[str, Any], context: dict[str, Any]
) -> Any:
    """A branch of a Parallel or an iteration of a Map: what it assigns is seen by nobody outside of it."""
    with execution_clock.branching():
        return _interpret(states, start, copy.deepcopy(value), execution, copy.deepcopy(context))


def _start_timer(attempt: attempts.Attempt, limit: float | None) -> threading.Timer | None:
    """End an execution in time that hangs in something that takes real time; all else looks at the clock."""
    if limit is None:
        return None
    context = contextvars.copy_context()
    timer = threading.Timer(limit, context.run, (lambda: attempt.end("TIMED_OUT"),))
    timer.daemon = True
    timer.start()
    return timer


def _redrive(request: dict[str, Any]) -> Any:
    arn = request.get("executionArn", "")
    execution = stepfunctions._executions.get(arn)
    if execution is None:
        return responses.error_response_json("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'", 400)
    with attempts.changing:
        if execution["status"] not in _REDRIVABLE:
            return responses.error_response_json(
                "ExecutionNotRedrivable", f"Execution is {execution['status']} and cannot be redriven: '{arn}'", 400
            )
        redriven = responses.now_iso()
        execution.update(
            status="RUNNING",
            stopDate=None,
            output=None,
            error=None,
            cause=None,
            redriveCount=execution.get("redriveCount", 0) + 1,
            redriveDate=redriven,
        )
    stepfunctions._add_event(
        execution, "ExecutionRedriven", {"executionRedrivenEventDetails": {"redriveCount": execution["redriveCount"]}}
    )
    stepfunctions._emit_execution_status_event(execution)
    threading.Thread(target=contextvars.copy_context().run, args=(run, arn), daemon=True).start()
    return responses.json_response({"redriveDate": redriven})


def _refused_start(request: dict[str, Any]) -> Any:
    """The error that AWS answers to a name or an input it does not take, or None."""
    name, text = request.get("name"), request.get("input", "{}")
    if name is not None and (not 1 <= len(name) <= 80 or not _NAME_FORBIDDEN.isdisjoint(name)):
        return responses.error_response_json("InvalidName", f"Invalid Name: '{name}'", 400)
    if len(text.encode()) > request_sizes.STATE_BYTES:
        return request_sizes.too_long("input")
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return responses.error_response_json(
            "InvalidExecutionInput", f"Invalid State Machine Execution Input: '{error}'", 400
        )
    return None


def _running_namesake(request: dict[str, Any]) -> Any:
    """A start with the name and the input of a running execution is answered with that execution."""
    machine_arn = stepfunctions._resolve_state_machine_arn(request.get("stateMachineArn", ""))
    if machine_arn is None or not request.get("name"):
        return None
    prefix = machine_arn.replace(":stateMachine:", ":execution:")
    execution = stepfunctions._executions.get(f"{prefix}:{request['name']}")
    if execution is None or execution["status"] != "RUNNING" or execution["input"] != request.get("input", "{}"):
        return None
    return responses.json_response({"executionArn": execution["executionArn"], "startDate": execution["startDate"]})


def _check_limits(execution: dict[str, Any], details: dict[str, Any] | None) -> None:
    for part in (details or {}).values():
        if isinstance(part, dict) and len(str(part.get("output") or "").encode()) > request_sizes.STATE_BYTES:
            raise stepfunctions._ExecutionError(
                "States.DataLimitExceeded",
                "The state/task returned a result with a size exceeding the maximum number of bytes service limit.",
            )
    if len(execution["events"]) >= _HISTORY_LIMIT_EVENTS and execution["status"] == "RUNNING":
        raise stepfunctions._ExecutionError(
            "States.Runtime", f"The execution reached the maximum number of history events ({_HISTORY_LIMIT_EVENTS})."
        )


def _error_matches(names: list[str], error: str) -> bool:
    """Whether a Retry or Catch with these ErrorEquals takes the error; two errors are taken only by their own name."""
    if error in names:
        return True
    if error in ("States.DataLimitExceeded", "States.Runtime"):
        return False
    if error == "States.HeartbeatTimeout":
        # By AWS's list of error names a late heartbeat is a time-out as well.
        return "States.ALL" in names or "States.Timeout" in names
    return "States.ALL" in names or ("States.TaskFailed" in names and error != "States.Timeout")
