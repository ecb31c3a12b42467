"""Concatenates the rows of all parts of an analysis job, and hands its doubtful documents to reviewers."""

from __future__ import annotations

from typing import Any

from flywheel.analysis.join_analysis import join_analysis
from flywheel.environment import AnalysisReview, Intake
from handlers.analysis.events import AnalysisRun
from handlers.clients import intake_bucket
from handlers.observability import handles, logger


class Environment(Intake, AnalysisReview):
    pass


@handles(AnalysisRun, Environment)
def handler(step: AnalysisRun, environment: Environment) -> dict[str, Any]:
    intake = intake_bucket(environment)
    joined = join_analysis(job=step.job, run=step.run, intake=intake, review=environment.review_per_analysis)
    logger.info(
        "analysis joined",
        job=step.job,
        run=step.run,
        parts=joined.parts,
        documents=joined.counts.documents,
        queued=joined.queued,
    )
    return {}
