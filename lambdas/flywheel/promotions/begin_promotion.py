"""The first step of a promotion: chooses the request to work on, and writes it down so that a redrive keeps it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from flywheel.promotions import requests
from flywheel.records.promotions import (
    PromotionBeginning,
    PromotionMode,
    PromotionRequest,
    PromotionSource,
    begin_key,
    name_of,
    number_of,
    require_current,
)

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
    require_current(pipeline.intake, promotion)
    key = begin_key(promotion)
    beginning = pipeline.intake.read(key, PromotionBeginning)
    if beginning is None:
        found = _find(promotion, mode, now, pipeline)
        # Another invocation of this step may have been faster: then its choice counts.
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
    former, desired = pipeline.published.active(), pipeline.published.desired()
    if request.source is PromotionSource.PARAMETER and active is not None and active == former:
        # An edit of the parameter replaces any model that the pipeline has promoted since, but not one that was made
        # active outside the pipeline.
        request = request.model_copy(update={"decided_against": active})
    elif request.source is PromotionSource.ANNOUNCEMENT:
        # The other account compared the model with its own active one. Here it replaces whatever is active.
        against = _replaced_by_failed(request, promotion, intake=pipeline.intake)
        request = request.model_copy(update={"decided_against": against if active == request.model_arn else active})
    elif active not in (request.decided_against, request.model_arn) and _was_taken_back(
        request, active, pipeline.intake
    ):
        # The candidate was better than a model that has failed its smoke test since. So it is also better than the
        # former model, which is active again.
        request = request.model_copy(update={"decided_against": active})
    return PromotionBeginning(
        promotion=promotion,
        began_at=now,
        request=request,
        former_model_arn=former if former != request.model_arn else pipeline.published.previous(),
        # A model that is active already only has to be published.
        approval=mode is PromotionMode.APPROVAL and request.source.automatic and active != request.model_arn,
        desired_version=desired.version if desired else None,
        superseded=tuple(older.id for older in choice.superseded),
    )


def _replaced_by_failed(request: PromotionRequest, promotion: str, *, intake: IntakeBucket) -> str | None:
    """What was active before the model, if the promotion before this one failed after it had made the model active.
    Otherwise the model itself: it was active already."""
    before = intake.read(begin_key(name_of((number_of(promotion) or 1) - 1)), PromotionBeginning)
    if before is not None and before.request is not None and before.request.id == request.id:
        return before.request.decided_against
    return request.model_arn


def _was_taken_back(request: PromotionRequest, active: str | None, intake: IntakeBucket) -> bool:
    """Whether the model that the request was decided against failed its smoke test, and `active` was put back."""
    end = requests.smoke_test_failure_of(request.decided_against, intake=intake) if request.decided_against else None
    return end is not None and end.former_model_arn == active
