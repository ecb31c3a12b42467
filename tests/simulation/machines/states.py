"""The states that do nothing in the world."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tests.simulation.machines.errors import NO_CHOICE, QUERY, StateFailed
from tests.simulation.machines.expressions import template
from tests.simulation.machines.flow import Flow, State, leaving

_MOST = 99_999_999


class Pass(State):
    def run(self, flow: Flow) -> str | None:
        flow.leave(flow.names(), flow.value, (self.output, self.assign))
        return self.next


class Succeed(Pass):
    pass


class Fail(State):
    FIELDS = frozenset({"Error", "Cause"})

    def __init__(self, name: str, raw: Mapping[str, Any]) -> None:
        super().__init__(name, raw)
        self._error = template(raw.get("Error"), "Error")
        self._cause = template(raw.get("Cause"), "Cause")

    def run(self, flow: Flow) -> str | None:
        names = flow.names()
        raise StateFailed(self._error(flow.variables, names), self._cause(flow.variables, names))


class Choice(State):
    FIELDS = frozenset({"Choices", "Default"})

    def __init__(self, name: str, raw: Mapping[str, Any]) -> None:
        super().__init__(name, raw)
        self._default: str | None = raw.get("Default")
        self._rules = [
            (template(rule["Condition"], f"Choices[{number}]/Condition"), str(rule["Next"]), leaving(rule))
            for number, rule in enumerate(raw["Choices"])
        ]

    def run(self, flow: Flow) -> str | None:
        names = flow.names()
        for number, (condition, following, way) in enumerate(self._rules):
            holds = condition(flow.variables, names)
            if not isinstance(holds, bool):
                raise StateFailed(QUERY, f"The condition {number} of {self.name} gave {holds!r} and no boolean.")
            if holds:
                flow.visited("choice", number=number)
                flow.leave(names, flow.value, way)
                return following
        if self._default is None:
            raise StateFailed(NO_CHOICE, f"No choice of {self.name} holds, and it has no Default.")
        flow.visited("choice")
        flow.leave(names, flow.value, (self.output, self.assign))
        return self._default


class Wait(State):
    FIELDS = frozenset({"Seconds", "Timestamp"})

    def __init__(self, name: str, raw: Mapping[str, Any]) -> None:
        super().__init__(name, raw)
        self._seconds = template(raw["Seconds"], "Seconds") if "Seconds" in raw else None
        self._timestamp = template(raw.get("Timestamp"), "Timestamp")

    def run(self, flow: Flow) -> str | None:
        kernel = flow.execution.kernel
        # Kept for a redrive: what is waited for comes when it would have come.
        if flow.progress is None:
            flow.progress = self._until(flow)
        if flow.progress > kernel.now:
            kernel.sleep(flow.progress - kernel.now)
        flow.leave(flow.names(), flow.value, (self.output, self.assign))
        return self.next

    def _until(self, flow: Flow) -> float:
        names = flow.names()
        if self._seconds is not None:
            seconds = self._seconds(flow.variables, names)
            return flow.execution.kernel.now + whole_number(seconds, "Seconds", least=0)
        moment = self._timestamp(flow.variables, names)
        try:
            found = datetime.fromisoformat(moment)
        except (TypeError, ValueError):
            found = None
        if found is None or found.tzinfo is None:
            raise StateFailed(QUERY, f"The field 'Timestamp' is {json.dumps(moment)}, which is no timestamp.")
        return found.timestamp()


def whole_number(value: Any, field: str, *, least: int) -> int:
    """A field that has to be one. JSONata knows one kind of number: 3.0 is 3."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or value % 1 or not least <= value <= _MOST:
        raise StateFailed(QUERY, f"The field '{field}' is {json.dumps(value)}. Expected a whole number from {least}.")
    return int(value)
