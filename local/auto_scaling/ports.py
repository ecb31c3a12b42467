"""What Application Auto Scaling needs of other services."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, kw_only=True)
class EndpointUnits:
    """``in_service``: only then the endpoint can be scaled."""

    desired: int
    current: int | None
    in_service: bool


class ScalingRefused(Exception):
    """The endpoint cannot be scaled now; the text is the service's error."""


class Endpoints(Protocol):
    def units(self, *, endpoint_arn: str, account: str, region: str) -> EndpointUnits | None:
        """None when there is no such endpoint."""

    def scale(self, *, endpoint_arn: str, units: int, account: str, region: str) -> None:
        """Raises ScalingRefused."""


class Alarms(Protocol):
    """CloudWatch's alarms of the account and Region of the target."""

    def put(self, *, account: str, region: str, alarm: dict[str, Any]) -> str:
        """Create or replace an alarm (the request of PutMetricAlarm) and return its ARN."""

    def delete(self, *, account: str, region: str, names: Sequence[str]) -> None: ...
