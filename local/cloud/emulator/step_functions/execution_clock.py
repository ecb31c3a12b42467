"""The time that passes for an execution: what Step Functions waits is shortened, and counts in full.

A machine waits hours, and here a hundredth of that (SFN_WAIT_SCALE), while what a function does takes as long as it
takes. A budget of four hours would therefore be 144 s that functions must share, and run out on a busy machine though
nobody waited. So a budget is compared with this clock, which runs like any other and skips what a wait left out.
"""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from local.cloud.emulator.ministack import wait_scale


class Clock:
    """Seconds, like `time.monotonic`."""

    def __init__(self, *, skipped: float = 0.0) -> None:
        self._skipped = skipped
        self._wait: tuple[float, float, float] | None = None
        self._advancing = threading.Lock()

    def now(self) -> float:
        return time.monotonic() + self.skipped()

    def skipped(self) -> float:
        """Seconds that waits left out, the present one included as far as it has come."""
        with self._advancing:
            if self._wait is None:
                return self._skipped
            began, real, seconds = self._wait
            return self._skipped + (seconds - real) * min((time.monotonic() - began) / real, 1.0)

    def skip(self, seconds: float) -> None:
        with self._advancing:
            self._skipped += seconds

    @contextmanager
    def waiting(self, seconds: float, *, real: float) -> Iterator[None]:
        """While `seconds` are waited in `real` ones; however late the machine wakes who waits, no more count."""
        with self._advancing:
            self._wait = (time.monotonic(), real, seconds) if real > 0 else None
        try:
            yield
        finally:
            with self._advancing:
                self._wait = None
                self._skipped += seconds - real

    def catch_up(self, other: Clock) -> None:
        """With a branch that has ended: of branches side by side, the one that waited longest counts."""
        with self._advancing:
            self._skipped = max(self._skipped, other.skipped())


_clock: contextvars.ContextVar[Clock | None] = contextvars.ContextVar("clock", default=None)


def clock() -> Clock:
    """The clock of the execution, or of the branch of it, that this thread runs."""
    return _clock.get() or Clock()


@contextmanager
def waiting_for_somebody() -> Iterator[None]:
    """Who is as fast as all waiting is: a person, or a process that waits as well."""
    began = time.monotonic()
    try:
        yield
    finally:
        took = time.monotonic() - began
        clock().skip(took / (wait_scale() or 1) - took)


@contextmanager
def running() -> Iterator[Clock]:
    """A clock of its own for an execution."""
    own = Clock()
    token = _clock.set(own)
    try:
        yield own
    finally:
        _clock.reset(token)


@contextmanager
def branching() -> Iterator[None]:
    """A clock of its own for a branch of a Parallel or an iteration of a Map."""
    whole = clock()
    own = Clock(skipped=whole.skipped())
    token = _clock.set(own)
    try:
        yield
    finally:
        _clock.reset(token)
        whole.catch_up(own)
