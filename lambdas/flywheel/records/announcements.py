"""What a deployment that trains models tells those that import them: the details of two events (decision 022)."""

from __future__ import annotations

import hashlib
from datetime import datetime
from enum import StrEnum

from flywheel.records.decisions import Metrics
from flywheel.store.record import Record

EVENT_SOURCE = "comprehend.flywheel"


class AnnouncementType(StrEnum):
    """The detail-type of the event."""

    SHARED = "Model Shared"
    WITHDRAWN = "Model Withdrawn"


class Announcement(Record):
    id: str
    """An event is repeated until it arrives; who listens knows it by this."""
    flywheel: str
    """Name of the source's deployment."""
    account: str
    model: str
    """ARN of the model version."""
    model_type: str
    """Comprehend's ModelType."""
    promotion: str | None = None
    """Name of the source's promotion; None if the model was made active outside the pipeline."""
    by: str
    reason: str


class ModelShared(Announcement):
    """The version may be imported from now on."""

    shared_at: datetime
    """When this promotion of it was shared first. The later one is the newer model."""
    mode: str | None = None
    """Of a document classifier."""
    language: str | None = None
    labels: tuple[str, ...] | None = None
    """Labels, or entity types. None: too many to send."""
    turn: str | None = None
    iteration: str | None = None
    scores: Metrics | None = None
    """Of the model in the source's account."""
    thresholds: dict[str, float] | None = None
    """Of a multi-label model, by label. Without them its importers answer as if all were 0.5."""
    thresholds_left_out: bool = False
    """They are too many to send."""
    key_arn: str | None = None
    """The customer managed key that encrypts the version."""


class ModelWithdrawn(Announcement):
    """The source went back to another version: this one can be imported no more."""

    withdrawn_at: datetime
    instead: str
    """ARN of the version that is active in the source now."""


def announcement_id(word: str, model_arn: str) -> str:
    """`word` names what happened to the model, such as `promotion-000012`."""
    return f"{word}-{hashlib.sha256(model_arn.encode()).hexdigest()[:8]}"
