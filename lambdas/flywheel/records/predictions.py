"""Predictions of the real-time API whose text the deployment was asked to keep (parameter KeepPredictions); and their
keys."""

from __future__ import annotations

import hashlib
import re
from datetime import date, datetime

from flywheel.store.record import Record

PREDICTIONS = "predictions/"
_ID = re.compile(r"(\d{4})(\d{2})(\d{2})-([0-9a-f]{32})")


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


class Suggestion(Record):
    """What a model said of a text."""

    labels: tuple[str, ...] = ()
    """Those that it gave the document; of a recognizer its entities as `Span.label`."""
    multi_label: bool = False
    predictions: tuple[ScoredLabel, ...] = ()
    """Best first. Empty of a recognizer."""
    entities: tuple[ScoredEntity, ...] = ()
    """A recognizer's, in the order of the text."""
    confidence: float
    margin: float
    """From 0 (it could as well have said something else) to 1."""
    model_arn: str | None = None
    """None if it is not certain which model that was."""


class KeptPrediction(Record):
    text: str
    suggestion: Suggestion
    endpoint_arn: str
    seen_before: SightedModel | None
    seen_after: SightedModel | None
    """The served model before and after the call. If they differ, either may have made the prediction."""
    at: datetime


def text_digest(text: str) -> str:
    """32 hex digits: what a text is called in keys and ids."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:32]


def prediction_id(text: str, *, at: datetime) -> str:
    """The same for the same text on one day (UTC)."""
    return f"{at:%Y%m%d}-{text_digest(text)}"


def prediction_key(prediction: str) -> str:
    """Where the prediction with this id is kept. Raises ValueError if it is no id."""
    match = _ID.fullmatch(prediction)
    if match is None:
        raise ValueError(prediction)
    year, month, day, digest = match.groups()
    return f"{PREDICTIONS}{date(int(year), int(month), int(day)).isoformat()}/{digest}.json"
