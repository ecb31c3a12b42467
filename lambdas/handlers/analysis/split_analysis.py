"""Splits one unit of an analysis job's input into parts that Comprehend takes."""

from __future__ import annotations

from typing import Any

from flywheel.analysis.split_analysis import split_analysis
from flywheel.environment import Analysis, Intake
from handlers.analysis.events import AnalysisUnit, limits_of
from handlers.clients import intake_bucket
from handlers.observability import handles, logger


class Environment(Intake, Analysis):
    pass


@handles(AnalysisUnit, Environment)
def handler(step: AnalysisUnit, environment: Environment) -> dict[str, Any]:
    facts = split_analysis(
        job=step.job,
        run=step.run,
        unit=step.unit,
        intake=intake_bucket(environment),
        limits=limits_of(environment),
    )
    logger.info("analysis split", job=step.job, run=step.run, unit=step.unit, parts=len(facts.parts))
    return {"parts": len(facts.parts)}
