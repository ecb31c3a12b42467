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
    """Id of the oldest running or completed iteration that is newer than the last finished one.

    An iteration is finished when it has a decision and, if the decision is to promote, a promotion request. Failed and
    stopped iterations need no decision.
    """
    oldest = None
    for iteration in service.iterations():
        if _is_finished(intake, iteration.id):
            break
        if iteration.status.running or iteration.status is IterationStatus.COMPLETED:
            oldest = iteration.id
    return oldest


def _is_finished(intake: IntakeBucket, iteration_id: str) -> bool:
    decision = intake.read(decision_key(iteration_id), Decision)
    if decision is None:
        return False
    return decision.decision is not DecisionKind.PROMOTE or intake.exists(request_key(iteration_id))
