"""The step that writes the promoted model to Parameter Store, where everything that serves looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flywheel.errors import PromotionRefused, ServiceBusy, SmokeTestFailed
from flywheel.promotions.requests import beginning_of, request_of
from flywheel.records.promotions import Promotion, PromotionBeginning, end_key, require_current
from flywheel.records.serving import smoke_test_of

if TYPE_CHECKING:
    from flywheel.pipeline import Pipeline
    from flywheel.store.bucket import IntakeBucket
    from flywheel.store.parameters import PublishedModels


def publish_model(*, promotion: str, pipeline: Pipeline) -> PromotionBeginning:
    """Write Parameter Store. Raises NotCurrentPromotion, PromotionRefused if another model is active by now (a
    promotion may be redriven long after it made its own the active one), ServiceBusy while Comprehend still names the
    former one, and SmokeTestFailed.

    The smoke test is looked at here too: whichever run of the serve machine made it, the one that this promotion
    waited for may have failed afterwards, or have found the endpoint as another run left it.
    """
    require_current(pipeline.intake, promotion)
    beginning = beginning_of(promotion, pipeline.intake)
    request = request_of(beginning)
    active = pipeline.service.describe().active_model_arn
    if active != request.model_arn:
        if active == request.decided_against:
            raise ServiceBusy(f"Comprehend does not say yet that {request.model_arn} is active.")
        raise PromotionRefused(f"{request.model_arn} was active, but {active or 'no model'} is by now.")
    tested = (
        smoke_test_of(request.model_arn, intake=pipeline.intake)
        if pipeline.published.active() != request.model_arn
        else None
    )
    # Published a moment ago by this step, which is repeated: `taking_back` asks for the former one in its own name.
    if tested is not None and not tested.passed and tested.at >= beginning.began_at:
        raise SmokeTestFailed(tested.sentence)
    pipeline.published.publish(
        request.model_arn, keep_desired=another_is_desired(beginning, pipeline.published, pipeline.intake)
    )
    return beginning


def another_is_desired(beginning: PromotionBeginning | None, published: PublishedModels, intake: IntakeBucket) -> bool:
    """Whether somebody wrote another model into `desired-model-arn` and that wish has no end yet.

    To write there the model that was active until now is a wish too, if it was done since the promotion began.
    """
    desired = published.desired()
    if desired is None:
        return False
    if beginning is not None and desired.arn == request_of(beginning).model_arn:
        return False
    edited = beginning is not None and desired.version != beginning.desired_version
    if desired.arn == published.active() and not edited:
        return False
    return intake.read(end_key(desired.request_id), Promotion) is None
