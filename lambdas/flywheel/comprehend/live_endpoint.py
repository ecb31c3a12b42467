"""The endpoint that answers in real time: what it says about a text, and which model it serves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flywheel.evaluation.confidence import confidence_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from mypy_boto3_comprehend import ComprehendClient

MOST_TEXT_BYTES = 10 * 1024
"""Of one document, in UTF-8 (reference 2.9)."""
UNAVAILABLE = frozenset({"ResourceUnavailableException", "ResourceNotFoundException"})
"""There is no such endpoint, or it does not answer yet."""


@dataclass(frozen=True, kw_only=True)
class Prediction:
    scores: tuple[tuple[str, float], ...]
    """Label and score, the best first; of a multi-label model all labels."""
    multi_label: bool

    @property
    def confidence(self) -> float:
        return confidence_of(self.scores, multi_label=self.multi_label)


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """What the endpoint was at a moment."""

    at: datetime
    status: str
    model_arn: str | None
    desired_model_arn: str | None
    inference_units: int | None


def prediction_of(answer: Any) -> Prediction:
    """What ClassifyDocument answered."""
    multi_label = "Labels" in answer
    found = answer["Labels"] if multi_label else answer.get("Classes", [])
    # The order is not documented.
    scores = ((item["Name"], item["Score"]) for item in found if "Name" in item and "Score" in item)
    return Prediction(scores=tuple(sorted(scores, key=lambda item: -item[1])), multi_label=multi_label)


class LiveEndpoint:
    def __init__(self, *, comprehend: ComprehendClient, arn: str, clock: Callable[[], datetime]) -> None:
        self._comprehend = comprehend
        self._clock = clock
        self.arn = arn

    def classify(self, text: str) -> Prediction:
        """Raises ClientError; see UNAVAILABLE and `service_faults`."""
        answer: Any = self._comprehend.classify_document(EndpointArn=self.arn, Text=text)
        return prediction_of(answer)

    def look(self) -> Sighting | None:
        """None if there is no endpoint. Raises ClientError."""
        try:
            answer = self._comprehend.describe_endpoint(EndpointArn=self.arn)
        except self._comprehend.exceptions.ResourceNotFoundException:
            return None
        properties = answer.get("EndpointProperties", {})
        return Sighting(
            at=self._clock(),
            status=properties.get("Status", ""),
            model_arn=properties.get("ModelArn"),
            desired_model_arn=properties.get("DesiredModelArn"),
            inference_units=properties.get("CurrentInferenceUnits"),
        )
