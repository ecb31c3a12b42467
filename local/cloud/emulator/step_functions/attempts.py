"""The attempts of an execution: which one a thread runs, until when it may run, and its end.

Time is counted as `execution_clock` says.
"""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NoReturn

from local.cloud.emulator.ministack import responses, stepfunctions, wait_scale
from local.cloud.emulator.step_functions import execution_clock, execution_events


class Superseded(Exception):
    """The execution was stopped, timed out or redriven; this thread of it has to end without a trace."""


@dataclass(kw_only=True)
class Attempt:
    """One run of an execution: the first, or a redrive. `ended` wakes what waits in it."""

    execution: dict[str, Any]
    role_arn: str
    clock: execution_clock.Clock
    deadline: float = float("inf")
    """When the machine's time is up, by the clock of the execution or of any branch of it."""
    ended: threading.Event = field(default_factory=threading.Event)
    _woken: list[threading.Event] = field(default_factory=list)

    def check(self) -> None:
        """Raise Superseded if this attempt has ended, which it does here if its time is up."""
        if self.ended.is_set():
            raise Superseded
        if self.remaining() <= 0:
            self.time_out()

    def remaining(self) -> float:
        """Seconds of the machine's time, as AWS counts them."""
        return self.deadline - execution_clock.clock().now()

    def time_out(self) -> NoReturn:
        self.end("TIMED_OUT")
        raise Superseded

    def end(
        self, status: str, *, output: str | None = None, error: str | None = None, cause: str | None = None
    ) -> bool:
        """Close the execution, unless it was closed already or goes on in another attempt."""
        execution = self.execution
        with changing:
            if self.ended.is_set() or execution["status"] != "RUNNING":
                return False
            for event in (self.ended, *self._woken):
                event.set()
            execution.update(status=status, stopDate=responses.now_iso(), output=output, error=error, cause=cause)
        # Not in this attempt's name: what has ended may add no event.
        token = _current.set(None)
        try:
            execution_events.add_end(stepfunctions._add_event, execution)
            stepfunctions._emit_execution_status_event(execution)
        finally:
            _current.reset(token)
        return True

    @contextmanager
    def waking(self, event: threading.Event) -> Iterator[None]:
        """Meanwhile, the end of the attempt sets this event too: for a thread that waits for something else besides."""
        self._woken.append(event)
        try:
            self.check()
            yield
        finally:
            self._woken.remove(event)


_current: contextvars.ContextVar[Attempt | None] = contextvars.ContextVar("attempt", default=None)
# Keyed by the execution's ARN, which no two accounts or Regions share.
_latest: dict[str, Attempt] = {}
changing = threading.RLock()
"""Held for each change of an execution's status."""


@contextmanager
def running(attempt: Attempt) -> Iterator[None]:
    """Meanwhile, this thread runs the attempt, which is the last one of its execution."""
    _latest[attempt.execution["executionArn"]] = attempt
    token = _current.set(attempt)
    try:
        yield
    finally:
        _current.reset(token)


def current() -> Attempt | None:
    """The attempt that this thread runs, None outside of an execution."""
    return _current.get()


def current_attempt() -> Attempt:
    """The attempt that this thread runs; there is one wherever a state is executed."""
    attempt = current()
    if attempt is None:
        raise LookupError("A state was executed outside of an execution.")
    return attempt


def current_role() -> str | None:
    """The role of the state machine that this thread runs, None outside of an execution."""
    attempt = current()
    return attempt.role_arn if attempt else None


def attempt_of(execution_arn: str) -> Attempt | None:
    """The last attempt of an execution, None before it has begun to run."""
    return _latest.get(execution_arn)


def wait(seconds: float, *, takes: float | None = None) -> None:
    """Wait `seconds`, shortened (or as long as it `takes`), or until the execution ends otherwise."""
    real = max(seconds * wait_scale() if takes is None else takes, 0)
    attempt = current()
    if attempt is None:
        time.sleep(real)
        return
    part = min(1.0, max(attempt.remaining(), 0) / seconds) if seconds > 0 else 1.0
    with execution_clock.clock().waiting(seconds * part, real=real * part):
        if attempt.ended.wait(real * part):
            raise Superseded
    if part < 1:
        attempt.time_out()
