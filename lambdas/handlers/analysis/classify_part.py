"""Starts the Comprehend job of a part, or finds the running one."""

from __future__ import annotations

from typing import Any

from flywheel.analysis.classify_part import classify_part
from flywheel.environment import ModelsOfDeployment
from flywheel.records.analyses import PartItem
from handlers.clients import active_model_service, intake_bucket
from handlers.observability import handles, logger


class Environment(ModelsOfDeployment):
    analysis_role_arn: str


@handles(PartItem, Environment)
def handler(item: PartItem, environment: Environment) -> dict[str, Any]:
    job_id = classify_part(
        item,
        role_arn=environment.analysis_role_arn,
        intake=intake_bucket(environment),
        service=active_model_service(environment),
    )
    logger.info("part asked", job=item.job, run=item.run, part=item.part, comprehend_job=job_id)
    return {"job_id": job_id}
