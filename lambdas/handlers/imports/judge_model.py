"""Compares what an imported model answered to the smoke test's documents with their labels."""

from __future__ import annotations

from typing import Any

from flywheel.environment import ModelsOfDeployment
from flywheel.imports.try_model import Trial
from handlers.clients import imported_models, intake_bucket
from handlers.clock import now
from handlers.imports.events import ImportStep
from handlers.observability import handles, logger


class Environment(ModelsOfDeployment):
    pass


@handles(ImportStep, Environment)
def handler(step: ImportStep, environment: Environment) -> dict[str, Any]:
    trial = Trial(promotion=step.promotion, intake=intake_bucket(environment), service=imported_models(environment))
    tested = trial.judge(now=now())
    logger.info("smoke test", promotion=step.promotion, passed=tested.passed if tested else None)
    return {}
