"""Chooses what a promotion works on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flywheel.environment import Flywheel, Intake, Parameters
from flywheel.promotions.begin_promotion import begin_promotion
from flywheel.records.promotions import PromotionMode
from handlers.clients import flywheel_service, intake_bucket, published_models
from handlers.clock import now
from handlers.observability import logger, observed
from handlers.promotions.events import PromotionStep

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


class Environment(Flywheel, Intake, Parameters):
    promotion_mode: PromotionMode


environment = Environment.load()


@observed
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    step = PromotionStep.model_validate(event)
    beginning = begin_promotion(
        promotion=step.promotion,
        mode=environment.promotion_mode,
        intake=intake_bucket(environment),
        service=flywheel_service(environment),
        published=published_models(environment),
        now=now(),
    )
    request = beginning.request
    logger.info("promotion began", promotion=step.promotion, model=request.model_arn if request else None)
    return {"model_arn": request.model_arn if request else None, "approval": beginning.approval}
