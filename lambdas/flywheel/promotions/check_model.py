"""Refuses a model that cannot or must not become the active one, before anybody is asked."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from flywheel.comprehend.flywheel import FOUND_WITHIN
from flywheel.errors import PromotionRefused, ServiceBusy
from flywheel.model_arn import ModelArn
from flywheel.promotions import requests
from flywheel.promotions.requests import beginning_of, open_request_of, superseded_by
from flywheel.records import promotions
from flywheel.records.promotions import PromotionBeginning, PromotionRequest, PromotionSource, PromotionStatus

if TYPE_CHECKING:
    from flywheel.comprehend.flywheel import FlywheelService, FlywheelState
    from flywheel.store.bucket import IntakeBucket


def _end_superseded(beginning: PromotionBeginning, *, intake: IntakeBucket, now: datetime) -> None:
    if beginning.request is None:
        return
    for request_id in beginning.superseded:
        older = intake.require(promotions.request_key(request_id), PromotionRequest)
        end = requests.as_promotion(
            older,
            status=PromotionStatus.SUPERSEDED,
            reason=superseded_by(beginning.request),
            at=now,
        )
        intake.write_once(promotions.end_key(request_id), end)


def check_model(*, promotion: str, intake: IntakeBucket, service: FlywheelService, now: datetime) -> str | None:
    """Refuse what cannot or must not become active, before anybody is asked and before it supersedes anything.

    Returns what Comprehend says about a model that is TRAINED_WITH_WARNING. Raises NotCurrentPromotion and
    PromotionRefused.
    """
    promotions.require_current(intake, promotion)
    beginning = beginning_of(promotion, intake)
    warning = require_fit(open_request_of(promotion, intake), flywheel=service.describe(), service=service, now=now)
    _end_superseded(beginning, intake=intake, now=now)
    return warning


def require_fit(
    request: PromotionRequest, *, flywheel: FlywheelState, service: FlywheelService, now: datetime
) -> str | None:
    """Raise PromotionRefused unless the model can become active; returns Comprehend's warning about it.

    Raises ServiceBusy for a turn's own candidate that does not show yet.
    """
    require_same_active(request, flywheel)
    if flywheel.active_model_arn == request.model_arn:
        return None
    if not _is_model_beside(service, request.model_arn):
        raise PromotionRefused(
            f"{request.model_arn!r} is not the ARN of a {service.kind.words} in the flywheel's account and Region: "
            "`flywheel models` lists what there is."
        )
    model = service.models.describe(request.model_arn)
    if model is None and request.source is PromotionSource.TURN and now - request.requested_at < FOUND_WITHIN:
        raise ServiceBusy(f"Comprehend does not show {request.model_arn} yet, which this turn's iteration trained.")
    if model is None:
        raise PromotionRefused(f"{request.model_arn} does not exist any more: `flywheel models` lists what there is.")
    if not model.trained:
        raise PromotionRefused(f"{request.model_arn} is {model.status}: only a trained model can be active.")
    mode = flywheel.task.mode
    if model.mode not in (None, mode):
        raise PromotionRefused(f"{request.model_arn} is a {model.mode} model, but the flywheel is {mode}.")
    if flywheel.language and model.language not in (None, flywheel.language):
        raise PromotionRefused(
            f"The language of {request.model_arn} is {model.language}, that of the flywheel is {flywheel.language}."
        )
    return model.warning


def _is_model_beside(service: FlywheelService, model_arn: str) -> bool:
    """Whether it names a model of the flywheel's kind in its account and Region."""
    found = ModelArn.parse(model_arn)
    place = service.arn.rpartition(":")[0]
    return found is not None and (found.place, found.resource) == (place, service.kind.arn_resource)


def require_same_active(request: PromotionRequest, flywheel: FlywheelState) -> None:
    active = flywheel.active_model_arn
    if request.flywheel_arn != flywheel.arn:
        raise PromotionRefused(f"This was decided for {request.flywheel_arn}, which {flywheel.arn} has replaced.")
    if active not in (request.decided_against, request.model_arn):
        raise PromotionRefused(
            f"The active model is {active or 'none'}, but this was decided against "
            f"{request.decided_against or 'none'}: it was changed in between."
        )
