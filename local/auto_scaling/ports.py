"""What Application Auto Scaling needs of other services."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from local.comprehend.identifiers import Scope


class Comprehend(Protocol):
    """Amazon Comprehend as the service-linked role may use it: DescribeEndpoint and UpdateEndpoint."""

    def call(self, *, operation: str, request: dict[str, Any], account: str, region: str) -> dict[str, Any]:
        """Raises ComprehendError."""


class Alarms(Protocol):
    """CloudWatch's alarms of the account and Region of the target."""

    def put(self, *, scope: Scope, alarm: dict[str, Any]) -> None:
        """Create or replace an alarm: the request of PutMetricAlarm."""

    def delete(self, *, scope: Scope, names: Sequence[str]) -> None: ...
