"""Starts the job in which an imported model answers the smoke test's documents."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from flywheel.environment import Labels, ModelsOfDeployment, OrNone
from flywheel.imports.try_model import Trial
from handlers.clients import imported_models, intake_bucket
from handlers.imports.events import ImportStep
from handlers.observability import handles, logger


class Environment(ModelsOfDeployment, Labels):
    data_access_role_arn: str
    smoke_test_key: OrNone
    smoke_test_minimum: float = Field(ge=0, le=1)


@handles(ImportStep, Environment)
def handler(step: ImportStep, environment: Environment) -> dict[str, Any]:
    """`job_id` of null: there is no job to wait for."""
    trial = Trial(
        promotion=step.promotion,
        intake=intake_bucket(environment),
        service=imported_models(environment, role_arn=environment.data_access_role_arn),
    )
    job_id = (
        trial.start(
            environment.smoke_test_key, minimum=environment.smoke_test_minimum, delimiter=environment.label_delimiter
        )
        if environment.smoke_test_key
        else None
    )
    logger.info("smoke test", promotion=step.promotion, job=job_id)
    return {"job_id": job_id}
