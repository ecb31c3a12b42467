"""Pins the input and the model of an analysis job, and plans how it is split."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flywheel.analysis.begin_analysis import begin_analysis
from flywheel.environment import Analysis, Flywheel, Intake, Parameters
from flywheel.records.analyses import RunFolder
from handlers.analysis.events import AnalysisJob, limits_of
from handlers.clients import flywheel_service, intake_bucket, published_models
from handlers.clock import now
from handlers.observability import logger, observed

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


class Environment(Flywheel, Intake, Parameters, Analysis):
    pass


environment = Environment.load()


@observed
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    step = AnalysisJob.model_validate(event)
    beginning = begin_analysis(
        job=step.job,
        intake=intake_bucket(environment),
        service=flywheel_service(environment),
        published=published_models(environment),
        limits=limits_of(environment),
        now=now(),
    )
    logger.info("analysis began", job=step.job, run=beginning.run, files=beginning.files, units=beginning.units)
    return {"run": beginning.run, "units": {"key": RunFolder(step.job, beginning.run).units, "count": beginning.units}}
