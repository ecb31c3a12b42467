"""Documents that the model was not sure about, kept for people to look at.

They are the only ones of callers' texts that are kept, each once a day however often it is sent.
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
    """Which model the endpoint said it served."""

    model_arn: str | None
    at: datetime


class LowConfidencePrediction(Record):
    text: str
    multi_label: bool
    predictions: tuple[ScoredLabel, ...]
    """The best first."""
    confidence: float
    threshold: float
    endpoint_arn: str
    model_arn: str | None
    """The model that made the prediction. None if that is not certain: an answer of Comprehend does not say it."""
    seen_before: SightedModel | None
    seen_after: SightedModel | None
    """What the endpoint served before and after it answered; if they differ, it may have been either of them."""
    at: datetime


def key_of(record: LowConfidencePrediction) -> str:
    """The same for each repetition of a text on one day."""
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
    """`before` and `after` are sightings of the endpoint on either side of the moment at which it answered."""
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
