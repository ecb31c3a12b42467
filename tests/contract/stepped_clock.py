"""A clock that stands still until a test moves it."""

from __future__ import annotations

from threading import Condition, Event

START = 1_795_000_000.25


class SteppedClock:
    """Starts at ``START`` (seconds since the epoch) and moves only by :meth:`advance`."""

    def __init__(self) -> None:
        self._now = START
        self._moved = Condition()
        self._lingers = 0.0

    def now(self) -> float:
        if self._lingers:
            Event().wait(self._lingers)
        return self._now

    def linger(self) -> None:
        """Take a while to tell the time from now on: calls that are not kept apart get in each other's way."""
        self._lingers = 0.005

    def advance(self, seconds: float) -> None:
        with self._moved:
            self._now += seconds
            self._moved.notify_all()

    def wait_until(self, moment: float, *, stopped: Event) -> None:
        with self._moved:
            # The short limit is for the end of a test only: nobody moves the clock for it.
            while self._now < moment and not stopped.is_set():
                self._moved.wait(timeout=0.05)
