"""Definitions in Amazon States Language, read once for all executions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.simulation.machines.flow import Program, State
from tests.simulation.machines.maps import DistributedMap, InlineMap, Parallel
from tests.simulation.machines.states import Choice, Fail, Pass, Succeed, Wait
from tests.simulation.machines.tasks import Task

_SIMPLE: Mapping[str, type[State]] = {
    "Pass": Pass,
    "Succeed": Succeed,
    "Fail": Fail,
    "Choice": Choice,
    "Wait": Wait,
    "Task": Task,
}


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A state machine. One object serves all executions, also those of many schedules."""

    arn: str
    role_arn: str
    program: Program
    timeout: float | None = None
    """Seconds that an execution may take, and after a redrive takes again."""

    @classmethod
    def of(cls, definition: Mapping[str, Any], *, arn: str, role_arn: str) -> Machine:
        """Raises NotImplementedError for what the simulation does not know."""
        if definition.get("QueryLanguage") != "JSONata":
            raise NotImplementedError(f"The simulation knows JSONata only, and {arn} is not.")
        return cls(arn=arn, role_arn=role_arn, program=program(definition), timeout=definition.get("TimeoutSeconds"))

    @property
    def name(self) -> str:
        return self.arn.rpartition(":stateMachine:")[2]


def program(definition: Mapping[str, Any]) -> Program:
    states = {name: _state(name, raw) for name, raw in definition["States"].items()}
    return Program(start=definition["StartAt"], states=states)


def _state(name: str, raw: Mapping[str, Any]) -> State:
    kind = raw["Type"]
    if kind in _SIMPLE:
        return _SIMPLE[kind](name, raw)
    if kind == "Parallel":
        return Parallel(name, raw, [program(branch) for branch in raw["Branches"]])
    if kind == "Map":
        processor = raw["ItemProcessor"]
        configuration = processor.get("ProcessorConfig", {"Mode": "INLINE"})
        if configuration == {"Mode": "INLINE"}:
            return InlineMap(name, raw, program(processor))
        if configuration == {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}:
            return DistributedMap(name, raw, program(processor))
        kind = f"Map with {configuration}"
    raise NotImplementedError(f"The simulation knows no {kind}, which {name} is.")
