"""A value of a CloudWatch metric. The wings define the metrics; docs/interfaces.md lists them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

NAMESPACE = "ComprehendFlywheel"
"""The CloudWatch namespace of all metrics."""


class Unit(StrEnum):
    """The units of CloudWatch that are used."""

    COUNT = "Count"
    SECONDS = "Seconds"
    NONE = "None"


@dataclass(frozen=True, kw_only=True)
class Measurement:
    name: str
    value: float
    unit: Unit = Unit.COUNT
    dimensions: dict[str, str] = field(default_factory=dict)
    """In addition to the flywheel's name."""
