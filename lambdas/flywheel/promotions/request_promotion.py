"""What a turn does about a candidate that it decided to promote: it asks, and does not wait for the answer."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from flywheel.promotions import requests
from flywheel.records import promotions, turns
from flywheel.records.decisions import Decision, decision_key
from flywheel.records.promotions import PromotionMode, PromotionRequest, PromotionSource, PromotionStatus

if TYPE_CHECKING:
    from flywheel.store.bucket import IntakeBucket


def request_promotion(
    *, turn: str, iteration_id: str, mode: PromotionMode, intake: IntakeBucket, now: datetime
) -> PromotionRequest:
    """One request for each iteration, however often the step is repeated. Raises NotCurrentTurn.

    With PromotionMode NEVER the request has its end at once, unless the service made the candidate active by itself:
    then there is nothing left to people but to publish what is so.
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
    asked = intake.exists(promotions.request_key(request.id))
    if mode is PromotionMode.NEVER and decision.decided_against != candidate.arn and not asked:
        left = requests.as_promotion(
            request,
            status=PromotionStatus.LEFT_TO_PEOPLE,
            reason="PromotionMode is NEVER: `flywheel rollback --to` makes the model active.",
            at=now,
        )
        # First the end: a request without one is worked off.
        intake.write_once(promotions.end_key(request.id), left)
    intake.write_once(promotions.request_key(request.id), request)
    return intake.require(promotions.request_key(request.id), PromotionRequest)
