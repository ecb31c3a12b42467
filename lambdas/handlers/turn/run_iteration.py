"""Starts an iteration if there are new datasets, or finds the unfinished one."""

from __future__ import annotations

from typing import Any

from flywheel.environment import Flywheel, Intake
from flywheel.turn.run_iteration import run_iteration
from handlers.clients import flywheel_service, intake_bucket
from handlers.observability import handles, logger
from handlers.turn.events import Step


class Environment(Flywheel, Intake):
    pass


@handles(Step, Environment)
def handler(step: Step, environment: Environment) -> dict[str, Any]:
    service = flywheel_service(environment)
    start = run_iteration(turn=step.turn, intake=intake_bucket(environment), service=service)
    logger.info("iteration", turn=step.turn, iteration=start.iteration_id, reason=start.reason)
    return {"iteration_id": start.iteration_id}
