"""A new generation of the flywheel beside the former one's model, which serves until it is beaten."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flywheel.decisions.scores import decision_on
from flywheel.records.decisions import DecisionKind

if TYPE_CHECKING:
    from flywheel.store.bucket import IntakeBucket


def is_of_another_flywheel(model_arn: str | None, *, intake: IntakeBucket, flywheel_arn: str) -> bool:
    """Whether the pipeline trained the model in another generation than this one."""
    decision = decision_on(model_arn, intake=intake) if model_arn else None
    return decision is not None and decision.flywheel_arn != flywheel_arn


def was_active_before_it_was_kept(model_arn: str, *, intake: IntakeBucket) -> bool:
    """Whether the service had made a candidate active by itself that is not to serve (reference 14, question 2)."""
    decision = decision_on(model_arn, intake=intake)
    return decision is not None and decision.decision is DecisionKind.KEEP and decision.decided_against == model_arn
