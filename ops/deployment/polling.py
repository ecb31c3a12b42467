"""Looking again and again until something has happened."""

from __future__ import annotations

import time
from collections.abc import Iterator


def looks(*, timeout_seconds: float, poll_seconds: float) -> Iterator[None]:
    """Yields at once and then every `poll_seconds`; ends when `timeout_seconds` have passed, after a last look."""
    deadline = time.monotonic() + timeout_seconds
    yield
    while time.monotonic() < deadline:
        time.sleep(poll_seconds)
        yield
