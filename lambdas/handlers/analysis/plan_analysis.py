"""Lists the parts of an analysis job after all of its units are split."""

from __future__ import annotations

from typing import Any

from flywheel.analysis.plan_analysis import plan_analysis
from flywheel.environment import Intake
from flywheel.records.analyses import RunFolder
from handlers.analysis.events import AnalysisRun
from handlers.clients import intake_bucket
from handlers.observability import handles, logger


@handles(AnalysisRun, Intake)
def handler(step: AnalysisRun, environment: Intake) -> dict[str, Any]:
    items = plan_analysis(job=step.job, run=step.run, intake=intake_bucket(environment))
    logger.info("analysis planned", job=step.job, run=step.run, parts=len(items))
    return {"parts": {"key": RunFolder(step.job, step.run).parts, "count": len(items)}}
