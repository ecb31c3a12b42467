"""The first step of a promotion: which request it works on. Written once, so that it can be redriven."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from flywheel.promotions import requests
from flywheel.records import promotions
from flywheel.records.promotions import PromotionBeginning, PromotionMode, PromotionRequest, PromotionSource

if TYPE_CHECKING:
    from flywheel.pipeline import Pipeline
    from flywheel.store.bucket import IntakeBucket


def begin_promotion(
    *,
    promotion: str,
    mode: PromotionMode,
    now: datetime,
    pipeline: Pipeline,
) -> PromotionBeginning:
    """Choose the request to work on. Raises NotCurrentPromotion."""
    promotions.require_current(pipeline.intake, promotion)
    key = promotions.begin_key(promotion)
    beginning = pipeline.intake.read(key, PromotionBeginning)
    if beginning is None:
        found = _find(promotion, mode, now, pipeline)
        # A second invocation of the same execution may have been faster: what it wrote counts.
        beginning = (
            found if pipeline.intake.write_once(key, found) else pipeline.intake.require(key, PromotionBeginning)
        )
    return beginning


def _find(
    promotion: str,
    mode: PromotionMode,
    now: datetime,
    pipeline: Pipeline,
) -> PromotionBeginning:
    choice = requests.choose(requests.open_requests(pipeline.intake))
    if choice is None:
        return PromotionBeginning(promotion=promotion, began_at=now)
    request = choice.chosen
    active = pipeline.service.describe().active_model_arn
    by_turn = request.source is PromotionSource.TURN
    former, desired = pipeline.published.active(), pipeline.published.desired()
    if request.source is PromotionSource.PARAMETER and active is not None and active == former:
        # What the parameter says holds against whatever came through this door since it was edited, but not against
        # what somebody did past it.
        request = request.model_copy(update={"decided_against": active})
    elif active not in (request.decided_against, request.model_arn) and _was_taken_back(
        request, active, pipeline.intake
    ):
        # What is better than a model that was taken back is better than the one that came back for it.
        request = request.model_copy(update={"decided_against": active})
    return PromotionBeginning(
        promotion=promotion,
        began_at=now,
        request=request,
        former_model_arn=former if former != request.model_arn else pipeline.published.previous(),
        # A person's own wish is approved, and what is active already only has to be published.
        approval=mode is PromotionMode.APPROVAL and by_turn and active != request.model_arn,
        desired_version=desired.version if desired else None,
        superseded=tuple(older.id for older in choice.superseded),
    )


def _was_taken_back(request: PromotionRequest, active: str | None, intake: IntakeBucket) -> bool:
    """Whether `active` is there because what the request was decided against failed its smoke test since."""
    end = requests.taken_back(request.decided_against, intake=intake) if request.decided_against else None
    return end is not None and end.former_model_arn == active
