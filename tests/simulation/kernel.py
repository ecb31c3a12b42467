"""One clock and one order for everything that happens in a schedule; the seed decides both.

What runs beside something else is a `Process`, a greenlet: it gives way only where it asks the kernel to wait. So two
processes interleave exactly as the seed says, and a schedule replays exactly.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from contextvars import copy_context
from math import inf
from typing import Any, Generic, TypeVar

from greenlet import getcurrent, greenlet

T = TypeVar("T")

BEGINNING = 1_767_225_600.0
"""2026-01-01T00:00:00Z, in seconds since the epoch."""


class Stopped(BaseException):
    """Raised in a process that is killed, where it waits. Nothing that catches Exception catches it."""


class Kernel:
    """Runs what is due, in the order of time; what is due at the same moment in an order that the seed decides."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.now = BEGINNING
        self._streams: dict[str, random.Random] = {}
        self._due: list[tuple[float, float, int, Callable[[], None]]] = []
        self._count = 0
        self._next_order = self.random("order").random
        self._main = getcurrent()
        self._alive: dict[int, Process[Any]] = {}
        self.closed = False
        self._horizon = -inf
        self._unseen: Callable[[], bool] = lambda: False
        """Of the `run_until` that is under way."""
        self.failures: list[BaseException] = []
        """What processes raised that nobody joined."""

    def random(self, stream: str) -> random.Random:
        """The random numbers of one purpose: drawing more for one purpose does not change those of another."""
        if stream not in self._streams:
            self._streams[stream] = random.Random(f"{self.seed}/{stream}")
        return self._streams[stream]

    def later(self, seconds: float, action: Callable[[], None]) -> None:
        """Do something, which may not wait, after so many seconds."""
        self._count += 1
        moment = self.now + seconds if seconds > 0 else self.now
        heapq.heappush(self._due, (moment, self._next_order(), self._count, action))

    def start(self, run: Callable[[], T], *, name: str, after: float = 0.0) -> Process[T]:
        """Run something that may wait beside everything else. It sees a copy of the caller's context variables."""
        self._count += 1
        process = Process(self, run, name, number=self._count)
        self._alive[self._count] = process
        self.later(after, process.resume)
        return process

    def sleep(self, seconds: float) -> None:
        """Let the process that calls this go on so many seconds later. Raises Stopped when it is killed meanwhile."""
        if self.closed:
            raise Stopped("The schedule is over.")
        process = self.current
        moment = self.now + seconds if seconds > 0 else self.now
        if moment <= self._horizon and (not self._due or self._due[0][0] > moment) and not self._unseen():
            # Nothing happens until then, and nobody looks: to give way and to be resumed would be the same. It draws
            # what that draws. Of four sleeps three are so.
            self._count += 1
            self._next_order()
            self.now = moment
            process.goes_on()
            return
        self.later(seconds, process.ticket())
        process.give_way()

    @property
    def current(self) -> Process[Any]:
        """The process that calls this."""
        return getcurrent().process  # type: ignore[attr-defined,no-any-return]  # processes run in nothing but greenlets of ours

    @property
    def in_process(self) -> bool:
        return isinstance(getcurrent(), _Greenlet)

    @property
    def due(self) -> float | None:
        """When the next thing happens; None if nothing will."""
        return self._due[0][0] if self._due else None

    def step(self) -> None:
        """Do the next thing that is due."""
        self.now, _, _, action = heapq.heappop(self._due)
        action()

    def run_until(
        self, moment: float, *, unseen: Callable[[], bool] = lambda: False, look: Callable[[], object] = lambda: None
    ) -> None:
        """Do all that is due until then. After each thing that happens, `look` if there is something `unseen`."""
        due = self._due
        self._horizon, self._unseen = moment, unseen
        try:
            while due and due[0][0] <= moment:
                self.now, _, _, action = heapq.heappop(due)
                action()
                if unseen():
                    look()
        finally:
            self._horizon = -inf
        self.now = max(self.now, moment)

    def close(self) -> None:
        """End every process that still waits, so that nothing of this schedule goes on into another."""
        self.closed = True
        self._due.clear()
        for process in list(self._alive.values()):
            process.end()

    def forget(self, number: int) -> None:
        self._alive.pop(number, None)


class _Greenlet(greenlet):
    process: Process[Any]


class Process(Generic[T]):
    """`result` is there once it is `done`, unless it has an `error`."""

    def __init__(self, kernel: Kernel, run: Callable[[], T], name: str, *, number: int) -> None:
        self.name = name
        self.done = False
        self.result: T | None = None
        self.error: BaseException | None = None
        self.killed: BaseException | None = None
        """What ended it, for what it still tries to do in a `finally`: who is dead sends nothing any more."""
        self._kernel = kernel
        self._greenlet = _Greenlet(self._run, parent=kernel._main)
        self._greenlet.process = self
        self._greenlet.gr_context = copy_context()
        self._body = run
        self._number = number
        self._waiting = 0
        self._watchers: list[Callable[[], object]] = []
        self._killed: BaseException | None = None

    def _run(self) -> None:
        try:
            if self._killed is not None:
                raise self._killed
            self.result = self._body()
        except BaseException as error:  # noqa: BLE001 - whoever joins it looks at the error
            self.error = error
        self.done = True
        self._kernel.forget(self._number)
        watchers, self._watchers = self._watchers, []
        for tell in watchers:
            tell()
        if self.error is not None and not watchers and not isinstance(self.error, Stopped):
            self._kernel.failures.append(self.error)

    def resume(self) -> None:
        if not self.done:
            self._greenlet.switch()

    def end(self) -> None:
        """At once, also in the middle of what it does: only when the schedule is over."""
        if self._greenlet:
            self._greenlet.throw(Stopped("The schedule is over."))

    def ticket(self) -> Callable[[], None]:
        """Resumes the process, unless something else has done so before."""
        number = self._waiting

        def resume() -> None:
            if self._waiting == number and not self.done:
                self._greenlet.switch()

        return resume

    def goes_on(self) -> None:
        """It waits no more: tickets that were taken before are void."""
        self._waiting += 1

    def give_way(self) -> None:
        """Wait until somebody uses a ticket that was taken before. Raises Stopped, or what it is killed with."""
        self._kernel._main.switch()
        self.goes_on()
        if self._killed is not None:
            killed, self._killed = self._killed, None
            raise killed

    def when_done(self, tell: Callable[[], object]) -> None:
        """`tell` may not wait. It is called at once if the process is done."""
        if self.done:
            tell()
        else:
            self._watchers.append(tell)

    def join(self, *, at_most: float | None = None) -> bool:
        """From another process: wait until this one is done, or for so many seconds; whether it is done."""
        kernel = self._kernel
        if not self.done:
            ticket = kernel.current.ticket()
            # Not at once: whoever ends should not run the other's code on its own stack.
            self.when_done(lambda: kernel.later(0, ticket))
            if at_most is not None:
                kernel.later(at_most, ticket)
            kernel.current.give_way()
        return self.done

    def kill(self, error: BaseException | None = None) -> None:
        """End it where it waits: it is resumed there, later at this moment, by an exception."""
        if not self.done:
            self._killed = error or Stopped(f"{self.name} was stopped.")
            self._kernel.later(0, self.ticket())
