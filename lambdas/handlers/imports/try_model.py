"""Starts the job in which an imported model answers the smoke test's documents."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from flywheel.environment import Labels, ModelsOfDeployment, OrNone
from flywheel.imports.try_model import try_model
from handlers.clients import imported_models, intake_bucket
from handlers.imports.events import ImportStep
from handlers.observability import handles, logger


class Environment(ModelsOfDeployment, Labels):
    data_access_role_arn: str
    smoke_test_key: OrNone
    smoke_test_minimum: float = Field(ge=0, le=1)


@handles(ImportStep, Environment)
def handler(step: ImportStep, environment: Environment) -> dict[str, Any]:
    if environment.smoke_test_key is None:
        return {"wanted": False, "job_id": None}
    job_id = try_model(
        promotion=step.promotion,
        key=environment.smoke_test_key,
        minimum=environment.smoke_test_minimum,
        delimiter=environment.label_delimiter,
        intake=intake_bucket(environment),
        service=imported_models(environment, role_arn=environment.data_access_role_arn),
    )
    logger.info("smoke test", promotion=step.promotion, job=job_id)
    return {"wanted": True, "job_id": job_id}
