"""The step that changes the flywheel's active model, and the one that puts the former model back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from flywheel.errors import PromotionRefused, ServiceBusy
from flywheel.fault_names import INVALID, THROTTLES
from flywheel.promotions.check_model import require_same_active
from flywheel.promotions.requests import beginning_of, open_request_of
from flywheel.records import promotions
from flywheel.records.promotions import PromotionBeginning, PromotionRequest, PromotionStatus
from flywheel.service_faults import error_code, error_message

if TYPE_CHECKING:
    from flywheel.comprehend.flywheel import FlywheelService
    from flywheel.store.bucket import IntakeBucket


_BUSY = INVALID | THROTTLES | {"ResourceInUseException"}
"""Which of them would refuse a promotion while an iteration runs is not documented (reference 14, question 6)."""


_REFUSALS = INVALID | {"ResourceNotFoundException", "ResourceUnavailableException"}


def update_active_model(*, promotion: str, intake: IntakeBucket, service: FlywheelService) -> PromotionStatus:
    """Update the flywheel unless its active model has changed since the wish.

    UpdateFlywheel has no compare-and-set, so the check comes right before it. Raises NotCurrentPromotion,
    PromotionRefused, and ServiceBusy while an iteration does not let it.
    """
    promotions.require_current(intake, promotion)
    request = open_request_of(promotion, intake)
    flywheel = service.describe()
    if flywheel.active_model_arn == request.model_arn:
        # Without a change since the wish somebody else made it active, else it was this promotion before it was killed.
        made = request.decided_against != request.model_arn
        return PromotionStatus.PROMOTED if made else PromotionStatus.ALREADY_ACTIVE
    require_same_active(request, flywheel)
    _set_active(request.model_arn, service=service)
    return PromotionStatus.PROMOTED


def put_back(*, promotion: str, intake: IntakeBucket, service: FlywheelService) -> str | None:
    """Make the model active again that was before this promotion; returns it.

    None where the flywheel had none: Comprehend cannot take back a flywheel's only model. Raises as
    `update_active_model`.
    """
    promotions.require_current(intake, promotion)
    beginning = beginning_of(promotion, intake)
    request = open_request_of(promotion, intake)
    former = _former_on(request, beginning, service=service)
    active = service.describe().active_model_arn
    if former is not None and active == request.model_arn:
        _set_active(former, service=service)
    elif active not in (former, request.model_arn):
        # Somebody made another one active meanwhile: that is their wish.
        return active
    return former


def _former_on(request: PromotionRequest, beginning: PromotionBeginning, *, service: FlywheelService) -> str | None:
    """The model that this flywheel had before; one of a former generation serves from its own flywheel, one from
    elsewhere has none."""
    if request.decided_against not in (None, request.model_arn):
        return request.decided_against
    former = beginning.former_model_arn
    model = service.models.describe(former) if former and former != request.model_arn else None
    return model.arn if model and model.flywheel_arn in (None, service.arn) else None


def _set_active(model_arn: str, *, service: FlywheelService) -> None:
    try:
        service.set_active_model(model_arn)
    except ClientError as error:
        newest = next(service.iterations(), None)
        if error_code(error) in _BUSY and newest is not None and newest.status.running:
            raise ServiceBusy(f"Comprehend promotes no model while iteration {newest.id} runs.") from error
        if error_code(error) in _REFUSALS:
            raise PromotionRefused(f"Comprehend refuses {model_arn}: {error_message(error)}") from error
        raise
    if service.describe().active_model_arn != model_arn:
        # Whoever looks at the endpoint next would take the former model for the one to wait for.
        raise ServiceBusy(f"Comprehend does not say yet that {model_arn} is active.")
