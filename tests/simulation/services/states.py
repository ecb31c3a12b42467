"""Step Functions' API over the executions that the interpreter runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.simulation.api import REGION, ApiError, Caller
from tests.simulation.machines.definition import Machine as Program
from tests.simulation.machines.execution import Execution

if TYPE_CHECKING:
    from tests.simulation.deployment.stack import Machine
    from tests.simulation.kernel import Kernel
    from tests.simulation.machines.host import Host

_PROGRAMS_KEPT = 64
_NAMES_LAST = 90 * 86400.0
"""For so long a closed execution's name cannot be used again."""


class _Moment(NamedTuple):
    """What is told of an execution from this moment on."""

    at: float
    status: str | None
    stop_date: float | None
    redrive_count: int
    redrive_date: float | None
    output: Any
    error: str | None
    cause: str | None

    @staticmethod
    def of(execution: Execution) -> _Moment:
        one = execution
        return _Moment(
            one.kernel.now,
            one.status,
            one.stop_date,
            one.redrive_count,
            one.redrive_date,
            one.output,
            one.error,
            one.cause,
        )


class States:
    """`host_of` gives what an execution of a machine asks for its tasks; `on_status` hears of changes of status."""

    def __init__(
        self, kernel: Kernel, *, host_of: Callable[[Machine, str], Host], on_status: Callable[[str, Execution], None]
    ) -> None:
        self._kernel = kernel
        self._host_of = host_of
        self._on_status = on_status
        self.machines: dict[str, tuple[Machine, Program, str]] = {}
        """By ARN, with what runs and their account."""
        self.executions: dict[str, Execution] = {}
        """By ARN."""
        self.behind = 0.0
        """Seconds, at most, by which DescribeExecution and ListExecutions are behind: by the API Reference both
        are "eventually consistent"."""
        self._past: dict[str, list[_Moment]] = {}
        """By ARN, oldest first."""
        self.starts = 0
        self._operations: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
            "StartExecution": self._start_execution,
            "StopExecution": self._stop_execution,
            "RedriveExecution": self._redrive_execution,
            "DescribeExecution": self._describe_execution,
            "ListExecutions": self._list_executions,
            "GetExecutionHistory": self._get_execution_history,
            "DescribeStateMachine": self._describe_state_machine,
            "SendTaskSuccess": self._send_task_success,
            "SendTaskFailure": self._send_task_failure,
        }

    def add(self, machine: Machine, *, account: str) -> None:
        """Also in the place of one of that name, whose executions go on as they began."""
        role = f"arn:aws:iam::{account}:role/{machine.role}"
        known = self.machines.get(machine.arn)
        if known is not None and known[0].definition == machine.definition:
            program = known[1]
        else:
            program = _program(machine, role)
        self.machines[machine.arn] = (machine, program, account)

    def remove(self, arn: str) -> None:
        self.machines.pop(arn, None)

    def of(self, machine_arn: str) -> list[Execution]:
        return [execution for execution in self.executions.values() if execution.machine.arn == machine_arn]

    def waits_for_a_person(self, execution: Execution) -> bool:
        return any(not attempt.closed for attempt in execution.callbacks.values())

    def start(self, machine_arn: str, name: str, text: str) -> Execution:
        """Raises ApiError as StartExecution does."""
        if machine_arn not in self.machines:
            raise ApiError("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{machine_arn}'")
        machine, program, account = self.machines[machine_arn]
        arn = f"arn:aws:states:{REGION}:{account}:execution:{machine.name}:{name}"
        known = self.executions.get(arn)
        if known is not None:
            if known.status == "RUNNING" and json.loads(text) == known.input:
                return known
            forgotten = known.stop_date is not None and self._kernel.now - known.stop_date > _NAMES_LAST
            if not forgotten:
                raise ApiError("ExecutionAlreadyExists", f"Execution Already Exists: '{arn}'")
        execution = Execution(
            program,
            name,
            json.loads(text),
            self._host_of(machine, account),
            on_end=lambda ended: self._changed(account, ended),
        )
        self.executions[arn] = execution
        self.starts += 1
        execution.start()
        self._changed(account, execution)
        return execution

    def _changed(self, account: str, execution: Execution) -> None:
        self._past.setdefault(execution.arn, []).append(_Moment.of(execution))
        self._on_status(account, execution)

    def answer(self, operation: str, parameters: Mapping[str, Any], caller: Caller) -> dict[str, Any]:  # noqa: ARG002 - as every service
        answer = self._operations.get(operation)
        if answer is None:
            raise NotImplementedError(f"The simulated Step Functions has no {operation}.")
        return answer(parameters)

    def _start_execution(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        name = asked.get("name") or f"{self._kernel.random('executions').getrandbits(64):016x}"
        execution = self.start(asked["stateMachineArn"], name, asked.get("input", "{}"))
        return {"executionArn": execution.arn, "startDate": _time(execution.start_date or 0)}

    def _stop_execution(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        execution = self._known(asked["executionArn"])
        execution.stop(asked.get("error"), asked.get("cause"))
        return {"stopDate": _time(execution.stop_date or self._kernel.now)}

    def _redrive_execution(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        execution = self._known(asked["executionArn"])
        execution.redrive()
        self._past[execution.arn].append(_Moment.of(execution))
        self.starts += 1
        return {"redriveDate": _time(execution.redrive_date or self._kernel.now)}

    def _describe_execution(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        execution = self._known(asked["executionArn"])
        told = self._told(execution, self._seen_until())
        if told is None:
            raise _unknown(execution.arn)
        return _description(execution, told, whole=True)

    def _list_executions(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        wanted, until = asked.get("statusFilter"), self._seen_until()
        every = [(one, self._told(one, until)) for one in self.of(asked["stateMachineArn"])]
        found = [(one, told) for one, told in every if told is not None and wanted in (None, told.status)]
        newest = sorted(found, key=lambda each: -(each[0].start_date or 0))[: asked.get("maxResults", 1000)]
        return {"executions": [_description(one, told, whole=False) for one, told in newest]}

    def _seen_until(self) -> float:
        """The moment up to which one answer knows what happened."""
        now = self._kernel.now
        return now - self._kernel.random("behind").uniform(0, self.behind) if self.behind else now

    def _told(self, execution: Execution, until: float) -> _Moment | None:
        return next((one for one in reversed(self._past[execution.arn]) if one.at <= until), None)

    def _get_execution_history(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        events: list[dict[str, Any]] = []
        for number, event in enumerate(self._known(asked["executionArn"]).history, start=1):
            found: dict[str, Any] = {"id": number, "type": event.type, "timestamp": _time(event.moment)}
            if event.type.endswith("StateEntered"):
                found["stateEnteredEventDetails"] = {"name": event.state or ""}
            elif event.type.endswith("StateExited"):
                found["stateExitedEventDetails"] = {"name": event.state or ""}
            events.append(found)
        if asked.get("reverseOrder"):
            events.reverse()
        return {"events": events[: asked.get("maxResults") or 1000]}

    def _describe_state_machine(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        if asked["stateMachineArn"] not in self.machines:
            raise ApiError("StateMachineDoesNotExist", "State Machine Does Not Exist")
        machine, _, _ = self.machines[asked["stateMachineArn"]]
        return {
            "stateMachineArn": machine.arn,
            "name": machine.name,
            "status": "ACTIVE",
            "type": "STANDARD",
            "definition": json.dumps(machine.definition),
        }

    def _send_task_success(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        self._waiting(asked["taskToken"]).task_succeeded(asked["taskToken"], json.loads(asked["output"]))
        return {}

    def _send_task_failure(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        waiting = self._waiting(asked["taskToken"])
        waiting.task_failed(asked["taskToken"], asked.get("error", ""), asked.get("cause", ""))
        return {}

    def _known(self, arn: str) -> Execution:
        if arn not in self.executions:
            raise _unknown(arn)
        return self.executions[arn]

    def machines_of(self, token: str) -> tuple[str, ...]:
        """ARN of the machine whose execution waits for this token; nothing if none does."""
        return tuple(one.machine.arn for one in self.executions.values() if token in one.callbacks)

    def _waiting(self, token: str) -> Execution:
        for execution in self.executions.values():
            if token in execution.callbacks:
                return execution
        raise ApiError("InvalidToken", "Invalid Token: 'Invalid token'")


_programs: dict[tuple[int, str], tuple[Program, Machine]] = {}
"""By id of the machine that it is the program of, which is kept so that its id stays its own, and by its role."""


def _program(machine: Machine, role: str) -> Program:
    """Many schedules run the same machine."""
    key = (id(machine), role)
    if key not in _programs:
        if len(_programs) >= _PROGRAMS_KEPT:
            del _programs[next(iter(_programs))]
        _programs[key] = (_parsed(machine.arn, role, json.dumps(machine.definition)), machine)
    return _programs[key][0]


@lru_cache(maxsize=_PROGRAMS_KEPT)
def _parsed(arn: str, role_arn: str, definition: str) -> Program:
    """Other stacks have an equal machine, such as those of other parameters."""
    return Program.of(json.loads(definition), arn=arn, role_arn=role_arn)


def _unknown(arn: str) -> ApiError:
    return ApiError("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")


def _description(execution: Execution, told: _Moment, *, whole: bool) -> dict[str, Any]:
    found: dict[str, Any] = {
        "executionArn": execution.arn,
        "stateMachineArn": execution.machine.arn,
        "name": execution.name,
        "status": told.status,
        "startDate": _time(execution.start_date or 0),
    }
    if told.stop_date is not None:
        found["stopDate"] = _time(told.stop_date)
    if told.redrive_date is not None:
        found |= {"redriveCount": told.redrive_count, "redriveDate": _time(told.redrive_date)}
    if whole:
        found["input"] = json.dumps(execution.input)
        if told.status == "SUCCEEDED":
            found["output"] = json.dumps(told.output)
        if told.error is not None:
            found |= {"error": told.error, "cause": told.cause or ""}
    return found


def _time(moment: float) -> datetime:
    return datetime.fromtimestamp(round(moment, 3), tz=UTC)
