"""Concatenates the rows of all parts into the output files of a job, and hands its doubtful documents to reviewers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from flywheel.analysis.collect_part import total
from flywheel.analysis.errors import PartFailed, Superseded
from flywheel.analysis.inputs import find_input
from flywheel.analysis.review_picks import queue_for_review
from flywheel.analysis.rows import CSV_HEADER
from flywheel.records.analyses import (
    PREDICTIONS_CSV,
    PREDICTIONS_JSONL,
    AnalysisBeginning,
    CollectedPart,
    JoinedJob,
    PartItem,
    RunFolder,
    output_key,
)
from flywheel.records.job_attempts import JobAttempt
from flywheel.store.concatenation import Source

if TYPE_CHECKING:
    from flywheel.store.bucket import IntakeBucket

_ITEMS = TypeAdapter(list[PartItem])


def join_analysis(*, job: str, run: str, intake: IntakeBucket, review: int = 0) -> JoinedJob:
    """Write the output files, and put at most `review` documents of low confidence into the review queue; a repeated
    call writes the same. Raises PartFailed if a part is missing, Superseded if files came after the run began."""
    folder = RunFolder(job, run)
    items = _ITEMS.validate_json(intake.read_bytes(folder.parts))
    places = [folder.part(item.part) for item in items]
    collected = intake.read_all((place.collected for place in places), CollectedPart)
    if len(collected) < len(items):
        raise _missing(items, folder, intake=intake, there=len(collected))
    if find_input(intake, job).supersedes(intake.require(folder.beginning, AnalysisBeginning)):
        raise Superseded(job)
    intake.concatenate(
        output_key(job, PREDICTIONS_JSONL),
        [Source(key=place.jsonl, size=part.jsonl_bytes) for place, part in zip(places, collected, strict=True)],
        content_type="application/x-ndjson",
    )
    intake.concatenate(
        output_key(job, PREDICTIONS_CSV),
        [Source(key=place.csv, size=part.csv_bytes) for place, part in zip(places, collected, strict=True)],
        head=CSV_HEADER,
        content_type="text/csv; charset=utf-8",
    )
    doubtful = [place for place, part in zip(places, collected, strict=True) if part.candidates]
    joined = JoinedJob(
        counts=total(part.counts for part in collected),
        models=tuple(sorted({part.model_arn for part in collected if part.model_arn})),
        parts=len(items),
        queued=queue_for_review(doubtful, most=review, intake=intake),
        too_long_for_review=sum(part.too_long_for_review for part in collected),
    )
    intake.write(folder.joined, joined)
    return joined


def _missing(items: list[PartItem], folder: RunFolder, *, intake: IntakeBucket, there: int) -> PartFailed:
    """The error for missing parts, with the first reason that is recorded."""
    reasons = [
        attempt.failure
        for attempt in intake.read_all((folder.part(item.part).attempt for item in items), JobAttempt)
        if attempt.failure
    ]
    reason = reasons[0].rstrip(".") if reasons else "the executions of the parts say why"
    return PartFailed(
        f"{len(items) - there} of {len(items)} parts could not be classified: {reason}. "
        "Start the job again to try these parts once more."
    )
