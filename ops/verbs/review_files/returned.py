"""What comes back from an annotation tool."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Returned:
    item: str
    """Its id."""
    text: str
    where: str
    """It is in the file, for messages."""
    line: str | None
    """The answer as a line of an upload; None if nobody answered."""
