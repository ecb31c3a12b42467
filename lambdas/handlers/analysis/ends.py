"""Reports the end of an analysis job, once it is known."""

from __future__ import annotations

from flywheel.analysis import report_analysis
from flywheel.environment import AnalysisReport
from flywheel.text.failure_cause import readable_cause
from handlers.analysis.events import AnalysisEnd
from handlers.clients import client, intake_bucket
from handlers.clock import now
from handlers.observability import logger


def report_end(end: AnalysisEnd, environment: AnalysisReport) -> None:
    """Write the summary, and tell people of it. Raises ServiceBusy."""
    intake = intake_bucket(environment)
    summary = report_analysis.report_analysis(
        job=end.job,
        run=end.run,
        outcome=end.outcome,
        reason=readable_cause(end.cause) or end.error,
        low_confidence=environment.low_confidence,
        intake=intake,
        now=now(),
    )
    if summary is not None:
        client("sns").publish(
            TopicArn=environment.topic_arn,
            Subject=report_analysis.subject(summary, flywheel_name=environment.flywheel_name),
            Message=report_analysis.message(summary, bucket=intake.name, flywheel_name=environment.flywheel_name),
        )
    logger.info("analysis ended", job=end.job, run=end.run, outcome=summary.outcome if summary else None)
