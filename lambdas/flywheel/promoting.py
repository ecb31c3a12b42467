"""Makes a candidate the active model, as it was decided, and publishes it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from flywheel import turns
from flywheel.errors import ServiceBusy
from flywheel.intake import error_code
from flywheel.records import Decision, Promotion, PromotionStatus
from flywheel.undecided import decision_key, promotion_key

if TYPE_CHECKING:
    from flywheel.comprehend import FlywheelService
    from flywheel.intake import IntakeBucket
    from flywheel.published import PublishedModels

_REFUSALS = {"ResourceInUseException", "TooManyRequestsException", "InvalidRequestException"}
"""Which of them would refuse a promotion while an iteration runs is not documented (reference 14, question 6)."""


def promote(
    *,
    turn: str,
    iteration_id: str,
    intake: IntakeBucket,
    service: FlywheelService,
    published: PublishedModels,
    now: datetime,
) -> Promotion:
    """Update the flywheel unless its active model has changed since the decision, then publish.

    UpdateFlywheel has no compare-and-set, so the check comes right before it. Killed anywhere and repeated, the end
    is the same: an already active candidate is success and goes on to Parameter Store. Raises NotCurrentTurn.
    """
    turns.require_current(intake, turn)
    key = promotion_key(iteration_id)
    done = intake.read(key, Promotion)
    if done is not None:
        return done
    decision = intake.require(decision_key(iteration_id), Decision)
    if decision.candidate is None:
        raise ValueError(f"Iteration {iteration_id} trained no model: there is nothing to promote.")
    candidate = decision.candidate.arn
    status, reason = _make_active(service, decision, candidate)
    if status is not PromotionStatus.REFUSED:
        published.publish(candidate)
    promotion = Promotion(
        iteration_id=iteration_id,
        turn=turn,
        model_arn=candidate,
        former_model_arn=decision.active.arn if decision.active and decision.active.arn != candidate else None,
        status=status,
        reason=reason,
        at=now,
    )
    return promotion if intake.write_once(key, promotion) else intake.require(key, Promotion)


def _make_active(service: FlywheelService, decision: Decision, candidate: str) -> tuple[PromotionStatus, str]:
    active = service.describe().active_model_arn
    if active == candidate:
        if decision.decided_against == candidate:
            return PromotionStatus.ALREADY_ACTIVE, "The service had made the candidate active by itself."
        return PromotionStatus.PROMOTED, "The candidate is active."
    if active != decision.decided_against:
        return (
            PromotionStatus.REFUSED,
            (
                f"The active model is {active or 'none'}, but the decision was made against "
                f"{decision.decided_against or 'none'}: it was changed in between."
            ),
        )
    try:
        service.set_active_model(candidate)
    except ClientError as error:
        newest = next(service.iterations(), None)
        if error_code(error) in _REFUSALS and newest is not None and newest.status.running:
            raise ServiceBusy(f"Comprehend promotes no model while iteration {newest.id} runs.") from error
        raise
    return PromotionStatus.PROMOTED, "The candidate is active."
