"""Freezes the hold-out of an iteration and says which models have not answered it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flywheel.decisions.holdout import HoldoutFreezer
from flywheel.decisions.prepare_holdout import prepare_holdout
from flywheel.environment import Flywheel, Holdout, Intake, Labels, Parameters
from handlers.clients import flywheel_service, intake_bucket, published_models
from handlers.observability import logger, observed
from handlers.turn.events import IterationStep

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


class Environment(Flywheel, Intake, Parameters, Labels, Holdout):
    pass


environment = Environment.load()


@observed
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    step = IterationStep.model_validate(event)
    intake, service = intake_bucket(environment), flywheel_service(environment)
    models = prepare_holdout(
        turn=step.turn,
        iteration_id=step.iteration_id,
        freezer=HoldoutFreezer(
            intake=intake,
            service=service,
            delimiter=environment.label_delimiter,
            at_most=environment.holdout_documents,
        ),
        published=published_models(environment),
    )
    logger.info("hold-out", turn=step.turn, iteration=step.iteration_id, models=models)
    return {"models": [{"model_arn": arn} for arn in models]}
