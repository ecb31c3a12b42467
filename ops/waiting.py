"""What waits: uploads for a turn, prepared documents for a dataset and what is missing for one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from flywheel import enough, turns
from flywheel.dataset_records import by_single_label
from flywheel.prepare_uploads import report_key
from flywheel.record import Record
from flywheel.situation import last_beginning
from flywheel.upload_records import Part, Split, Upload, UploadOutcome, UploadResult

if TYPE_CHECKING:
    from flywheel.intake import IntakeBucket


class UploadState(StrEnum):
    WAITING = "not collected yet"
    IN_TURN = "in the running turn"
    NOT_PREPARED = "not prepared"
    """The last turn tried and failed: it is tried again."""
    UNREADABLE = "unreadable"
    """Set aside until it is replaced, or until an operator asks for a turn."""


class UploadWaiting(Record):
    """A file in `train/` or `test/` that no turn has worked off yet."""

    key: str
    split: Split
    size: int
    last_modified: datetime
    state: UploadState = UploadState.WAITING
    reason: str | None = None
    """Of an unreadable one."""


def uploads_waiting(intake: IntakeBucket, *, turn_runs: bool) -> list[UploadWaiting]:
    """The files in `train/` and `test/`, oldest first, with what became of those that a turn has tried already."""
    number = turns.current_number(intake)
    beginning = last_beginning(intake, (turns.name_of(number - back) for back in range(min(number, 4))))
    tried = {_version(upload): upload for upload in beginning.uploads} if beginning else {}
    set_aside = {_version(upload): upload for upload in beginning.set_aside} if beginning else {}
    found: list[UploadWaiting] = []
    for split in Split:
        for item in intake.list(f"{split}/"):
            if item["Key"].endswith("/"):
                continue
            version = (item["Key"], item["ETag"], item["LastModified"])
            upload = set_aside.get(version) or tried.get(version)
            report = intake.read(report_key(upload), UploadResult) if upload else None
            state, reason = UploadState.WAITING, None
            if report is not None and report.outcome is UploadOutcome.UNREADABLE:
                state, reason = UploadState.UNREADABLE, report.reason
            elif upload is not None:
                state = UploadState.IN_TURN if turn_runs else UploadState.NOT_PREPARED
            found.append(
                UploadWaiting(
                    key=item["Key"],
                    split=split,
                    size=item["Size"],
                    last_modified=item["LastModified"],
                    state=state,
                    reason=reason,
                )
            )
    return sorted(found, key=lambda waiting: (waiting.last_modified, waiting.key))


def _version(upload: Upload) -> tuple[str, str, datetime]:
    return upload.key, upload.etag, upload.last_modified


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
    bytes: int
    labels: tuple[LabelCount, ...]
    """Every label of the flywheel, in its order."""
    ready: int
    """How many of the documents the next turn puts into a dataset."""
    reason: str


def assess(
    *, split: Split, parts: Sequence[Part], labels: tuple[str, ...], minimum: int, first: bool, quota_left: int
) -> Prepared:
    """What the next turn would do with `parts`, by the rules that it applies itself (flywheel.enough).

    `minimum` is MinimumDocumentsPerLabel, `first` says that the flywheel has no dataset of this split yet. Documents
    that stand in the other split, too, are found only when a dataset is composed: here they still count.
    """
    combinations = _sum_up(parts)
    counts = by_single_label(combinations)
    verdict = (
        enough.enough_to_train(combinations, labels=labels, minimum=minimum, first=first)
        if split is Split.TRAIN
        else enough.enough_to_test(combinations, labels=labels)
    )
    missing = dict(verdict.missing)
    documents = sum(combinations.values())
    ready = sum(enough.without(combinations, verdict.held_back).values()) if verdict.dataset else 0
    size = sum(part.bytes for part in parts)
    too_small = ready > 0 and size < enough.DATASET_MINIMUM_BYTES
    return Prepared(
        split=split,
        parts=len(parts),
        documents=documents,
        bytes=size,
        labels=tuple(
            LabelCount(
                label=label,
                documents=counts.get(label, 0),
                needed=_needed(split=split, present=label in counts, minimum=minimum, first=first),
                missing=missing.get(label, 0),
            )
            for label in labels
        ),
        ready=0 if too_small or quota_left <= 0 else ready,
        reason=_reason(
            split=split, verdict=verdict, documents=documents, ready=ready, too_small=too_small, quota_left=quota_left
        ),
    )


def _sum_up(parts: Iterable[Part]) -> dict[str, int]:
    total: dict[str, int] = {}
    for part in parts:
        for combination, documents in part.labels.items():
            total[combination] = total.get(combination, 0) + documents
    return total


def _needed(*, split: Split, present: bool, minimum: int, first: bool) -> int:
    if split is Split.TEST:
        return 1
    return minimum if first or present else 0


def _reason(
    *, split: Split, verdict: enough.Enough, documents: int, ready: int, too_small: bool, quota_left: int
) -> str:
    if not documents:
        return "Nothing waits."
    if quota_left <= 0:
        return (
            f"The flywheel has no {split.dataset_type} dataset left: ask AWS for a higher quota, "
            "or deploy a new generation of the flywheel."
        )
    if too_small:
        return f"A dataset needs {enough.DATASET_MINIMUM_BYTES} bytes: upload more."
    if not ready:
        return verdict.reason() or "Every document has a label with too few of them."
    if ready == documents:
        return "Enough: the next turn makes a dataset of them."
    return f"The next turn takes {ready} of them. {verdict.reason()}"
