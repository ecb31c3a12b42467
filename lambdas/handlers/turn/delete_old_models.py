"""Deletes the models beyond ModelsToKeep that nothing needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from flywheel.environment import Flywheel, Intake, Parameters
from flywheel.promotions.delete_old_models import delete_old_models
from handlers.clients import flywheel_service, intake_bucket, published_models
from handlers.observability import logger, observed
from handlers.turn.events import Step

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


class Environment(Flywheel, Intake, Parameters):
    models_to_keep: int = Field(ge=1)


environment = Environment.load()


@observed
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    step = Step.model_validate(event)
    found = delete_old_models(
        turn=step.turn,
        keep=environment.models_to_keep,
        intake=intake_bucket(environment),
        service=flywheel_service(environment),
        published=published_models(environment),
    )
    logger.info("old models", turn=step.turn, deleted=found.deleted, in_use=found.in_use)
    return {}
