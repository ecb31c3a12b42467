"""An execution of a state machine: its life, as the API of Step Functions sees it."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

from tests.simulation.api import ApiError
from tests.simulation.kernel import Stopped
from tests.simulation.machines.definition import Machine
from tests.simulation.machines.errors import RUNTIME, StateFailed
from tests.simulation.machines.flow import Flow, Program
from tests.simulation.machines.host import Host
from tests.simulation.machines.tasks import Attempt

MOST_EVENTS = 25_000
_REDRIVABLE_SECONDS = 14 * 86_400
_TOKEN_BYTES = 480
_END_EVENTS = {
    "SUCCEEDED": "ExecutionSucceeded",
    "FAILED": "ExecutionFailed",
    "ABORTED": "ExecutionAborted",
    "TIMED_OUT": "ExecutionTimedOut",
}


class Event(NamedTuple):
    """Of an execution's history."""

    moment: float
    """Seconds since the epoch."""
    type: str
    """GetExecutionHistory's: TaskStateEntered, ExecutionFailed."""
    state: str | None
    details: Mapping[str, Any] | None


class Execution:
    """One execution. Moments are in seconds since the epoch; input and output are JSON values, not texts."""

    def __init__(
        self,
        machine: Machine,
        name: str,
        input: Any,  # noqa: A002 - the API's word
        host: Host,
        *,
        on_end: Callable[[Execution], None] | None = None,
    ) -> None:
        """`on_end` is called at each end, also after a redrive, and may not wait."""
        self.machine = machine
        self.name = name
        self.input = input
        self.host = host
        self.kernel = host.kernel
        self.arn = f"{machine.arn.replace(':stateMachine:', ':execution:')}:{name}"
        self.status: str | None = None
        """None before it is started; then DescribeExecution's."""
        self.output: Any = None
        self.error: str | None = None
        self.cause: str | None = None
        self.start_date: float | None = None
        self.stop_date: float | None = None
        self.redrive_count = 0
        self.redrive_date: float | None = None
        self.history: list[Event] = []
        self.context: dict[str, Any] = {}
        """What all of its states see of `$states.context`."""
        self.callbacks: dict[str, Attempt] = {}
        """By task token."""
        self._on_end = on_end
        self._tell: list[Callable[[], None]] = []
        self._flow = Flow(self, machine.program, input)

    def start(self) -> None:
        self.start_date = self.kernel.now
        self.add("ExecutionStarted")
        self._run()

    def stop(self, error: str | None = None, cause: str | None = None) -> None:
        """Leaves one that has ended as it is. What its tasks asked for goes on."""
        self._end("ABORTED", error=error, cause=cause)

    def redrive(self) -> None:
        """Go on where it failed, with the input and the variables of that moment. Raises ApiError."""
        refused = self.why_not_redrivable
        if refused is not None:
            raise ApiError("ExecutionNotRedrivable", f"{refused}: '{self.arn}'")
        self._redrive()

    @property
    def why_not_redrivable(self) -> str | None:
        """`redriveStatusReason`, None if it can be redriven."""
        if self.status not in ("FAILED", "ABORTED", "TIMED_OUT") or self.stop_date is None:
            return f"Execution is {self.status} and cannot be redriven"
        if self.kernel.now > self.stop_date + _REDRIVABLE_SECONDS:
            return "Execution has exceeded its redrivable period of 14 days and cannot be redriven"
        if len(self.history) >= MOST_EVENTS - 1:
            return "Execution has reached the limit of its history and cannot be redriven"
        return None

    def task_succeeded(self, token: str, output: Any) -> None:
        """SendTaskSuccess. Raises ApiError for a token that nobody waits for."""
        self._callback(token).settle(output)

    def task_failed(self, token: str, error: str | None = None, cause: str | None = None) -> None:
        """SendTaskFailure. Raises ApiError for a token that nobody waits for."""
        self._callback(token).settle(error=StateFailed(error or "States.TaskFailed", cause))

    def task_beat(self, token: str) -> None:
        """SendTaskHeartbeat. Raises ApiError for a token that nobody waits for."""
        self._callback(token).beat()

    def wait(self) -> None:
        """Let the process that calls this wait until the execution has ended."""
        while self.status == "RUNNING":
            process = self.kernel.current
            ticket = process.ticket()
            # Not at once: whoever ends should not run the other's code on its own stack.
            self._tell.append(lambda ticket=ticket: self.kernel.later(0, ticket))  # type: ignore[misc]
            process.give_way()

    # What its flows ask of it.

    def add(self, event: str, state: str | None = None, details: Mapping[str, Any] | None = None) -> None:
        """Add to the history. Raises Stopped when it has no room for more than the execution's end."""
        if len(self.history) >= MOST_EVENTS - 1:
            reason = f"The execution reached the maximum number of history events ({MOST_EVENTS})."
            self._end("FAILED", error=RUNTIME, cause=reason)
            raise Stopped(reason)
        self.history.append(Event(self.kernel.now, event, state, details))

    def timestamp(self) -> str:
        """Now, as the context object writes it."""
        return _timestamp(self.kernel.now)

    def new_token(self) -> str:
        return base64.b64encode(self.kernel.random("task tokens").randbytes(_TOKEN_BYTES)).decode()

    def child(self, program: Program, label: str, name: str, value: Any) -> Execution:
        """Of a Distributed Map."""
        machine = replace(self.machine, arn=f"{self.machine.arn}/{label}", program=program, timeout=None)
        return Execution(machine, name, value, self.host)

    def begin(self, tell: Callable[[], None]) -> None:
        """As a child, which a redrive of the parent redrives as well."""
        self._tell.append(tell)
        if self.status is None:
            self.start()
        else:
            self._redrive()

    def abort(self) -> None:
        self.stop()

    @property
    def succeeded(self) -> bool:
        return self.status == "SUCCEEDED"

    def _redrive(self) -> None:
        self.redrive_count += 1
        self.redrive_date = self.kernel.now
        self.stop_date = self.error = self.cause = None
        self.status = "RUNNING"
        # Not by `add`, which may end the execution: in the process of the parent.
        self.history.append(Event(self.kernel.now, "ExecutionRedriven", None, {"redriveCount": self.redrive_count}))
        self._run()

    def _run(self) -> None:
        self.status = "RUNNING"
        self.context = self._context()
        flow, number, timeout = self._flow, self.redrive_count, self.machine.timeout
        flow.begin(self._flow_ended)
        if timeout is not None:
            self.kernel.later(timeout, lambda: self._end("TIMED_OUT") if number == self.redrive_count else None)

    def _flow_ended(self) -> None:
        flow = self._flow
        if flow.defect is not None:
            self.kernel.failures.append(flow.defect)
        elif flow.failure is not None:
            self._end("FAILED", error=flow.failure.error, cause=flow.failure.cause)
        else:
            self._end("SUCCEEDED", output=flow.value)

    def _end(self, status: str, *, output: Any = None, error: str | None = None, cause: str | None = None) -> None:
        if self.status != "RUNNING":
            return
        self.status, self.output, self.error, self.cause = status, output, error, cause
        self.stop_date = self.kernel.now
        told = {name: value for name, value in (("error", error), ("cause", cause)) if value is not None}
        self.history.append(Event(self.kernel.now, _END_EVENTS[status], None, told))
        self._flow.abort()
        watchers, self._tell = self._tell, []
        if self._on_end is not None:
            self._on_end(self)
        for tell in watchers:
            tell()

    def _callback(self, token: str) -> Attempt:
        attempt = self.callbacks.get(token)
        if attempt is None:
            raise ApiError("InvalidToken", "Invalid Token: 'Invalid token'")
        if attempt.closed:
            raise ApiError("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'")
        return attempt

    def _context(self) -> dict[str, Any]:
        execution = {
            "Id": self.arn,
            "Input": self.input,
            "Name": self.name,
            "RoleArn": self.machine.role_arn,
            "StartTime": _timestamp(self.start_date or 0),
            "RedriveCount": self.redrive_count,
        }
        if self.redrive_date is not None:
            execution["RedriveTime"] = _timestamp(self.redrive_date)
        return {"Execution": execution, "StateMachine": {"Id": self.machine.arn, "Name": self.machine.name}}


def _timestamp(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
