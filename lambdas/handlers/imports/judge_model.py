"""Compares what an imported model answered to the smoke test's documents with their labels."""

from __future__ import annotations

from typing import Any

from flywheel.environment import ModelsOfDeployment
from flywheel.imports.judge_model import judge_model
from handlers.clients import imported_models, intake_bucket
from handlers.clock import now
from handlers.imports.events import ImportStep
from handlers.observability import handles, logger


class Environment(ModelsOfDeployment):
    pass


@handles(ImportStep, Environment)
def handler(step: ImportStep, environment: Environment) -> dict[str, Any]:
    tested = judge_model(
        promotion=step.promotion,
        intake=intake_bucket(environment),
        service=imported_models(environment),
        now=now(),
    )
    logger.info("smoke test", promotion=step.promotion, right=tested.right, documents=tested.documents)
    return {}
