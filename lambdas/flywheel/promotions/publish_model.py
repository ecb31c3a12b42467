"""Publishes the promoted model: writes it to Parameter Store, where the Serving stack and users read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flywheel.faults.errors import PromotionRefused, ServiceBusy, SmokeTestFailed
from flywheel.promotions.check_model import require_not_replaced
from flywheel.promotions.requests import beginning_of, failed_smoke_test, request_of, require_open
from flywheel.records.promotions import Promotion, PromotionBeginning, end_key, require_current

if TYPE_CHECKING:
    from datetime import datetime

    from flywheel.pipeline import Pipeline
    from flywheel.store.bucket import IntakeBucket
    from flywheel.store.parameters import PublishedModels


def publish_model(*, promotion: str, pipeline: Pipeline, now: datetime) -> PromotionBeginning:
    """Write the parameters. Returns what the promotion works on.

    Raises NotCurrentPromotion; PromotionRefused if another model is active by now, because a promotion can be redriven
    long after it changed the active model, or if the request has ended, because a stopped promotion of it may have
    reported how only now; ServiceBusy while Comprehend still shows the former model; and SmokeTestFailed. The smoke
    test is checked here too, because another run of the serve machine than the one that this promotion waited for may
    have made it.
    """
    require_current(pipeline.intake, promotion)
    beginning = beginning_of(promotion, pipeline.intake)
    request = request_of(beginning)
    flywheel = pipeline.service.describe()
    active = flywheel.active_model_arn
    if active != request.model_arn:
        require_not_replaced(request, flywheel, intake=pipeline.intake, now=now)
        if active == request.decided_against:
            raise ServiceBusy(f"Comprehend does not say yet that {request.model_arn} is active.")
        raise PromotionRefused(f"{request.model_arn} was active, but {active or 'no model'} is by now.")
    # If this step has published the model before it was repeated, `take_back` handles a failed smoke test.
    if pipeline.published.active() != request.model_arn:
        require_open(request, intake=pipeline.intake)
        # An earlier promotion of the same request may have been the one in which it failed.
        failed = failed_smoke_test(request, intake=pipeline.intake)
        if failed is not None:
            raise SmokeTestFailed(failed.sentence)
    pipeline.published.publish(
        request.model_arn, keep_desired=has_open_edit(beginning, pipeline.published, pipeline.intake)
    )
    return beginning


def has_open_edit(beginning: PromotionBeginning | None, published: PublishedModels, intake: IntakeBucket) -> bool:
    """Whether `desired-model-arn` has an edit that names another model and whose request has not ended.

    An edit back to the published model counts if it was made after the promotion began, and after `active-model-arn`
    was written: a turn that publishes a change in the console writes both, that one last.
    """
    desired = published.desired()
    if desired is None:
        return False
    if beginning is not None and desired.arn == request_of(beginning).model_arn:
        return False
    active = published.active_since()
    if active is not None and active.arn == desired.arn:
        edited = beginning is not None and desired.version != beginning.desired_version
        if not edited or desired.at <= active.since:
            return False
    return intake.read(end_key(desired.request_id), Promotion) is None
