"""The current time. The domain does not read it, but gets it as a parameter."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    return datetime.now(tz=UTC)
