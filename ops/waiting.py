"""What waits for a dataset and what is missing for one: the counting is pure, over the facts of the prepared parts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from flywheel import enough
from flywheel.dataset_records import by_single_label
from flywheel.record import Record
from flywheel.upload_records import Part, Split


class UploadWaiting(Record):
    """A file in `train/` or `test/` that no turn has worked off yet."""

    key: str
    split: Split
    size: int
    last_modified: datetime


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
