"""Finds the iteration that still needs a decision or a promotion, whoever started it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flywheel.comprehend.flywheel import IterationStatus
from flywheel.records.decisions import Decision, DecisionKind, decision_key
from flywheel.records.promotions import request_key

if TYPE_CHECKING:
    from flywheel.comprehend.flywheel import FlywheelService
    from flywheel.store.bucket import IntakeBucket


def unfinished_iteration(intake: IntakeBucket, service: FlywheelService) -> str | None:
    """The oldest iteration, running or completed, that is newer than every settled one and not settled itself.

    Settled: decided, and its promotion requested where the decision says so. A failed or stopped iteration has nothing
    to decide.
    """
    oldest = None
    for iteration in service.iterations():
        if _settled(intake, iteration.id):
            break
        if iteration.status.running or iteration.status is IterationStatus.COMPLETED:
            oldest = iteration.id
    return oldest


def _settled(intake: IntakeBucket, iteration_id: str) -> bool:
    decision = intake.read(decision_key(iteration_id), Decision)
    if decision is None:
        return False
    return decision.decision is not DecisionKind.PROMOTE or intake.exists(request_key(iteration_id))
