"""Puts the rows of all parts of an analysis job together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flywheel.analysis.join_analysis import join_analysis
from flywheel.environment import Intake
from handlers.analysis.events import AnalysisRun
from handlers.clients import intake_bucket
from handlers.observability import logger, observed

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


environment = Intake.load()


@observed
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    step = AnalysisRun.model_validate(event)
    joined = join_analysis(job=step.job, run=step.run, intake=intake_bucket(environment))
    logger.info("analysis joined", job=step.job, run=step.run, parts=joined.parts, documents=joined.counts.documents)
    return {}
