"""What waits: uploads for a turn, prepared documents for a dataset and what is missing for one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from flywheel.records.datasets import by_single_label, without_labels
from flywheel.records.uploads import Split, Upload, UploadOutcome, UploadResult, report_key
from flywheel.store.record import Record
from flywheel.turn.start_turn import last_beginning, recent_turns, uploads_there

if TYPE_CHECKING:
    from flywheel.datasets.distinct import Distinct
    from flywheel.datasets.look_ahead import Outlook
    from flywheel.store.bucket import IntakeBucket


class UploadState(StrEnum):
    WAITING = "not collected yet"
    IN_TURN = "in the running turn"
    NOT_PREPARED = "not prepared"
    """The last turn tried and failed: it is tried again."""
    INCOMPLETE = "in an incomplete folder"
    """Collected once the other files are there."""
    UNREADABLE = "unreadable"
    """Set aside until it is replaced, or until an operator asks for a turn."""


class UploadWaiting(Record):
    """A file in `train/` or `test/` that no turn has taken in yet."""

    key: str
    split: Split
    size: int
    last_modified: datetime
    state: UploadState = UploadState.WAITING
    reason: str | None = None
    """Of an unreadable one, or of one in an incomplete folder."""


def uploads_waiting(intake: IntakeBucket, *, turn_runs: bool) -> list[UploadWaiting]:
    """The files in `train/` and `test/`, oldest first, with what became of those that a turn has tried already."""
    found: list[UploadWaiting] = []
    for split, item, tried, missing in uploads_there(intake, last_beginning(intake, recent_turns(intake))):
        state, reason = _state(tried, missing, intake, turn_runs=turn_runs)
        key, came = item["Key"], item["LastModified"]
        found.append(
            UploadWaiting(key=key, split=split, size=item["Size"], last_modified=came, state=state, reason=reason)
        )
    return sorted(found, key=lambda waiting: (waiting.last_modified, waiting.key))


def _state(
    tried: Upload | None, missing: str | None, intake: IntakeBucket, *, turn_runs: bool
) -> tuple[UploadState, str | None]:
    """With the reason of an unreadable one, and with what a folder lacks."""
    if tried is None:
        return UploadState.WAITING, None
    if missing is not None:
        return UploadState.INCOMPLETE, f"waits for {missing}"
    report = intake.read(report_key(tried), UploadResult)
    if report is not None and report.outcome is UploadOutcome.UNREADABLE:
        return UploadState.UNREADABLE, report.reason
    return UploadState.IN_TURN if turn_runs else UploadState.NOT_PREPARED, None


class LabelCount(Record):
    label: str
    documents: int
    """Prepared documents that carry the label."""
    needed: int
    """How many the next dataset needs of it; 0 where it may lack the label."""
    missing: int


class Prepared(Record):
    """The valid documents of one split that wait for a dataset."""

    split: Split
    parts: int
    documents: int
    """Each once, however often it was uploaded; those that a dataset has already do not count."""
    copies: int = 0
    """Left out: they were uploaded before, or stand in the other split, or are refused by ConflictingLabels."""
    bytes: int
    """With the copies."""
    labels: tuple[LabelCount, ...]
    """Every label of the flywheel, in its order."""
    ready: int
    """How many of the documents the next turn puts into a dataset."""
    reason: str


def prepared(outlook: Outlook, *, quota_left: int) -> Prepared:
    """What the next turn would do with what waits."""
    waiting = [candidate.stored.part for candidate in outlook.candidates if not candidate.all_accepted_before]
    counts, missing = by_single_label(outlook.combinations), dict(outlook.minimum.missing)
    documents = sum(outlook.combinations.values())
    ready = sum(outlook.included.values())
    return Prepared(
        split=outlook.split,
        parts=len(waiting),
        documents=documents,
        copies=sum(part.documents for part in waiting) - documents,
        bytes=sum(part.bytes for part in waiting),
        labels=tuple(
            LabelCount(label=label, documents=counts.get(label, 0), needed=needed, missing=missing.get(label, 0))
            for label, needed in outlook.minimum.needed
        ),
        ready=ready if quota_left > 0 else 0,
        reason=_reason(outlook, documents=documents, ready=ready, quota_left=quota_left),
    )


def size_about(candidates: Sequence[Distinct], held_back: frozenset[str]) -> int:
    """As far as it can be said without reading the documents, which an operator may not."""
    size = 0.0
    for candidate in candidates:
        part = candidate.stored.part
        included = sum(without_labels(candidate.labels, held_back).values())
        # Of a dataset of a former generation a part may have been left out as a whole.
        size += part.bytes * included / part.documents if part.documents else 0
    return round(size)


def _reason(outlook: Outlook, *, documents: int, ready: int, quota_left: int) -> str:
    if quota_left <= 0 and documents:
        return (
            f"The flywheel has no {outlook.split.dataset_type} dataset left: ask AWS for a higher quota, "
            "or deploy a new generation of the flywheel."
        )
    waiting = outlook.waiting()
    if waiting is None:
        return "Enough: the next turn makes a dataset of them." if ready else "Nothing waits."
    return f"The next turn takes {ready} of them. {waiting.reason}" if ready else waiting.reason
