"""Records of documents that the real-time API classified with low confidence, stored for people's review."""

from __future__ import annotations

import hashlib
from datetime import datetime

from flywheel.store.record import Record

LOW_CONFIDENCE_PREFIX = "predictions/low-confidence/"


class ScoredLabel(Record):
    name: str
    score: float
    threshold: float | None = None
    """Of a multi-label model: it says yes from this score on."""


class ScoredEntity(Record):
    """Offsets as of `flywheel.spans.Span`."""

    type: str
    begin: int
    end: int
    score: float


class SightedModel(Record):
    """The model that the endpoint served at a moment."""

    model_arn: str | None
    at: datetime


class LowConfidencePrediction(Record):
    text: str
    multi_label: bool = False
    predictions: tuple[ScoredLabel, ...] = ()
    """Best first. Empty of a recognizer."""
    entities: tuple[ScoredEntity, ...] = ()
    """A recognizer's, in the order of the text."""
    confidence: float
    threshold: float
    endpoint_arn: str
    model_arn: str | None
    """The model that made the prediction; None if that is not certain. ClassifyDocument does not return it."""
    seen_before: SightedModel | None
    seen_after: SightedModel | None
    """The served model before and after the call. If they differ, either may have made the prediction."""
    at: datetime


def low_confidence_key(record: LowConfidencePrediction) -> str:
    """The same key for the same text on one day."""
    digest = hashlib.sha256(record.text.encode()).hexdigest()[:32]
    return f"{LOW_CONFIDENCE_PREFIX}{record.at:%Y-%m-%d}/{digest}.json"
