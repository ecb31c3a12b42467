"""The step of a promotion that imports its model, unless it is there already."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from flywheel.faults.errors import ImportFailed, PromotionRefused, ServiceBusy
from flywheel.faults.fault_names import INVALID, THROTTLES
from flywheel.faults.service_faults import error_code, error_message
from flywheel.promotions.requests import open_request_of
from flywheel.records.imports import Import, import_key
from flywheel.records.promotions import require_current

if TYPE_CHECKING:
    from flywheel.comprehend.imported_models import ImportedModels
    from flywheel.store.bucket import IntakeBucket

_FAILED = {"IN_ERROR", "STOPPED"}
_REFUSALS = INVALID | {
    "AccessDeniedException",
    "KmsKeyValidationException",
    "ResourceNotFoundException",
    "ResourceUnavailableException",
}


def import_model(*, promotion: str, intake: IntakeBucket, service: ImportedModels, now: datetime) -> tuple[str, bool]:
    """ARN of the promotion's model, and whether there is an import to wait for.

    A version that is there is not imported again; a failed one is deleted first.

    Raises NotCurrentPromotion; PromotionRefused if the model cannot be imported; ImportFailed if that may change
    without anybody's doing, such as a quota; ServiceBusy while a failed version is being deleted.
    """
    require_current(intake, promotion)
    request = open_request_of(promotion, intake)
    arn, source_arn = request.model_arn, request.source_model_arn
    found = service.models.describe(arn)
    if found is not None and found.status in _FAILED:
        service.models.delete(arn)
        raise ServiceBusy(f"{arn} is {found.status}, and is deleted before it is imported again.")
    if found is not None and found.status == "DELETING":
        raise ServiceBusy(f"{arn} is still being deleted.")
    if found is not None:
        return arn, not found.trained
    if source_arn is None:
        # A version that was imported before. check_model says that it does not exist any more.
        return arn, False
    intake.write(import_key(arn), Import(model_arn=arn, source_model_arn=source_arn, asked_at=now))
    try:
        service.import_version(source_arn)
    except ClientError as error:
        code, message = error_code(error), error_message(error)
        if code == "ResourceInUseException":
            # It was imported a moment ago, and Comprehend does not show it yet.
            return arn, True
        if code in THROTTLES:
            raise ServiceBusy(f"Comprehend imports no model now: {message}") from error
        if code == "ResourceLimitExceededException":
            raise ImportFailed(f"Comprehend takes no more models: {message}") from error
        if code in _REFUSALS:
            raise PromotionRefused(f"{source_arn} cannot be imported ({code}): {message}") from error
        raise
    return arn, True
