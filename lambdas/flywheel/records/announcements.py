"""The events between accounts: what the account that trains tells those that may import (docs/interfaces.md).

Both sides read them with these classes. They never hold text of documents.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from flywheel.records.decisions import Metrics
from flywheel.store.record import Record
from flywheel.text.byte_limits import size_of

EVENT_SOURCE = "comprehend.flywheel"
MODEL_SHARED = "Model Shared"
MODEL_WITHDRAWN = "Model Withdrawn"
MOST_BYTES = 200 * 1024
"""Of a detail. EventBridge takes 256 KiB for an entry, and Step Functions as much for the state's data of a machine
that the event starts."""


class ModelShared(Record):
    """The detail of `Model Shared`: the version that is active in the source, which the receiver may import.

    It is repeated; `id` tells a repetition.
    """

    id: str
    flywheel: str
    """The setting `name` of the source."""
    account: str
    """The source's."""
    model: str
    """ARN of the version."""
    model_type: str
    mode: str | None = None
    """Of a document classifier."""
    language: str | None = None
    labels: tuple[str, ...] | None = None
    """A recognizer's entity types. None where they are not known, or too long."""
    shared_at: datetime
    """When this promotion was shared first: later is newer."""
    promotion: str
    turn: str | None = None
    iteration: str | None = None
    by: str
    reason: str
    scores: Metrics | None = None
    thresholds: dict[str, float] | None = None
    """Of a multi-label model, by label."""
    thresholds_left_out: bool = False
    """They are too many for an event: the receiver uses 0.5 for every label."""
    key_arn: str | None = None
    """The customer managed key under which the source has the model."""


class ModelWithdrawn(Record):
    """The detail of `Model Withdrawn`: the source went back to a version that it had shared before this one."""

    id: str
    flywheel: str
    account: str
    model: str
    """ARN of the withdrawn version: nobody can import it any more."""
    model_type: str
    withdrawn_at: datetime
    instead: str
    """The version that is active in the source now."""
    promotion: str
    by: str
    reason: str


def shared_id(promotion: str, model_arn: str) -> str:
    return f"{promotion}-{_digest(model_arn)}"


def withdrawn_id(promotion: str, model_arn: str) -> str:
    return f"withdrawn-{promotion}-{_digest(model_arn)}"


def _digest(model_arn: str) -> str:
    return hashlib.sha256(model_arn.encode()).hexdigest()[:8]


def fitted(shared: ModelShared) -> ModelShared:
    """The same within MOST_BYTES: first without its thresholds, then without its labels."""
    if _fits(shared):
        return shared
    if shared.thresholds:
        shared = shared.model_copy(update={"thresholds": None, "thresholds_left_out": True})
    return shared if _fits(shared) else shared.model_copy(update={"labels": None})


def _fits(shared: ModelShared) -> bool:
    return size_of(shared.model_dump_json()) <= MOST_BYTES
