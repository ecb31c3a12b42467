"""One thread of states: a whole machine's, or that of a branch or an iteration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from tests.simulation.kernel import Stopped
from tests.simulation.machines.errors import StateFailed, limit_size
from tests.simulation.machines.expressions import Template, template
from tests.simulation.machines.host import Visit

if TYPE_CHECKING:
    from tests.simulation.kernel import Process
    from tests.simulation.machines.execution import Execution


class State:
    """One state of a machine: what its definition says, which holds for every execution."""

    FIELDS: frozenset[str] = frozenset()
    """Beside those that each state may have."""

    def __init__(self, name: str, raw: Mapping[str, Any]) -> None:
        unknown = raw.keys() - self.FIELDS - {"Type", "Comment", "QueryLanguage", "Next", "End", "Output", "Assign"}
        if unknown:
            raise NotImplementedError(f"The simulation knows no {', '.join(sorted(unknown))} in {raw['Type']} {name}.")
        if raw.get("QueryLanguage", "JSONata") != "JSONata":
            raise NotImplementedError(f"The simulation knows JSONata only, and {name} is {raw['QueryLanguage']}.")
        self.name = name
        self.kind: str = raw["Type"]
        self.next: str | None = raw.get("Next")
        self.output, self.assign = leaving(raw)

    def run(self, flow: Flow) -> str | None:
        """Do what the state does, leave by `flow.leave`, and return the next state's name. Raises StateFailed."""
        raise NotImplementedError(self.kind)


@dataclass(frozen=True)
class Program:
    start: str
    states: Mapping[str, State]


Leaving = tuple[Template | None, Template | None]


def leaving(raw: Mapping[str, Any]) -> Leaving:
    """Output and Assign of a state, of a Catcher or of a choice."""
    output = template(raw["Output"], "Output") if "Output" in raw else None
    return output, template(raw["Assign"], "Assign") if raw.get("Assign") else None


class Child(Protocol):
    """What a state runs beside others: a flow, or the child execution of a Distributed Map."""

    @property
    def succeeded(self) -> bool: ...

    def begin(self, tell: Callable[[], None]) -> None:
        """Begin, or go on where it failed; `tell` is called at its end, and may not wait."""

    def abort(self) -> None: ...


class Flow:
    """Where a thread of states stands. It keeps this when it fails, so that it can be redriven."""

    def __init__(
        self,
        execution: Execution,
        program: Program,
        value: Any,
        *,
        variables: Mapping[str, Any] | None = None,
        item: Mapping[str, Any] | None = None,
    ) -> None:
        self.execution = execution
        self.program = program
        self.state = program.states[program.start]
        self.value = value
        """The input of the state that it is in; at the end, the output."""
        self.variables: dict[str, Any] = dict(variables or {})
        self.progress: Any = None
        """What the state keeps for a redrive."""
        self.retries = 0
        """Of the state that it is in."""
        self.children: list[Child] = []
        """What runs for the state beside it."""
        self.abandon: Callable[[], None] | None = None
        """Gives up the task that the state waits for."""
        self.process: Process[None] | None = None
        self.succeeded: bool = False
        self.failure: StateFailed | None = None
        self.defect: BaseException | None = None
        """What is wrong with the simulation, not with the machine."""
        self.context: dict[str, Any] = {}
        self._item = item
        self._entered: str | None = None

    def begin(self, tell: Callable[[], None]) -> None:
        self.failure = None
        process = self.execution.kernel.start(self._run, name=f"{self.execution.name}/{self.state.name}")

        def over() -> None:
            # Whoever stopped it knows.
            if not isinstance(process.error, Stopped):
                self.defect = process.error
                tell()

        process.when_done(over)
        self.process = process

    def abort(self) -> None:
        """Stop it and what it runs, and give up what it asked for."""
        children, self.children = self.children, []
        for child in children:
            child.abort()
        if self.abandon is not None:
            self.abandon()
        if self.process is not None:
            self.process.kill()

    def visited(self, what: str, *, number: int | None = None, error: str | None = None) -> None:
        self.execution.host.visited(Visit(self.execution, self.state.name, what, number, error))

    def add(self, event: str, details: Mapping[str, Any] | None = None) -> None:
        self.execution.add(event, self.state.name, details)

    def names(self, **more: Any) -> dict[str, Any]:
        """The members of `$states`."""
        return {"input": self.value, "context": self.context, **more}

    def set_context(self) -> None:
        execution = self.execution
        self.context = {
            **execution.context,
            "State": {"Name": self.state.name, "EnteredTime": self._entered, "RetryCount": self.retries},
        }
        if self._item is not None:
            self.context["Map"] = {"Item": self._item}

    def leave(self, names: Mapping[str, Any], default: Any, way: Leaving) -> None:
        """Take on the output and the variables of a way out of the state: both, or none if it raises StateFailed."""
        output, assign = way
        assigned = assign(self.variables, names) if assign is not None else None
        value = output(self.variables, names) if output is not None else default
        if assigned is not None:
            limit_size(assigned, "variables that are assigned")
            self.variables = {**self.variables, **assigned}
        if value is not self.value:
            limit_size(value, "state's output")
            self.value = value

    def _run(self) -> None:
        try:
            following: str | None = self.state.name
            self.retries = 0
            if self._entered is not None:
                self.visited("redriven")
                self.set_context()
            while following is not None:
                if self._entered is None:
                    self._enter(following)
                following = self.state.run(self)
                self.add(f"{self.state.kind}StateExited")
                # From here on the state has succeeded.
                self._entered = self.progress = None
                self.retries = 0
        except StateFailed as failure:
            self.failure = failure
        else:
            self.succeeded = True

    def _enter(self, name: str) -> None:
        self.state = self.program.states[name]
        self._entered = self.execution.timestamp()
        self.add(f"{self.state.kind}StateEntered", {"input": self.value})
        self.visited("entered")
        self.set_context()
