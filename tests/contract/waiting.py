"""Waiting for a condition, with a limit."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event
from typing import TypeVar

Value = TypeVar("Value")


def until(condition: Callable[[], Value], *, limit: float = 300.0) -> Value:
    """Ask until the answer is true, and return it; AssertionError after ``limit`` seconds of real time."""
    deadline = time.monotonic() + limit
    pause = 0.005
    while not (value := condition()):
        assert time.monotonic() < deadline, "waited too long"
        Event().wait(pause)
        pause = min(2 * pause, 0.2)
    return value
