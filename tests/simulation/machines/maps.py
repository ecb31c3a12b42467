"""Maps and Parallels: what runs beside something else in one execution, or in child executions."""

from __future__ import annotations

import json
import uuid
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from math import inf
from typing import TYPE_CHECKING, Any

from tests.simulation.machines.errors import QUERY, READER, TOO_MANY_FAILED, StateFailed, limit_size
from tests.simulation.machines.expressions import Template, template
from tests.simulation.machines.flow import Child, Flow, Program
from tests.simulation.machines.host import TaskRequest
from tests.simulation.machines.states import whole_number
from tests.simulation.machines.tasks import Attempt, Retrying, resource_of

if TYPE_CHECKING:
    from tests.simulation.machines.execution import Execution

_INLINE_CONCURRENCY = 40
_DISTRIBUTED_CONCURRENCY = 10_000
"""What Step Functions runs at once where MaxConcurrency is 0 or absent."""


class Parallel(Retrying):
    FIELDS = Retrying.FIELDS | {"Branches", "Arguments"}

    def __init__(self, name: str, raw: Mapping[str, Any], branches: Sequence[Program]) -> None:
        super().__init__(name, raw)
        self._branches = branches
        self._arguments = template(raw["Arguments"], "Arguments") if "Arguments" in raw else None

    def attempt(self, flow: Flow) -> None:
        names = flow.names()
        if flow.progress is None:
            value = flow.value if self._arguments is None else self._arguments(flow.variables, names)
            flow.progress = [Flow(flow.execution, branch, value, variables=flow.variables) for branch in self._branches]
            flow.add("ParallelStateStarted")
        branches: list[Flow] = flow.progress
        _run_flows(flow, branches, most=len(branches))
        result = [branch.value for branch in branches]
        flow.add("ParallelStateSucceeded")
        flow.leave({**names, "result": result}, result, (self.output, self.assign))


class InlineMap(Retrying):
    FIELDS = Retrying.FIELDS | {"Items", "ItemSelector", "ItemProcessor", "MaxConcurrency"}

    def __init__(self, name: str, raw: Mapping[str, Any], program: Program) -> None:
        super().__init__(name, raw)
        self._program = program
        self._items = template(raw["Items"], "Items") if "Items" in raw else None
        self._selector = _selector(raw)
        self._concurrency = template(raw.get("MaxConcurrency", 0), "MaxConcurrency")

    def attempt(self, flow: Flow) -> None:
        names = flow.names()
        most = whole_number(self._concurrency(flow.variables, names), "MaxConcurrency", least=0)
        if flow.progress is None:
            items = _items(self._items, flow, names)
            flow.progress = [
                Flow(
                    flow.execution,
                    self._program,
                    _selected(self._selector, flow, index, item),
                    variables=flow.variables,
                    item={"Index": index, "Value": item},
                )
                for index, item in enumerate(items)
            ]
            flow.add("MapStateStarted", {"length": len(items)})
        iterations: list[Flow] = flow.progress
        _run_flows(flow, iterations, most=most or _INLINE_CONCURRENCY, event="MapIteration")
        result = [iteration.value for iteration in iterations]
        flow.add("MapStateSucceeded")
        flow.leave({**names, "result": result}, result, (self.output, self.assign))


class DistributedMap(Retrying):
    """Each item is the input of a child execution, which knows none of the variables around it."""

    FIELDS = Retrying.FIELDS | {
        *("Items", "ItemReader", "ItemSelector", "ItemProcessor", "MaxConcurrency", "Label"),
        *("ToleratedFailurePercentage", "ToleratedFailureCount"),
    }

    def __init__(self, name: str, raw: Mapping[str, Any], program: Program) -> None:
        super().__init__(name, raw)
        self._program = program
        self._label = str(raw.get("Label", name))
        self._items = template(raw["Items"], "Items") if "Items" in raw else None
        self._reader = _reader(name, raw["ItemReader"]) if "ItemReader" in raw else None
        self._selector = _selector(raw)
        self._concurrency = template(raw.get("MaxConcurrency", 0), "MaxConcurrency")
        self._tolerated = {
            field: template(raw[field], field)
            for field in ("ToleratedFailureCount", "ToleratedFailurePercentage")
            if field in raw
        }

    def attempt(self, flow: Flow) -> None:
        names = flow.names()
        most = whole_number(self._concurrency(flow.variables, names), "MaxConcurrency", least=0)
        if flow.progress is None:
            items = _items(self._items, flow, names) if self._reader is None else self._read(flow, names)
            inputs = [_selected(self._selector, flow, index, item) for index, item in enumerate(items)]
            flow.progress = [self._child(flow, value) for value in inputs]
            flow.add("MapRunStarted", {"length": len(items)})
        children: list[Execution] = flow.progress
        exceeds = self._tolerance(flow, names, len(children))
        failed = 0

        def ended(child: Child) -> None:
            nonlocal failed
            if not child.succeeded:
                failed += 1
                if exceeds(failed):
                    flow.add("MapRunFailed")
                    raise StateFailed(TOO_MANY_FAILED, "The specified tolerated failure threshold was exceeded")

        _side_by_side(flow, children, most=most or _DISTRIBUTED_CONCURRENCY, ended=ended)
        flow.add("MapRunSucceeded")
        result = [child.output for child in children]
        limit_size(result, "Map Run's results")
        flow.leave({**names, "result": result}, result, (self.output, self.assign))

    def _child(self, flow: Flow, value: Any) -> Execution:
        parent = flow.execution
        name = str(uuid.UUID(int=parent.kernel.random("names of child executions").getrandbits(128), version=4))
        return parent.child(self._program, self._label, name, value)

    def _read(self, flow: Flow, names: Mapping[str, Any]) -> list[Any]:
        assert self._reader is not None
        request = TaskRequest(
            execution=flow.execution,
            state=self.name,
            resource="s3:getObject",
            arguments=self._reader(flow.variables, names),
            retry=flow.retries,
        )
        try:
            items = json.loads(Attempt(flow, request, {}).result())
        except StateFailed as failure:
            raise StateFailed(READER, f"{failure.error}: {failure.cause}") from failure
        except ValueError as error:
            raise StateFailed(READER, f"The object is no JSON: {error}") from error
        if not isinstance(items, list):
            raise StateFailed(READER, "The object holds no JSON array.")
        return items

    def _tolerance(self, flow: Flow, names: Mapping[str, Any], total: int) -> Callable[[int], bool]:
        """Whether so many failures are too many: one is, unless the state says how many are not."""
        found = {field: float(value(flow.variables, names)) for field, value in self._tolerated.items()}
        most = found.get("ToleratedFailureCount", inf if found else 0.0)
        percentage = found.get("ToleratedFailurePercentage", inf)
        return lambda failed: failed > most or failed * 100 > percentage * total


def _reader(name: str, raw: Mapping[str, Any]) -> Template:
    if resource_of(raw["Resource"]) != "s3:getObject" or raw.get("ReaderConfig") != {"InputType": "JSON"}:
        raise NotImplementedError(f"The simulation reads items from JSON objects only, and {name} does not: {raw}")
    return template(raw["Arguments"], "ItemReader/Arguments")


def _selector(raw: Mapping[str, Any]) -> Template | None:
    return template(raw["ItemSelector"], "ItemSelector") if "ItemSelector" in raw else None


def _items(items: Template | None, flow: Flow, names: Mapping[str, Any]) -> list[Any]:
    found = flow.value if items is None else items(flow.variables, names)
    if not isinstance(found, list):
        raise StateFailed(QUERY, f"The field 'Items' is {json.dumps(found)[:200]}. Expected an array.")
    return found


def _selected(selector: Template | None, flow: Flow, index: int, item: Any) -> Any:
    if selector is None:
        return item
    context = {**flow.context, "Map": {"Item": {"Index": index, "Value": item}}}
    return selector(flow.variables, flow.names(context=context))


def _run_flows(flow: Flow, flows: Sequence[Flow], *, most: int, event: str = "") -> None:
    """Run those that have not succeeded. The first that fails ends the others and fails the state."""

    def ended(child: Child) -> None:
        assert isinstance(child, Flow)
        if child.defect is not None:
            raise child.defect
        if event:
            flow.add(f"{event}{'Failed' if child.failure else 'Succeeded'}")
        if child.failure is not None:
            raise StateFailed(child.failure.error, child.failure.cause)

    _side_by_side(flow, flows, most=most, ended=ended)


def _side_by_side(flow: Flow, children: Sequence[Child], *, most: int, ended: Callable[[Child], None]) -> None:
    """Run those that have not succeeded, so many at once. When `ended` raises, the others are aborted."""
    kernel = flow.execution.kernel
    waiting = deque((index, child) for index, child in enumerate(children) if not child.succeeded)
    over: deque[Child] = deque()
    ticket = kernel.current.ticket()

    def begin(index: int, child: Child) -> None:
        def tell() -> None:
            over.append(child)
            # Not at once: whoever ends should not run the other's code on its own stack.
            kernel.later(0, ticket)

        flow.visited("iteration", number=index)
        flow.children.append(child)
        child.begin(tell)

    while waiting or flow.children:
        while waiting and len(flow.children) < most:
            begin(*waiting.popleft())
        ticket = kernel.current.ticket()
        kernel.current.give_way()
        while over:
            child = over.popleft()
            flow.children.remove(child)
            try:
                ended(child)
            except StateFailed:
                running, flow.children = flow.children, []
                for other in running:
                    other.abort()
                raise
