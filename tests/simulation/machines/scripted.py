"""A world for the tests of the interpreter: what each state's task answers is written down before."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from tests.simulation.kernel import BEGINNING, Kernel
from tests.simulation.machines.definition import Machine
from tests.simulation.machines.execution import Execution
from tests.simulation.machines.host import TaskFailed, TaskRequest, Visit

Answer = Callable[[TaskRequest], Any]
READER = {
    "Resource": "arn:aws:states:::s3:getObject",
    "ReaderConfig": {"InputType": "JSON"},
    "Arguments": {"Bucket": "bucket", "Key": "{% $states.input.key %}"},
}


class ScriptedHost:
    """`answers` by state: functions of the request, which may wait. A state without one is answered its arguments."""

    def __init__(self, answers: dict[str, Answer] | None = None, *, seed: int = 1) -> None:
        self.kernel = Kernel(seed)
        self.answers = answers or {}
        self.asked: list[TaskRequest] = []
        self.times: list[float] = []
        """Seconds after the beginning at which the tasks were asked for."""
        self.answered: list[str] = []
        """States whose tasks came to their end, also where nobody waited any more."""
        self.given_up: list[TaskRequest] = []
        self.on_abandoned: Callable[[], None] | None = None
        self.visits: list[Visit] = []

    def run_task(self, request: TaskRequest) -> Any:
        self.asked.append(request)
        self.times.append(self.kernel.now - BEGINNING)
        answer = self.answers.get(request.state)
        result = request.arguments if answer is None else answer(request)
        self.answered.append(request.state)
        return result

    def abandoned(self, request: TaskRequest) -> None:
        self.given_up.append(request)
        if self.on_abandoned is not None:
            self.on_abandoned()

    def visited(self, visit: Visit) -> None:
        self.visits.append(visit)

    def execution(
        self,
        definition: dict[str, Any],
        value: Any = None,
        *,
        name: str = "first",
        on_end: Callable[[Execution], None] | None = None,
    ) -> Execution:
        arn = "arn:aws:states:us-east-1:111122223333:stateMachine:machine"
        machine = Machine.of(
            {"QueryLanguage": "JSONata", **definition}, arn=arn, role_arn="arn:aws:iam::111122223333:role/machine"
        )
        return Execution(machine, name, {} if value is None else value, self, on_end=on_end)

    def run(self, definition: dict[str, Any], value: Any = None, *, seconds: float = 1e9) -> Execution:
        """Start an execution and let so many seconds pass."""
        execution = self.execution(definition, value)
        execution.start()
        self.let_pass(seconds)
        return execution

    def let_pass(self, seconds: float) -> None:
        self.kernel.run_until(self.kernel.now + seconds)
        for failure in self.kernel.failures:
            raise failure

    def seen(self, what: str) -> list[tuple[str, int | None, str | None]]:
        """(state, number, error) of the visits of a kind."""
        return [(visit.state, visit.number, visit.error) for visit in self.visits if visit.what == what]


def machine(*states: tuple[str, dict[str, Any]], **more: Any) -> dict[str, Any]:
    """A definition whose states follow each other, where they do not say otherwise."""
    names = [name for name, _ in states]
    chained: dict[str, Any] = {}
    for (name, state), following in zip(states, [*names[1:], None], strict=True):
        ends = state["Type"] in {"Choice", "Succeed", "Fail"} or "Next" in state or "End" in state
        chained[name] = state if ends else {**state, **({"Next": following} if following else {"End": True})}
    return {"StartAt": names[0], "States": chained, **more}


def task(**more: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", **more}


def failing(*errors: str | None, after: float = 0.0, cause: str | None = "why") -> Answer:
    """Fails each time with the next of the errors, the last one for ever; None succeeds with the arguments."""
    left: list[str | None] = list(errors)

    def answer(request: TaskRequest) -> Any:
        error = left.pop(0) if len(left) > 1 else left[0]
        if after:
            request.execution.kernel.sleep(after)
        if error is not None:
            raise TaskFailed(error, cause)
        return request.arguments

    return answer


def taking(seconds: float | Iterable[float], result: Any = None) -> Answer:
    """Answers after so many seconds; of several, each time the next."""
    left = iter(seconds) if isinstance(seconds, Iterable) else None

    def answer(request: TaskRequest) -> Any:
        request.execution.kernel.sleep(next(left) if left is not None else seconds)  # type: ignore[arg-type]
        return request.arguments if result is None else result

    return answer


def inline(*states: tuple[str, dict[str, Any]], **more: Any) -> dict[str, Any]:
    processor = {"ProcessorConfig": {"Mode": "INLINE"}, **machine(*states)}
    return {"Type": "Map", "ItemProcessor": processor, **more}


def distributed(*states: tuple[str, dict[str, Any]], **more: Any) -> dict[str, Any]:
    processor = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, **machine(*states)}
    return {"Type": "Map", "ItemProcessor": processor, "ItemReader": READER, "Label": "Each", **more}


def holding(*items: Any) -> Answer:
    """The object that an ItemReader reads."""
    return lambda _request: json.dumps(items)
