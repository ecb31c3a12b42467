"""Imports the model of a promotion, unless it is there already."""

from __future__ import annotations

from typing import Any

from flywheel.environment import ModelsOfDeployment
from flywheel.imports.import_model import import_model
from handlers.clients import imported_models, intake_bucket
from handlers.clock import now
from handlers.imports.events import ImportStep
from handlers.observability import handles, logger


class Environment(ModelsOfDeployment):
    data_access_role_arn: str


@handles(ImportStep, Environment)
def handler(step: ImportStep, environment: Environment) -> dict[str, Any]:
    model_arn, awaited = import_model(
        promotion=step.promotion,
        intake=intake_bucket(environment),
        service=imported_models(environment, role_arn=environment.data_access_role_arn),
        now=now(),
    )
    logger.info("import", promotion=step.promotion, awaited=awaited)
    return {"model_arn": model_arn, "awaited": awaited}
