"""Records of documents that were classified with low confidence, stored for people's review.

No other texts of callers are stored. A text is stored once a day, however often it is sent.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import TYPE_CHECKING

from flywheel.store.record import Record

if TYPE_CHECKING:
    from flywheel.comprehend.live_endpoint import EndpointSnapshot
    from flywheel.comprehend.model_kind import Prediction

LOW_CONFIDENCE_PREFIX = "predictions/low-confidence/"


class ScoredLabel(Record):
    name: str
    score: float


class SightedModel(Record):
    """The model that the endpoint served at a moment."""

    model_arn: str | None
    at: datetime


class LowConfidencePrediction(Record):
    text: str
    multi_label: bool
    predictions: tuple[ScoredLabel, ...]
    """Best first."""
    confidence: float
    threshold: float
    endpoint_arn: str
    model_arn: str | None
    """The model that made the prediction; None if that is not certain. ClassifyDocument does not return it."""
    seen_before: SightedModel | None
    seen_after: SightedModel | None
    """The served model before and after the call. If they differ, either may have made the prediction."""
    at: datetime


def key_of(record: LowConfidencePrediction) -> str:
    """The same key for the same text on one day."""
    digest = hashlib.sha256(record.text.encode()).hexdigest()[:32]
    return f"{LOW_CONFIDENCE_PREFIX}{record.at:%Y-%m-%d}/{digest}.json"


def record_of(
    text: str,
    prediction: Prediction,
    *,
    threshold: float,
    endpoint_arn: str,
    before: EndpointSnapshot | None,
    after: EndpointSnapshot | None,
    at: datetime,
) -> LowConfidencePrediction:
    """`before` and `after` are the states of the endpoint before and after the call."""
    certain = before is not None and after is not None and before.model_arn == after.model_arn
    return LowConfidencePrediction(
        text=text,
        multi_label=prediction.multi_label,
        predictions=tuple(ScoredLabel(name=name, score=score) for name, score in prediction.scores),
        confidence=prediction.confidence,
        threshold=threshold,
        endpoint_arn=endpoint_arn,
        model_arn=after.model_arn if after is not None and certain else None,
        seen_before=SightedModel(model_arn=before.model_arn, at=before.at) if before else None,
        seen_after=SightedModel(model_arn=after.model_arn, at=after.at) if after else None,
        at=at,
    )
