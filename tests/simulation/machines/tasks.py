"""Tasks, and how a state is tried again or caught."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

from tests.simulation.machines.errors import DATA_LIMIT, HEARTBEAT, TIMEOUT, StateFailed, limit_size, takes
from tests.simulation.machines.expressions import template
from tests.simulation.machines.flow import Flow, State, leaving
from tests.simulation.machines.host import TaskFailed, TaskRequest
from tests.simulation.machines.states import whole_number

_CALLBACK = ".waitForTaskToken"
_CATCHER = frozenset({"ErrorEquals", "Next", "Output", "Assign", "Comment"})


@dataclass(frozen=True)
class _Retrier:
    errors: frozenset[str]
    interval: float
    rate: float
    attempts: int
    longest: float
    jittered: bool

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> _Retrier:
        return cls(
            errors=frozenset(raw["ErrorEquals"]),
            interval=raw.get("IntervalSeconds", 1),
            rate=raw.get("BackoffRate", 2.0),
            attempts=raw.get("MaxAttempts", 3),
            longest=raw.get("MaxDelaySeconds", inf),
            jittered=raw.get("JitterStrategy", "NONE") == "FULL",
        )

    def delay(self, retries: int, flow: Flow) -> float:
        """Seconds until the next attempt, after so many by this Retrier."""
        longest = float(min(self.interval * self.rate**retries, self.longest))
        return flow.execution.kernel.random("jitter").uniform(0, longest) if self.jittered else longest


class Retrying(State):
    """A state that may have Retry and Catch."""

    FIELDS = frozenset({"Retry", "Catch"})

    def __init__(self, name: str, raw: Mapping[str, Any]) -> None:
        super().__init__(name, raw)
        self._retriers = [_Retrier.of(retrier) for retrier in raw.get("Retry", [])]
        unknown = {field for catcher in raw.get("Catch", []) for field in catcher} - _CATCHER
        if unknown:
            raise NotImplementedError(f"The simulation knows no {', '.join(sorted(unknown))} in a Catcher of {name}.")
        self._catchers = [
            (frozenset(catcher["ErrorEquals"]), str(catcher["Next"]), leaving(catcher))
            for catcher in raw.get("Catch", [])
        ]

    def attempt(self, flow: Flow) -> None:
        """Do it once and leave the state. Raises StateFailed."""
        raise NotImplementedError(self.kind)

    def run(self, flow: Flow) -> str | None:
        counts = [0] * len(self._retriers)
        while True:
            try:
                self.attempt(flow)
            except StateFailed as failure:
                number = self._retrier(failure, counts)
                if number is None:
                    return self._catch(flow, failure)
                flow.visited("retry", number=number, error=failure.error)
                flow.execution.kernel.sleep(self._retriers[number].delay(counts[number], flow))
                counts[number] += 1
                flow.progress = None
                flow.retries = sum(counts)
                flow.set_context()
            else:
                return self.next

    def _retrier(self, failure: StateFailed, counts: list[int]) -> int | None:
        """The first that takes the error, if it has an attempt left."""
        for number, retrier in enumerate(self._retriers):
            if takes(retrier.errors, failure.error):
                return number if counts[number] < retrier.attempts else None
        return None

    def _catch(self, flow: Flow, failure: StateFailed) -> str:
        for number, (errors, following, way) in enumerate(self._catchers):
            if takes(errors, failure.error):
                flow.visited("catch", number=number, error=failure.error)
                flow.leave(flow.names(errorOutput=failure.output), failure.output, way)
                return following
        if failure.error == DATA_LIMIT:
            # A redrive does all of the state again, also what succeeded.
            flow.progress = None
        raise failure


class Task(Retrying):
    FIELDS = Retrying.FIELDS | {"Resource", "Arguments", "TimeoutSeconds", "HeartbeatSeconds"}

    def __init__(self, name: str, raw: Mapping[str, Any]) -> None:
        super().__init__(name, raw)
        self._resource = resource_of(raw["Resource"])
        self._arguments = template(raw.get("Arguments"), "Arguments") if "Arguments" in raw else None
        self._limits = {
            field: template(raw[field], field) for field in ("TimeoutSeconds", "HeartbeatSeconds") if field in raw
        }

    def attempt(self, flow: Flow) -> None:
        token = None
        names = flow.names()
        if self._resource.endswith(_CALLBACK):
            token = flow.execution.new_token()
            names["context"] = {**flow.context, "Task": {"Token": token}}
        arguments = flow.value if self._arguments is None else self._arguments(flow.variables, names)
        limit_size(arguments, "task's arguments")
        limits = {
            field: whole_number(limit(flow.variables, names), field, least=1) for field, limit in self._limits.items()
        }
        request = TaskRequest(
            execution=flow.execution,
            state=self.name,
            resource=self._resource,
            arguments=arguments,
            token=token,
            retry=flow.retries,
        )
        names["result"] = result = Attempt(flow, request, limits).result()
        limit_size(result, "task's result")
        flow.leave(names, result, (self.output, self.assign))


def resource_of(arn: str) -> str:
    """The end of a resource's ARN: lambda:invoke."""
    _, found, resource = arn.partition(":::")
    if not found:
        raise NotImplementedError(f"The simulation knows no activities and no functions as a resource: {arn}")
    return resource


class Attempt:
    """One attempt of a task. What it asks for has a process of its own, which goes on when nobody waits any more.

    An answer to a token counts from its moment on, also while the function that passed the token on still runs.
    """

    def __init__(self, flow: Flow, request: TaskRequest, limits: Mapping[str, int]) -> None:
        self.closed = False
        """Whether there is nothing left to answer."""
        self._flow = flow
        self._kernel = flow.execution.kernel
        self._request = request
        self._limits = limits
        self._result: Any = None
        self._error: BaseException | None = None
        self._ticket: Any = None
        self._beat = self._kernel.now

    def result(self) -> Any:
        """Ask, and wait for the result. Raises StateFailed."""
        flow, request = self._flow, self._request
        flow.add("TaskScheduled", {"resource": request.resource})
        flow.add("TaskStarted")
        if request.token is not None:
            flow.execution.callbacks[request.token] = self
        elif ".sync" in request.resource:
            flow.add("TaskSubmitted")
        flow.abandon = self._abandon
        self._kernel.start(self._ask, name=f"{flow.execution.name}/{request.state}: {request.resource}")
        try:
            self._wait()
        except StateFailed as failure:
            timed_out = failure.error in (TIMEOUT, HEARTBEAT)
            flow.add("TaskTimedOut" if timed_out else "TaskFailed", failure.output)
            raise
        finally:
            # Unless the state is in another attempt already: one that was stopped and redriven at the same moment.
            if flow.abandon == self._abandon:
                flow.abandon = None
        flow.add("TaskSucceeded")
        return self._result

    def beat(self) -> None:
        self._beat = self._kernel.now

    def settle(self, result: Any = None, error: BaseException | None = None) -> None:
        """The first answer counts."""
        if not self.closed:
            self.closed, self._result, self._error = True, result, error
            # Not at once: whoever answers should not run the other's code on its own stack.
            self._kernel.later(0, self._ticket)

    def _ask(self) -> None:
        try:
            result = self._flow.execution.host.run_task(self._request)
        except TaskFailed as failure:
            self.settle(error=StateFailed(failure.error, failure.cause))
        except Exception as error:
            # A defect. What waits should end by it too.
            self.settle(error=error)
            raise
        else:
            if self._request.token is None:
                self.settle(result)
            elif not self.closed:
                self._flow.add("TaskSubmitted")

    def _wait(self) -> None:
        kernel = self._kernel
        ends = kernel.now + self._limits.get("TimeoutSeconds", inf)
        patience = self._limits.get("HeartbeatSeconds", inf)
        while True:
            self._ticket = kernel.current.ticket()
            error, moment = (TIMEOUT, ends) if ends <= self._beat + patience else (HEARTBEAT, self._beat + patience)
            if moment < inf:
                kernel.later(moment - kernel.now, self._ticket)
            kernel.current.give_way()
            if self.closed:
                break
            if kernel.now >= min(ends, self._beat + patience):
                self._abandon()
                raise StateFailed(error)
        if self._error is not None:
            raise self._error

    def _abandon(self) -> None:
        if not self.closed:
            self.closed = True
            self._flow.execution.host.abandoned(self._request)
