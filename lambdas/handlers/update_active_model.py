"""Makes a model the active one. The only function that may call UpdateFlywheel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flywheel.environment import Flywheel, Intake
from flywheel.promoting import make_active
from handlers.clients import flywheel_service, intake_bucket
from handlers.observability import logger, observed
from handlers.promotion_events import PromotionStep

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


class Environment(Flywheel, Intake):
    pass


environment = Environment.load()


@observed
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    step = PromotionStep.model_validate(event)
    status = make_active(
        promotion=step.promotion, intake=intake_bucket(environment), service=flywheel_service(environment)
    )
    logger.info("active model", promotion=step.promotion, status=status)
    return {"status": status.name}
