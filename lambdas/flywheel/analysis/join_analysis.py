"""Concatenates the rows of all parts into the output files of a job, and hands its doubtful documents to reviewers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from flywheel.analysis.collect_part import total
from flywheel.analysis.errors import PartFailed, Superseded
from flywheel.analysis.inputs import find_input
from flywheel.analysis.review_picks import queue_for_review
from flywheel.analysis.rows import CSV_HEADER
from flywheel.faults.errors import ServiceBusy
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

_ATTEMPTS = 5
_ITEMS = TypeAdapter(list[PartItem])


def join_analysis(*, job: str, run: str, intake: IntakeBucket, review: int = 0) -> JoinedJob:
    """Write the output files, and put at most `review` documents of low confidence into the review queue; a repeated
    call writes the same. Raises PartFailed if a part is missing, Superseded if files came after the run began, and
    ServiceBusy."""
    folder = RunFolder(job, run)
    items = _ITEMS.validate_json(intake.read_bytes(folder.parts))
    places = [folder.part(item.part) for item in items]
    collected = intake.read_all((place.collected for place in places), CollectedPart)
    if len(collected) < len(items):
        raise _missing(items, folder, intake=intake, there=len(collected))
    _write_output(
        folder,
        jsonl=[Source(key=place.jsonl, size=part.jsonl_bytes) for place, part in zip(places, collected, strict=True)],
        csv=[Source(key=place.csv, size=part.csv_bytes) for place, part in zip(places, collected, strict=True)],
        intake=intake,
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


def _write_output(folder: RunFolder, *, jsonl: list[Source], csv: list[Source], intake: IntakeBucket) -> None:
    """Raises Superseded, also if a later run gives its output meanwhile: of a run that was stopped, this may still be
    at work."""
    json_key, csv_key = (output_key(folder.job, name) for name in (PREDICTIONS_JSONL, PREDICTIONS_CSV))
    beginning = intake.require(folder.beginning, AnalysisBeginning)
    for _ in range(_ATTEMPTS):
        etags = {found["Key"]: found["ETag"] for key in (json_key, csv_key) for found in intake.list(key)}
        if find_input(intake, folder.job).supersedes(beginning):
            raise Superseded(folder.job)
        if intake.concatenate_if_unchanged(
            json_key, jsonl, etags.get(json_key), content_type="application/x-ndjson"
        ) and intake.concatenate_if_unchanged(
            csv_key, csv, etags.get(csv_key), head=CSV_HEADER, content_type="text/csv; charset=utf-8"
        ):
            return
    raise ServiceBusy(f"Others write the output of analysis job {folder.job} all the time.")


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
