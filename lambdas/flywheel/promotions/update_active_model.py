"""Changes the flywheel's active model, and puts the former model back. Nothing else in the pipeline does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from flywheel.faults.errors import PromotionRefused, ServiceBusy
from flywheel.faults.fault_names import INVALID, THROTTLES
from flywheel.faults.service_faults import error_code, error_message
from flywheel.promotions.check_model import require_not_replaced, require_same_active
from flywheel.promotions.requests import beginning_of, open_request_of
from flywheel.records.promotions import (
    MadeActive,
    PromotionBeginning,
    PromotionRequest,
    PromotionStatus,
    made_active_key,
    require_current,
)

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

    UpdateFlywheel has no compare-and-set, so the check comes right before it. Raises NotCurrentPromotion,
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


def put_back(*, promotion: str, intake: IntakeBucket, service: ActiveModelService) -> str | None:
    """Make the former model active again, and return the model that is active now.

    None if the flywheel had no other model: Comprehend cannot unset the active model. Raises as `update_active_model`.
    """
    require_current(intake, promotion)
    beginning = beginning_of(promotion, intake)
    request = open_request_of(promotion, intake)
    former = _former_model(request, beginning, service=service)
    active = service.describe().active_model_arn
    if former is not None and active == request.model_arn:
        intake.delete([made_active_key(request.id)])
        _set_active(former, service=service)
    elif active not in (former, request.model_arn):
        # Somebody made another model active meanwhile: it stays.
        return active
    return former


def _former_model(
    request: PromotionRequest, beginning: PromotionBeginning, *, service: ActiveModelService
) -> str | None:
    """The model that was active before the promotion, if this flywheel can have it: not one of a former generation,
    which belongs to another flywheel."""
    if request.decided_against not in (None, request.model_arn):
        return request.decided_against
    former = beginning.former_model_arn
    model = service.models.describe(former) if former and former != request.model_arn else None
    return model.arn if model and service.flywheel_of(model) in (None, service.arn) else None


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
