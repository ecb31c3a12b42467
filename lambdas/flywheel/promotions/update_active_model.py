"""Changes the flywheel's active model, and puts the former model back. Nothing else in the pipeline does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from flywheel.faults.errors import PromotionRefused, ServiceBusy
from flywheel.faults.fault_names import INVALID, THROTTLES
from flywheel.faults.service_faults import error_code, error_message
from flywheel.promotions.check_model import require_not_replaced, require_same_active
from flywheel.promotions.requests import beginning_of, open_request_of
from flywheel.records.promotions import (
    MadeActive,
    PromotionStatus,
    made_active_key,
    require_current,
)
from flywheel.records.serving import failed_smoke_test_of

if TYPE_CHECKING:
    from datetime import datetime

    from flywheel.comprehend.active_model import ActiveModelService
    from flywheel.store.bucket import IntakeBucket

_BUSY = INVALID | THROTTLES | {"ResourceInUseException"}
"""Errors that may mean that an iteration runs. Comprehend's documentation does not say which one it is (reference 14,
question 6)."""
_REFUSALS = INVALID | {"ResourceNotFoundException", "ResourceUnavailableException"}


def update_active_model(
    *, promotion: str, intake: IntakeBucket, service: ActiveModelService, now: datetime
) -> PromotionStatus:
    """Make the requested model active, unless the active model has changed since the request.

    UpdateFlywheel has no compare-and-set, so the caller must hold the lease at LEASE_KEY. Raises NotCurrentPromotion,
    PromotionRefused, and ServiceBusy while a running iteration prevents the update.
    """
    require_current(intake, promotion)
    request = open_request_of(promotion, intake)
    flywheel = service.describe()
    if flywheel.active_model_arn == request.model_arn:
        # If it was not active at the time of the request, this promotion made it active before it was killed.
        by_this_promotion = request.decided_against != request.model_arn
        if not by_this_promotion:
            return PromotionStatus.ALREADY_ACTIVE
    else:
        require_same_active(request, flywheel)
        require_not_replaced(request, flywheel, intake=intake, now=now)
        _set_active(request.model_arn, service=service)
    intake.write_once(made_active_key(request.id), MadeActive(promotion=promotion, at=now))
    return PromotionStatus.PROMOTED


@dataclass(frozen=True, kw_only=True)
class PutBack:
    model_arn: str | None
    """The model that is active instead of the promoted one; None if no other could be made active: Comprehend cannot
    unset the active model."""
    why_none: str | None = None


def put_back(*, promotion: str, intake: IntakeBucket, service: ActiveModelService) -> PutBack:
    """Make the former model active again, unless somebody has made another one active. Raises as `update_active_model`.

    The former model is the one that the promotion replaced, or, if that is gone or failed its own smoke test, the one
    that was published.
    """
    require_current(intake, promotion)
    beginning = beginning_of(promotion, intake)
    request = open_request_of(promotion, intake)
    active = service.describe().active_model_arn
    if active != request.model_arn:
        return PutBack(model_arn=active)
    usable, why_none = [], "There was no former model: no endpoint serves it."
    for arn in dict.fromkeys((request.decided_against, beginning.former_model_arn)):
        if arn is None or arn == request.model_arn:
            continue
        model = service.models.describe(arn)
        if model is None:
            why_none = f"{arn} does not exist any more: no endpoint serves the new model."
        elif arn != request.decided_against and service.flywheel_of(model) not in (None, service.arn):
            why_none = f"{arn}, of a former generation, serves on."
        else:
            usable.append(model.arn)
    if not usable:
        return PutBack(model_arn=None, why_none=why_none)
    former = next((arn for arn in usable if failed_smoke_test_of(arn, intake=intake) is None), usable[0])
    intake.delete([made_active_key(request.id)])
    try:
        _set_active(former, service=service)
    except PromotionRefused as refusal:
        return PutBack(model_arn=None, why_none=f"{refusal} No endpoint serves the new model.")
    return PutBack(model_arn=former)


def _set_active(model_arn: str, *, service: ActiveModelService) -> None:
    try:
        service.set_active_model(model_arn)
    except ClientError as error:
        blocked_by = service.blocked_by() if error_code(error) in _BUSY else None
        if blocked_by is not None:
            raise ServiceBusy(f"Comprehend promotes no model while {blocked_by}.") from error
        if error_code(error) in _REFUSALS:
            raise PromotionRefused(f"Comprehend refuses {model_arn}: {error_message(error)}") from error
        raise
    if service.describe().active_model_arn != model_arn:
        # The next steps read the active model, and would wait for the endpoint to serve the former one.
        raise ServiceBusy(f"Comprehend does not say yet that {model_arn} is active.")
