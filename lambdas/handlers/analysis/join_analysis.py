"""Concatenates the rows of all parts of an analysis job."""

from __future__ import annotations

from typing import Any

from flywheel.analysis.join_analysis import join_analysis
from flywheel.environment import Intake
from handlers.analysis.events import AnalysisRun
from handlers.clients import intake_bucket
from handlers.observability import handles, logger


@handles(AnalysisRun, Intake)
def handler(step: AnalysisRun, environment: Intake) -> dict[str, Any]:
    joined = join_analysis(job=step.job, run=step.run, intake=intake_bucket(environment))
    logger.info("analysis joined", job=step.job, run=step.run, parts=joined.parts, documents=joined.counts.documents)
    return {}
