"""Writes the active model to Parameter Store, and says what the event on the bus is to hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flywheel.environment import Flywheel, Intake, Parameters
from flywheel.promotions.publish_model import publish_model
from flywheel.promotions.requests import event_detail
from handlers.clients import flywheel_service, intake_bucket, published_models
from handlers.observability import logger, observed
from handlers.promotions.events import PromotionStep

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


class Environment(Flywheel, Intake, Parameters):
    pass


environment = Environment.load()


@observed
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    step = PromotionStep.model_validate(event)
    beginning = publish_model(
        promotion=step.promotion,
        intake=intake_bucket(environment),
        service=flywheel_service(environment),
        published=published_models(environment),
    )
    logger.info("published", promotion=step.promotion)
    return {"event": event_detail(beginning, flywheel_name=environment.flywheel_name)}
