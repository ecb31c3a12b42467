"""Starts the job in which a model predicts the hold-out, or finds the running one."""

from __future__ import annotations

from typing import Any

from flywheel.decisions.predict_holdout import predict_holdout
from flywheel.environment import Flywheel, Intake
from handlers.clients import flywheel_service, intake_bucket
from handlers.clock import now
from handlers.observability import handles, logger
from handlers.turn.events import PredictHoldoutStep


class Environment(Flywheel, Intake):
    pass


@handles(PredictHoldoutStep, Environment)
def handler(step: PredictHoldoutStep, environment: Environment) -> dict[str, Any]:
    job_id = predict_holdout(
        turn=step.turn,
        iteration_id=step.iteration_id,
        model_arn=step.model_arn,
        intake=intake_bucket(environment),
        service=flywheel_service(environment),
        now=now(),
    )
    logger.info("prediction", turn=step.turn, model=step.model_arn, job=job_id)
    return {"job_id": job_id}
