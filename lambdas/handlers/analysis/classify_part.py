"""Starts the classification job of a part, or finds the one that runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flywheel.analysis.classify_part import classify_part
from flywheel.environment import Flywheel, Intake
from flywheel.records.analyses import PartItem
from handlers.clients import flywheel_service, intake_bucket
from handlers.observability import logger, observed

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


class Environment(Flywheel, Intake):
    analysis_role_arn: str


environment = Environment.load()


@observed
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    item = PartItem.model_validate(event)
    job_id = classify_part(
        item,
        role_arn=environment.analysis_role_arn,
        intake=intake_bucket(environment),
        service=flywheel_service(environment),
    )
    logger.info("part asked", job=item.job, run=item.run, part=item.part, comprehend_job=job_id)
    return {"job_id": job_id}
