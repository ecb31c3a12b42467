"""Makes the hold-out of an iteration, and returns the models that have to predict it."""

from __future__ import annotations

from typing import Any

from flywheel.decisions.holdout import HoldoutFreezer
from flywheel.decisions.prepare_holdout import prepare_holdout
from flywheel.environment import FlywheelPipeline, Holdout, Labels
from handlers.clients import flywheel_pipeline, flywheel_service, intake_bucket
from handlers.observability import handles, logger
from handlers.turn.events import IterationStep


class Environment(FlywheelPipeline, Labels, Holdout):
    pass


@handles(IterationStep, Environment)
def handler(step: IterationStep, environment: Environment) -> dict[str, Any]:
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
        pipeline=flywheel_pipeline(environment),
    )
    logger.info("hold-out", turn=step.turn, iteration=step.iteration_id, models=models)
    return {"models": [{"model_arn": arn} for arn in models]}
