"""Predictions of the real-time API that people are to look at."""

from __future__ import annotations

import hashlib
from datetime import datetime

from flywheel.store.record import Record

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


def low_confidence_key(record: LowConfidencePrediction) -> str:
    """The same for each repetition of a text on one day."""
    digest = hashlib.sha256(record.text.encode()).hexdigest()[:32]
    return f"{LOW_CONFIDENCE_PREFIX}{record.at:%Y-%m-%d}/{digest}.json"
