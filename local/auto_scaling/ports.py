"""What Application Auto Scaling needs of other services."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol


class Comprehend(Protocol):
    """Amazon Comprehend as the service-linked role may use it: DescribeEndpoint and UpdateEndpoint."""

    def call(self, *, operation: str, request: dict[str, Any], account: str, region: str) -> dict[str, Any]:
        """Raises ComprehendError."""


class Alarms(Protocol):
    """CloudWatch's alarms of the account and Region of the target."""

    def put(self, *, account: str, region: str, alarm: dict[str, Any]) -> str:
        """Create or replace an alarm (the request of PutMetricAlarm) and return its ARN."""

    def delete(self, *, account: str, region: str, names: Sequence[str]) -> None: ...
