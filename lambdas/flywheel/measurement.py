"""What is measured for dashboard and alarms; each wing says of what, docs/interfaces.md lists them all."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Unit(StrEnum):
    """CloudWatch's units, as far as they are needed."""

    COUNT = "Count"
    SECONDS = "Seconds"
    NONE = "None"


@dataclass(frozen=True, kw_only=True)
class Measurement:
    name: str
    value: float
    unit: Unit = Unit.COUNT
    dimensions: dict[str, str] = field(default_factory=dict)
    """Besides the flywheel's name."""
