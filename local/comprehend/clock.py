"""The service's clock, replaceable so that a test can step through states."""

from __future__ import annotations

import time
from threading import Event
from typing import Protocol


class Clock(Protocol):
    def now(self) -> float:
        """Seconds since the epoch."""

    def wait_until(self, moment: float, *, stopped: Event) -> None:
        """Return when ``now() >= moment`` or as soon as ``stopped`` is set."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        return time.time()

    def wait_until(self, moment: float, *, stopped: Event) -> None:
        while (remaining := moment - time.time()) > 0:
            if stopped.wait(remaining):
                return
