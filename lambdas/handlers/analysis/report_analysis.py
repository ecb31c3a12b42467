"""Reports the end of an analysis job: as its last step, or for a status event of an execution that did not reach it."""

from __future__ import annotations

import json

from flywheel.environment import AnalysisReport
from flywheel.records.analyses import SUMMARY, AnalysisOutcome, AnalysisSummary, output_key, run_of
from handlers.analysis.ends import report_end
from handlers.analysis.events import AnalysisEnd
from handlers.clients import intake_bucket
from handlers.observability import logger
from handlers.status_event import StatusEvent, handles_end

_STOPPED = {
    "ABORTED": "The execution was stopped from outside.",
    "TIMED_OUT": "The execution did not end in its time.",
    "FAILED": "The execution failed.",
}


def _from_status_event(execution: StatusEvent, environment: AnalysisReport) -> AnalysisEnd | None:
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


@handles_end(AnalysisEnd, AnalysisReport, from_status_event=_from_status_event)
def handler(end: AnalysisEnd, environment: AnalysisReport) -> None:
    report_end(end, environment)
