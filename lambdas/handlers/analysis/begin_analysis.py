"""Records the input and the model of an analysis job, and divides the input into units."""

from __future__ import annotations

from typing import Any

from flywheel.analysis.begin_analysis import begin_analysis
from flywheel.environment import Analysis, Pipeline
from flywheel.records.analyses import RunFolder
from handlers.analysis.events import AnalysisJob, limits_of
from handlers.clients import pipeline
from handlers.clock import now
from handlers.observability import handles, logger


class Environment(Pipeline, Analysis):
    pass


@handles(AnalysisJob, Environment)
def handler(step: AnalysisJob, environment: Environment) -> dict[str, Any]:
    beginning = begin_analysis(pipeline=pipeline(environment), job=step.job, limits=limits_of(environment), now=now())
    logger.info("analysis began", job=step.job, run=beginning.run, files=beginning.files, units=beginning.units)
    return {"run": beginning.run, "units": {"key": RunFolder(step.job, beginning.run).units, "count": beginning.units}}
