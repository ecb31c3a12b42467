"""What somebody does at a moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.simulation.schedule.documents import File


@dataclass(frozen=True, kw_only=True)
class Act:
    """`at` is in seconds after the beginning. `chance`, from 0 to 1, chooses what only the moment shows, such as a
    model."""

    at: float
    kind: str
    chance: float = 0.0
    file: File | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    importing: bool = False
    """Where models are imported, not where they are trained."""

    def __str__(self) -> str:
        what = f" {self.file.key} ({len(self.file.documents)} documents)" if self.file else ""
        where = " where models are imported" if self.importing else ""
        return f"{self.kind}{where}{what}{f' {dict(self.detail)}' if self.detail else ''}"
