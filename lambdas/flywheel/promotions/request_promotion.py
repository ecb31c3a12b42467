"""A turn's last step about a candidate to promote: writes a promotion request, and does not wait for the promotion."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from flywheel.promotions import requests
from flywheel.records import turns
from flywheel.records.decisions import Decision, decision_key
from flywheel.records.promotions import (
    PromotionMode,
    PromotionRequest,
    PromotionSource,
    PromotionStatus,
    end_key,
    request_key,
)

if TYPE_CHECKING:
    from flywheel.store.bucket import IntakeBucket


def request_promotion(
    *, turn: str, iteration_id: str, mode: PromotionMode, intake: IntakeBucket, now: datetime
) -> PromotionRequest:
    """Write one request for each iteration, however often the step is repeated. Raises NotCurrentTurn.

    With PromotionMode NEVER the request ends at once. But if Comprehend itself has made the candidate active, the
    request stays open, so that the model is published.
    """
    turns.require_current(intake, turn)
    decision = intake.require(decision_key(iteration_id), Decision)
    candidate = decision.candidate
    if candidate is None:
        raise ValueError(f"Iteration {iteration_id} trained no model: there is nothing to promote.")
    request = PromotionRequest(
        id=iteration_id,
        source=PromotionSource.TURN,
        model_arn=candidate.arn,
        flywheel_arn=decision.flywheel_arn,
        requested_at=now,
        by=turn,
        reason=" ".join(decision.reasons),
        decided_against=decision.decided_against,
        turn=turn,
        iteration_id=iteration_id,
        selection_metric=decision.selection_metric,
        score=candidate.metrics.value(decision.selection_metric),
    )
    requested = intake.exists(request_key(request.id))
    if mode is PromotionMode.NEVER and decision.decided_against != candidate.arn and not requested:
        left = requests.as_promotion(
            request,
            status=PromotionStatus.LEFT_TO_PEOPLE,
            reason="PromotionMode is NEVER: `flywheel rollback --to` makes the model active.",
            at=now,
        )
        # The end comes first: a request without an end would be promoted.
        intake.write_once(end_key(request.id), left)
    intake.write_once(request_key(request.id), request)
    return intake.require(request_key(request.id), PromotionRequest)
