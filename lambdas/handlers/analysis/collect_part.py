"""Joins Comprehend's answers to a part with the part's text."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from flywheel.analysis.collect_part import Collector
from flywheel.environment import Analysis, AnalysisReview, Confidence, Labels, ModelsOfDeployment
from flywheel.records.analyses import PartItem
from handlers.analysis.events import limits_of
from handlers.clients import active_model_service, intake_bucket
from handlers.observability import handles, logger


class Environment(ModelsOfDeployment, Labels, Analysis, Confidence, AnalysisReview):
    audit_percent: float = Field(ge=0, le=100, default=0)


@handles(PartItem, Environment)
def handler(item: PartItem, environment: Environment) -> dict[str, Any]:
    collected = Collector(
        intake=intake_bucket(environment),
        service=active_model_service(environment),
        limits=limits_of(environment),
        low_confidence=environment.low_confidence,
        delimiter=environment.label_delimiter,
        review=environment.review_per_analysis,
        audit_percent=environment.audit_percent,
    ).collect(item)
    logger.info("part collected", job=item.job, run=item.run, part=item.part, documents=collected.counts.documents)
    return {}
