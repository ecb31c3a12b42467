"""Numbers, times and scores in words."""

from __future__ import annotations

from datetime import datetime

from flywheel.records.decisions import ModelScore
from flywheel.records.model_arn import short_name
from ops.tables.listing import Words, words


def count(number: int, one: str, many: str | None = None) -> str:
    """`1 document`, `2,000 documents`."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def moment(at: datetime | None) -> str:
    """In the reader's own time zone."""
    return at.astimezone().strftime("%Y-%m-%d %H:%M:%S") if at else "-"


def minute(at: datetime | None) -> str:
    """As `moment`, without the seconds."""
    return moment(at)[:16]


def score(model: ModelScore | None, metric: str) -> str:
    value = model.metrics.value(metric) if model else None
    return f"{value:.4f}" if value is not None else "-"


def model_words(model: ModelScore) -> Words:
    """Its name, and `F1Score 0.8812, Precision 0.8790, ... (this iteration)`, those scores that there are."""
    scores = model.metrics.sentence or "no score"
    return words(short_name(model.arn), f"{scores} ({model.source})")
