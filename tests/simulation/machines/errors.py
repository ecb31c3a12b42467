"""How a state fails, and which Retrier or Catcher takes it.

The names are of the Developer Guide, "Handling errors in Step Functions workflows".
"""

from __future__ import annotations

import json
from typing import Any

STATE_BYTES = 256 * 1024
"""Of input, arguments, result or output of a state."""

DATA_LIMIT = "States.DataLimitExceeded"
RUNTIME = "States.Runtime"
QUERY = "States.QueryEvaluationError"
TIMEOUT = "States.Timeout"
HEARTBEAT = "States.HeartbeatTimeout"
NO_CHOICE = "States.NoChoiceMatched"
READER = "States.ItemReaderFailed"
TOO_MANY_FAILED = "States.ExceedToleratedFailureThreshold"


class StateFailed(Exception):
    def __init__(self, error: str | None, cause: str | None = None) -> None:
        super().__init__(f"{error}: {cause}")
        self.error = error
        self.cause = cause

    @property
    def output(self) -> dict[str, Any]:
        """`$states.errorOutput`: without what nobody said."""
        told = {"Error": self.error, "Cause": self.cause}
        return {name: value for name, value in told.items() if value is not None}


def takes(names: frozenset[str], error: str | None) -> bool:
    """Whether ErrorEquals takes the error. Two errors are taken only by their own names."""
    if error in names:
        return True
    if error in (DATA_LIMIT, RUNTIME):
        return False
    if "States.ALL" in names:
        return True
    if error == HEARTBEAT:
        return TIMEOUT in names
    return "States.TaskFailed" in names and error != TIMEOUT


_as_text = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


def limit_size(value: Any, what: str) -> None:
    """Raise States.DataLimitExceeded for a JSON value over 256 KiB."""
    text = _as_text(value)
    # No character has more than four bytes.
    if len(text) * 4 > STATE_BYTES and len(text.encode()) > STATE_BYTES:
        raise StateFailed(
            DATA_LIMIT, f"The {what} has a size exceeding the maximum number of bytes service limit ({STATE_BYTES})."
        )
