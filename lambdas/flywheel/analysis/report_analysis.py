"""Writes the summary of an analysis job that ended, and the text of the notification."""

from __future__ import annotations

import shlex
from datetime import datetime
from typing import TYPE_CHECKING

from flywheel.analysis.inputs import find_input
from flywheel.faults.errors import ServiceBusy
from flywheel.records.analyses import (
    PREDICTIONS_CSV,
    PREDICTIONS_JSONL,
    SUMMARY,
    AnalysisBeginning,
    AnalysisOutcome,
    AnalysisSummary,
    JoinedJob,
    RunFolder,
    output_key,
)
from flywheel.text import notification

if TYPE_CHECKING:
    from flywheel.store.bucket import IntakeBucket

_ATTEMPTS = 20


def report_analysis(
    *,
    job: str,
    run: str | None,
    outcome: AnalysisOutcome,
    reason: str | None,
    low_confidence: float,
    intake: IntakeBucket,
    now: datetime,
) -> AnalysisSummary | None:
    """Write the summary of a run. `run` is None if the execution failed before it began.

    None if no notification is needed: files came after the run began, so another run reports; or this run has succeeded
    already, and a late or repeated execution of it failed. Raises ServiceBusy.
    """
    for _ in range(_ATTEMPTS):
        # Read before the files are listed: a run of later files that reports meanwhile changes it.
        before = intake.read_with_etag(output_key(job, SUMMARY), AnalysisSummary)
        known, etag = before if before is not None else (None, None)
        summary = _summary(
            known,
            job=job,
            run=run,
            outcome=outcome,
            reason=reason,
            low_confidence=low_confidence,
            intake=intake,
            now=now,
        )
        if summary is None or summary is known:
            return summary
        key = output_key(job, SUMMARY)
        if intake.write_once(key, summary) if etag is None else intake.write_if_unchanged(key, summary, etag):
            return summary
    raise ServiceBusy(f"Others report on the analysis job {job} all the time.")


def _summary(
    known: AnalysisSummary | None,
    *,
    job: str,
    run: str | None,
    outcome: AnalysisOutcome,
    reason: str | None,
    low_confidence: float,
    intake: IntakeBucket,
    now: datetime,
) -> AnalysisSummary | None:
    """`known` if that stays; None as of `report_analysis`."""
    found = find_input(intake, job)
    run = run or found.run
    folder = RunFolder(job, run)
    beginning = intake.read(folder.beginning, AnalysisBeginning)
    if beginning is not None and found.supersedes(beginning):
        return None
    if beginning is None and known is not None and known.run == found.run != run:
        # It ended before it began, and was reported late: after a run of the files that are there now.
        return None
    joined = intake.read(folder.joined, JoinedJob)
    succeeded = outcome is AnalysisOutcome.SUCCEEDED
    if not succeeded and known is not None and known.run == run and known.outcome is AnalysisOutcome.SUCCEEDED:
        return None
    if succeeded and known is not None and known.run == run and known.outcome is outcome:
        # The function is repeated, or another execution of the same run has written it: the summary stays.
        return known
    counts = joined.counts if joined is not None and succeeded else None
    return AnalysisSummary(
        job=job,
        run=run,
        outcome=outcome,
        reason=reason or _done(joined),
        format=beginning.format if beginning else None,
        files=beginning.files if beginning else found.files,
        documents=counts.documents if counts else 0,
        labels=counts.labels if counts else {},
        low_confidence=counts.low_confidence if counts else 0,
        low_confidence_threshold=low_confidence,
        errors=counts.errors if counts else {},
        models=joined.models if joined else (),
        parts=joined.parts if joined else 0,
        queued=joined.queued if joined else 0,
        too_long_for_review=joined.too_long_for_review if joined else 0,
        began_at=beginning.began_at if beginning else None,
        ended_at=now,
        predictions=(output_key(job, PREDICTIONS_JSONL), output_key(job, PREDICTIONS_CSV)) if counts else (),
    )


def _done(joined: JoinedJob | None) -> str:
    if joined is None:
        return "No cause is given."
    errors = sum(joined.counts.errors.values())
    wrong = f", {errors:,} could not be: their rows say why" if errors else ""
    return f"{joined.counts.documents:,} documents were classified{wrong}."


def subject(summary: AnalysisSummary, *, flywheel_name: str) -> str:
    return notification.subject(f"{flywheel_name} analysis {summary.job}: {summary.outcome}")


def message(summary: AnalysisSummary, *, bucket: str, flywheel_name: str) -> str:
    """The notification in plain text. It quotes no document."""
    lines = [f"Analysis job {summary.job}: {summary.outcome}. {summary.reason}"]
    if summary.documents:
        lines.append(f"Low confidence (below {summary.low_confidence_threshold:g}): {summary.low_confidence:,}")
    if summary.queued:
        lines.append(f"In the review queue: {summary.queued:,}")
    if summary.too_long_for_review:
        lines.append(f"Too long for reviewers (over 100 KB): {summary.too_long_for_review:,}")
    lines += [f"{code}: {count:,} lines" for code, count in summary.errors.items()]
    lines += [f"Model: {model}" for model in summary.models]
    lines += notification.named(
        [f"{label}: {count:,}" for label, count in summary.labels.items()], more="labels are in the summary"
    )
    closing = [f"s3://{bucket}/{key}" for key in (*summary.predictions, output_key(summary.job, SUMMARY))]
    if summary.outcome is not AnalysisOutcome.SUCCEEDED:
        again = f"flywheel --name {flywheel_name} analyze --again {shlex.quote(summary.job)}"
        closing.append(f"To try again what is missing: {again}")
    return notification.message(lines, closing=closing)
