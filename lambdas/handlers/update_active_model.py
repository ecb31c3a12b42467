"""Makes the candidate the active model. The only function that may call UpdateFlywheel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flywheel.environment import Flywheel, Intake, Parameters
from flywheel.promoting import promote
from handlers.clients import flywheel_service, intake_bucket, published_models
from handlers.clock import now
from handlers.observability import logger, tracer
from handlers.turn_events import IterationStep

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


class Environment(Flywheel, Intake, Parameters):
    pass


environment = Environment.load()


@logger.inject_lambda_context(log_event=False)
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    step = IterationStep.model_validate(event)
    promotion = promote(
        turn=step.turn,
        iteration_id=step.iteration_id,
        intake=intake_bucket(environment),
        service=flywheel_service(environment),
        published=published_models(environment),
        now=now(),
    )
    logger.info("promotion", turn=step.turn, status=promotion.status, model=promotion.model_arn)
    return {"status": promotion.status.value}
