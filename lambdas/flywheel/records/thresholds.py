"""Records of the thresholds from which on a multi-label model says yes to a label; and their keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flywheel.confidence import NO_THRESHOLDS
from flywheel.records.holdouts import readable
from flywheel.store.record import Record

if TYPE_CHECKING:
    from flywheel.confidence import Thresholds
    from flywheel.store.bucket import IntakeBucket


class ModelThresholds(Record):
    """`models/<model>/thresholds.json`. Written once, before the decision on the model, and never changed: whoever
    knows the model can rely on them. A model without one was never compared on a hold-out, or is not multi-label."""

    model_arn: str
    holdout_id: str | None
    """The hold-out on which they were chosen. None: the deployment that trained the model shared them with it."""
    thresholds: dict[str, float]
    """By label, from 0 to 1. For every label that the flywheel had."""
    too_few: tuple[str, ...] = ()
    """Labels that fewer than LEAST_SUPPORT of its documents carry: they keep 0.5."""


def thresholds_key(model_arn: str) -> str:
    return f"models/{readable(model_arn)}/thresholds.json"


def thresholds_of(model_arn: str, *, intake: IntakeBucket) -> Thresholds:
    """Those with which the model answers, for whoever needs its labels: the API, analysis jobs, smoke tests."""
    found = intake.read(thresholds_key(model_arn), ModelThresholds)
    return found.thresholds if found else NO_THRESHOLDS
