"""Reports the end of an analysis job: as its last step, or for a status event of an execution that did not reach it."""

from __future__ import annotations

import json

from flywheel.analysis import report_analysis
from flywheel.environment import Confidence, ModelsOfDeployment
from flywheel.records.analyses import SUMMARY, AnalysisOutcome, AnalysisSummary, output_key, run_of
from flywheel.text.failure_cause import readable_cause
from handlers.analysis.events import AnalysisEnd
from handlers.clients import client, intake_bucket
from handlers.clock import now
from handlers.observability import logger
from handlers.status_event import StatusEvent, handles_end


class Environment(ModelsOfDeployment, Confidence):
    topic_arn: str


_STOPPED = {
    "ABORTED": "The execution was stopped from outside.",
    "TIMED_OUT": "The execution did not end in its time.",
    "FAILED": "The execution failed.",
}


def _from_status_event(execution: StatusEvent, environment: Environment) -> AnalysisEnd | None:
    """None if the execution reported its own end, or belongs to no job."""
    try:
        given = json.loads(execution.input or "null")
    except ValueError:
        given = None
    job = given.get("job") if isinstance(given, dict) else None
    if not isinstance(job, str):
        logger.error("this execution names no job in its input", execution=execution.name)
        return None
    status = execution.status
    known = intake_bucket(environment).read(output_key(job, SUMMARY), AnalysisSummary)
    if known is not None and known.ended_at >= execution.began and status == "FAILED":
        return None
    outcome = AnalysisOutcome.STOPPED if status == "ABORTED" else AnalysisOutcome.FAILED
    return AnalysisEnd(
        job=job,
        run=run_of(execution.name, job=job),
        outcome=outcome,
        cause=execution.cause or _STOPPED[status],
    )


@handles_end(AnalysisEnd, Environment, from_status_event=_from_status_event)
def handler(end: AnalysisEnd, environment: Environment) -> None:
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
