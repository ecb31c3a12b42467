"""The endpoint in real time: classifies a text, and says which model it serves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from mypy_boto3_comprehend import ComprehendClient

    from flywheel.comprehend.model_kind import ModelKind, Prediction

UNAVAILABLE = frozenset({"ResourceUnavailableException", "ResourceNotFoundException"})
"""The endpoint does not exist, or is not in service yet."""


@dataclass(frozen=True, kw_only=True)
class EndpointSnapshot:
    """The state of the endpoint at a moment."""

    at: datetime
    status: str
    model_arn: str | None
    desired_model_arn: str | None
    inference_units: int | None


class LiveEndpoint:
    def __init__(
        self, *, comprehend: ComprehendClient, kind: ModelKind, arn: str, clock: Callable[[], datetime]
    ) -> None:
        self._comprehend = comprehend
        self._kind = kind
        self._clock = clock
        self.arn = arn

    @property
    def operation(self) -> str:
        """Comprehend's operation behind `classify`."""
        return self._kind.real_time.operation

    def classify(self, text: str) -> Prediction:
        """Raises ClientError (see UNAVAILABLE and `service_faults`), and FlywheelError for an answer that cannot be
        used."""
        return self._kind.detect(self._comprehend, endpoint_arn=self.arn, text=text)

    def look(self) -> EndpointSnapshot | None:
        """None if there is no endpoint. Raises ClientError."""
        try:
            answer = self._comprehend.describe_endpoint(EndpointArn=self.arn)
        except self._comprehend.exceptions.ResourceNotFoundException:
            return None
        properties = answer.get("EndpointProperties", {})
        return EndpointSnapshot(
            at=self._clock(),
            status=properties.get("Status", ""),
            model_arn=properties.get("ModelArn"),
            desired_model_arn=properties.get("DesiredModelArn"),
            inference_units=properties.get("CurrentInferenceUnits"),
        )
