"""Refuses a model that cannot or must not become the active one, before people are asked for approval."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from flywheel.comprehend.flywheel import FOUND_WITHIN
from flywheel.faults.errors import PromotionRefused, ServiceBusy, SmokeTestFailed
from flywheel.promotions.requests import (
    as_promotion,
    beginning_of,
    failed_smoke_test,
    open_request_of,
    superseded_by,
)
from flywheel.records.model_arn import ModelArn
from flywheel.records.promotions import (
    MadeActive,
    PromotionBeginning,
    PromotionRequest,
    PromotionSource,
    PromotionStatus,
    end_key,
    made_active_key,
    request_key,
    require_current,
)

if TYPE_CHECKING:
    from flywheel.comprehend.active_model import ActiveModelService, ActiveModelState
    from flywheel.store.bucket import IntakeBucket


def check_model(*, promotion: str, intake: IntakeBucket, service: ActiveModelService, now: datetime) -> str | None:
    """Check the requested model, then end the requests that it supersedes.

    Returns Comprehend's message about a model that is TRAINED_WITH_WARNING. Raises NotCurrentPromotion,
    PromotionRefused, ServiceBusy, and SmokeTestFailed: the model must not become active again, nor stay so.
    """
    require_current(intake, promotion)
    beginning = beginning_of(promotion, intake)
    request, flywheel = open_request_of(promotion, intake), service.describe()
    # An earlier promotion of the request was stopped before it could report that.
    failed = failed_smoke_test(request, intake=intake)
    if failed is not None:
        raise SmokeTestFailed(failed.sentence)
    require_not_replaced(request, flywheel, intake=intake, now=now)
    warning = require_fit(request, flywheel=flywheel, service=service, now=now)
    _end_superseded(beginning, active=flywheel.active_model_arn, intake=intake, now=now)
    return warning


def require_fit(
    request: PromotionRequest, *, flywheel: ActiveModelState, service: ActiveModelService, now: datetime
) -> str | None:
    """Raise PromotionRefused unless the model can become active. Returns Comprehend's warning about the model.

    Raises ServiceBusy while Comprehend does not list a candidate that a turn has just trained.
    """
    require_same_active(request, flywheel)
    if flywheel.active_model_arn == request.model_arn:
        return None
    if not _names_usable_model(service, request.model_arn):
        raise PromotionRefused(
            f"{request.model_arn!r} is not the ARN of a {service.kind.words} in this account and Region: "
            "`flywheel models` lists what there is."
        )
    model = service.models.describe(request.model_arn)
    if model is None and request.source is PromotionSource.TURN and now - request.requested_at < FOUND_WITHIN:
        raise ServiceBusy(f"Comprehend does not show {request.model_arn} yet, which this turn's iteration trained.")
    if model is None:
        raise PromotionRefused(f"{request.model_arn} does not exist any more: `flywheel models` lists what there is.")
    if not model.trained:
        raise PromotionRefused(f"{request.model_arn} is {model.status}: only a trained model can be active.")
    mode = flywheel.task.mode if flywheel.task else None
    if mode and model.mode not in (None, mode):
        raise PromotionRefused(f"{request.model_arn} is a {model.mode} model, but the flywheel is {mode}.")
    if flywheel.language and model.language not in (None, flywheel.language):
        raise PromotionRefused(
            f"The language of {request.model_arn} is {model.language}, that of the flywheel is {flywheel.language}."
        )
    return model.warning


def require_same_active(request: PromotionRequest, flywheel: ActiveModelState) -> None:
    """Raise PromotionRefused if the flywheel or its active model has changed since the request was decided."""
    active = flywheel.active_model_arn
    if request.flywheel_arn != flywheel.arn:
        raise PromotionRefused(f"This was decided for {request.flywheel_arn}, which {flywheel.arn} has replaced.")
    if active not in (request.decided_against, request.model_arn):
        raise PromotionRefused(
            f"The active model is {active or 'none'}, but this was decided against "
            f"{request.decided_against or 'none'}: it was changed in between."
        )


def require_not_replaced(
    request: PromotionRequest, flywheel: ActiveModelState, *, intake: IntakeBucket, now: datetime
) -> None:
    """Raise PromotionRefused if the model was active already and somebody has made the former one active again.

    Raises ServiceBusy while Comprehend may still show what was before.
    """
    active = flywheel.active_model_arn
    if active == request.model_arn or active != request.decided_against:
        return
    made = intake.read(made_active_key(request.id), MadeActive)
    if made is None:
        return
    if now - made.at < FOUND_WITHIN:
        raise ServiceBusy(f"Comprehend does not say yet that {request.model_arn} is active.")
    raise PromotionRefused(
        f"{made.promotion} made {request.model_arn} active at {made.at:%Y-%m-%d %H:%M} UTC, and somebody has put "
        f"{active or 'no model'} back since."
    )


def _names_usable_model(service: ActiveModelService, model_arn: str) -> bool:
    """Whether the ARN names a model of the deployment's kind in its account and Region."""
    found = ModelArn.parse(model_arn)
    return found is not None and (found.place, found.resource) == (service.place, service.kind.arn_resource)


def _end_superseded(beginning: PromotionBeginning, *, active: str | None, intake: IntakeBucket, now: datetime) -> None:
    if beginning.request is None:
        return
    for request_id in beginning.superseded:
        older = intake.require(request_key(request_id), PromotionRequest)
        # One that could not report that its model failed: that must not be taken for a good model afterwards.
        failed = failed_smoke_test(older, intake=intake)
        end = as_promotion(
            older,
            status=PromotionStatus.SUPERSEDED if failed is None else PromotionStatus.SMOKE_TEST_FAILED,
            reason=superseded_by(beginning.request) if failed is None else failed.sentence,
            at=now,
            stays_active=failed is not None and older.model_arn == active,
        )
        intake.write_once(end_key(request_id), end)
