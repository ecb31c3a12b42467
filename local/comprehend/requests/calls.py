"""A log of the calls the service answered, for tests that count them."""

from __future__ import annotations

from collections import deque
from threading import Lock
from typing import Any

from pydantic import BaseModel, ConfigDict

KEPT = 20_000


class Call(BaseModel):
    """``time`` in epoch seconds; ``outcome`` is ``ok`` or the error's code."""

    model_config = ConfigDict(frozen=True)

    time: float
    operation: str
    request: dict[str, Any]
    account: str
    region: str
    outcome: str


class CallLog:
    """The latest 20,000 calls, oldest first."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._calls: deque[Call] = deque(maxlen=KEPT)

    def add(self, call: Call) -> None:
        with self._lock:
            self._calls.append(call)

    def listed(self, *, operation: str | None = None) -> list[Call]:
        with self._lock:
            return [call for call in self._calls if operation in (None, call.operation)]

    def clear(self) -> None:
        with self._lock:
            self._calls.clear()
