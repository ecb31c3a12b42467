"""Step Functions' API over the executions that the interpreter runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tests.simulation.api import REGION, ApiError, Caller
from tests.simulation.machines.execution import Execution

if TYPE_CHECKING:
    from tests.simulation.deployment.stack import Machine
    from tests.simulation.kernel import Kernel
    from tests.simulation.machines.host import Host

_NAMES_LAST = 90 * 86400.0
"""For so long a closed execution's name cannot be used again."""


class States:
    """`host_of` gives what an execution of a machine asks for its tasks; `on_end` hears of every change of status."""

    def __init__(
        self, kernel: Kernel, *, host_of: Callable[[Machine, str], Host], on_status: Callable[[str, Execution], None]
    ) -> None:
        self._kernel = kernel
        self._host_of = host_of
        self._on_status = on_status
        self.machines: dict[str, tuple[Machine, str]] = {}
        """By ARN, with their account."""
        self.executions: dict[str, Execution] = {}
        """By ARN."""
        self.tokens: dict[str, Execution] = {}
        """Of tasks that wait for a callback."""

    def add(self, machine: Machine, *, account: str) -> None:
        self.machines[machine.arn] = (machine, account)

    def remove(self, arn: str) -> None:
        self.machines.pop(arn, None)

    def of(self, machine_arn: str) -> list[Execution]:
        return [execution for execution in self.executions.values() if execution.machine_arn == machine_arn]

    def start(self, machine_arn: str, name: str, text: str) -> Execution:
        """Raises ApiError as StartExecution does."""
        if machine_arn not in self.machines:
            raise ApiError("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{machine_arn}'")
        machine, account = self.machines[machine_arn]
        arn = f"arn:aws:states:{REGION}:{account}:execution:{machine.name}:{name}"
        known = self.executions.get(arn)
        if known is not None:
            if known.status == "RUNNING" and json.loads(text) == known.input:
                return known
            closed = known.stop_date is not None and self._kernel.now - known.stop_date > _NAMES_LAST
            if not closed:
                raise ApiError("ExecutionAlreadyExists", f"Execution Already Exists: '{arn}'")
        execution = Execution(
            arn=arn, machine=machine, name=name, input=json.loads(text), host=self._host_of(machine, account)
        )
        execution.on_status = lambda: self._on_status(account, execution)
        self.executions[arn] = execution
        execution.start()
        return execution

    def answer(self, operation: str, parameters: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        answer = getattr(self, f"_{operation}", None)
        if answer is None:
            raise NotImplementedError(f"The simulated Step Functions has no {operation}.")
        found: dict[str, Any] = answer(parameters, caller)
        return found

    def _StartExecution(self, asked: Mapping[str, Any], _: Caller) -> dict[str, Any]:
        name = asked.get("name") or f"{self._kernel.random('executions').getrandbits(64):016x}"
        execution = self.start(asked["stateMachineArn"], name, asked.get("input", "{}"))
        return {"executionArn": execution.arn, "startDate": _time(execution.start_date)}

    def _StopExecution(self, asked: Mapping[str, Any], _: Caller) -> dict[str, Any]:
        execution = self._known(asked["executionArn"])
        execution.stop(asked.get("error"), asked.get("cause"))
        return {"stopDate": _time(execution.stop_date or self._kernel.now)}

    def _RedriveExecution(self, asked: Mapping[str, Any], _: Caller) -> dict[str, Any]:
        execution = self._known(asked["executionArn"])
        execution.redrive()
        return {"redriveDate": _time(execution.redrive_date or self._kernel.now)}

    def _DescribeExecution(self, asked: Mapping[str, Any], _: Caller) -> dict[str, Any]:
        return _description(self._known(asked["executionArn"]), whole=True)

    def _ListExecutions(self, asked: Mapping[str, Any], _: Caller) -> dict[str, Any]:
        wanted = asked.get("statusFilter")
        found = [one for one in self.of(asked["stateMachineArn"]) if wanted in (None, one.status)]
        newest = sorted(found, key=lambda one: -one.start_date)[: asked.get("maxResults", 1000)]
        return {"executions": [_description(one, whole=False) for one in newest]}

    def _DescribeStateMachine(self, asked: Mapping[str, Any], _: Caller) -> dict[str, Any]:
        if asked["stateMachineArn"] not in self.machines:
            raise ApiError("StateMachineDoesNotExist", "State Machine Does Not Exist")
        machine, _account = self.machines[asked["stateMachineArn"]]
        return {
            "stateMachineArn": machine.arn,
            "name": machine.name,
            "status": "ACTIVE",
            "type": "STANDARD",
            "definition": json.dumps(machine.definition),
        }

    def _SendTaskSuccess(self, asked: Mapping[str, Any], _: Caller) -> dict[str, Any]:
        self._waiting(asked["taskToken"]).task_succeeded(asked["taskToken"], json.loads(asked["output"]))
        return {}

    def _SendTaskFailure(self, asked: Mapping[str, Any], _: Caller) -> dict[str, Any]:
        waiting = self._waiting(asked["taskToken"])
        waiting.task_failed(asked["taskToken"], asked.get("error", ""), asked.get("cause", ""))
        return {}

    def _known(self, arn: str) -> Execution:
        if arn not in self.executions:
            raise ApiError("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")
        return self.executions[arn]

    def _waiting(self, token: str) -> Execution:
        execution = self.tokens.pop(token, None)
        if execution is None or execution.status != "RUNNING":
            raise ApiError("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'")
        return execution


def _description(execution: Execution, *, whole: bool) -> dict[str, Any]:
    found: dict[str, Any] = {
        "executionArn": execution.arn,
        "stateMachineArn": execution.machine_arn,
        "name": execution.name,
        "status": execution.status,
        "startDate": _time(execution.start_date),
    }
    if execution.stop_date is not None:
        found["stopDate"] = _time(execution.stop_date)
    if execution.redrive_date is not None:
        found |= {"redriveCount": execution.redrive_count, "redriveDate": _time(execution.redrive_date)}
    if whole:
        found["input"] = json.dumps(execution.input)
        if execution.status == "SUCCEEDED":
            found["output"] = json.dumps(execution.output)
        if execution.error is not None:
            found |= {"error": execution.error, "cause": execution.cause or ""}
    return found


def _time(moment: float) -> datetime:
    return datetime.fromtimestamp(round(moment, 3), tz=UTC)
