"""Records of datasets, and of what waits for one."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from flywheel.records.uploads import Split, UploadSource
from flywheel.store.record import Record

if TYPE_CHECKING:
    from flywheel.store.bucket import IntakeBucket

LABEL_SEPARATOR_IN_RECORDS = "\x1f"
"""Joins the labels of one document in a record's keys: no label can hold a control character (reference 1.3)."""


class DatasetPart(Record):
    content_hash: str
    documents: int
    """Documents of this part that are in the dataset."""
    bytes: int
    labels: dict[str, int]
    """As in Part, for the documents in the dataset."""
    delimiter: str
    sources: tuple[UploadSource, ...]
    held_back: int = 0
    """Documents that went back to `prepared/` because a label of theirs has too few."""
    held_back_hash: str | None = None
    """Content hash of the part that the held-back documents form."""
    leaked: int = 0
    """Documents dropped because their text stands in the other split."""
    duplicates: int = 0
    """Documents dropped because they are in an earlier dataset, or in an older part of this one."""
    refused: int = 0
    """Documents left out because their text came before with other labels: `refused/<content hash>.csv` has them."""
    accepted_in: str | None = None
    """Prefix of the older dataset it was copied from, for a new generation of the flywheel."""

    @property
    def dropped(self) -> int:
        return self.leaked + self.duplicates + self.refused


class DatasetManifest(Record):
    name: str
    split: Split
    flywheel_arn: str
    turn: str
    composed_at: datetime
    parts: tuple[DatasetPart, ...]
    held_back_labels: tuple[str, ...] = ()
    dropped_file: str = "dropped.bin"
    """In this dataset's folder, part by part, four bytes each: the places of the documents that a part leaves out,
    first those dropped, then those refused."""

    @property
    def dropped_key(self) -> str:
        return f"{self.prefix}{self.dropped_file}"

    @property
    def prefix(self) -> str:
        return f"datasets/{self.split}/{self.name}/"

    @property
    def documents_prefix(self) -> str:
        """What Comprehend reads: ends in a slash, because S3Uri matches by prefix."""
        return f"{self.prefix}documents/"

    @property
    def documents(self) -> int:
        return sum(part.documents for part in self.parts)


class AcceptedDataset(Record):
    dataset_arn: str
    number_of_documents: int | None = None
    accepted_at: datetime


class DatasetRef(Record):
    name: str
    split: Split


class Waiting(Record):
    """Documents that wait, and why."""

    split: Split
    documents: int
    labels: dict[str, int]
    """Documents by single label."""
    reason: str


class LabelConflict(Record):
    """A text that stands in two places with different labels; which text, no record says."""

    labels: tuple[str, ...]
    source: str
    """The upload, or the dataset, in which it came first."""
    other_labels: tuple[str, ...]
    other_source: str


class Composition(Record):
    turn: str
    datasets: tuple[DatasetRef, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    leaked: dict[str, int] = {}
    """Documents dropped by split because they stand in the other one."""
    duplicates: dict[str, int] = {}
    """Documents dropped by split because a dataset has them, or an older part of the same one."""
    refused: dict[str, int] = {}
    """Documents left out by split because their text came before with other labels (ConflictingLabels REFUSE)."""
    conflicts: dict[str, int] = {}
    """Documents by split whose text came before with other labels, kept or not, also of what still waits."""
    conflict_examples: tuple[LabelConflict, ...] = ()
    cleared: dict[Split, tuple[str, ...]] = {}
    """Content hashes of parts that waited although datasets had every document of them: they are deleted."""
    more: bool = False
    """Documents wait only because the dataset was full: another turn has work to do."""


class DatasetSummary(Record):
    name: str
    split: Split
    documents: int
    labels: dict[str, int]
    """Documents by single label."""
    composed_at: datetime | None = None
    accepted_at: datetime | None = None
    """None until Comprehend says COMPLETED."""


def labels_of(combination: str) -> tuple[str, ...]:
    """The single labels of a key of a `labels` member."""
    return tuple(combination.split(LABEL_SEPARATOR_IN_RECORDS))


def by_single_label(combinations: dict[str, int]) -> dict[str, int]:
    """Documents by label, from documents by label combination."""
    single: dict[str, int] = {}
    for combination, documents in combinations.items():
        for label in labels_of(combination):
            single[label] = single.get(label, 0) + documents
    return single


def manifest_key(split: Split, name: str) -> str:
    return f"datasets/{split}/{name}/dataset.json"


def refused_key(manifest: DatasetManifest, part: DatasetPart) -> str:
    """Documents that ConflictingLabels keeps out of the dataset, as CSV: to be mended and uploaded again."""
    return f"{manifest.prefix}refused/{part.content_hash}.csv"


def manifests(intake: IntakeBucket, split: Split) -> list[DatasetManifest]:
    """The manifests of every dataset that was composed and has not failed, of all generations, oldest first."""
    keys = [f"datasets/{split}/{name}/dataset.json" for name in intake.folders(f"datasets/{split}/")]
    return sorted(intake.read_all(keys, DatasetManifest), key=lambda manifest: manifest.composed_at)


def accepted_manifests(intake: IntakeBucket, split: Split) -> list[DatasetManifest]:
    """Those of them that Comprehend has taken over, oldest first."""
    keys = set(intake.keys(f"datasets/{split}/"))
    return [manifest for manifest in manifests(intake, split) if accepted_key(manifest) in keys]


def accepted_key(manifest: DatasetManifest) -> str:
    return f"{manifest.prefix}accepted.json"


def read_manifest(intake: IntakeBucket, split: Split, name: str) -> DatasetManifest:
    """Raises UnknownRecord."""
    return intake.require(manifest_key(split, name), DatasetManifest)


def without_labels(combinations: dict[str, int], held_back: frozenset[str]) -> dict[str, int]:
    """The combinations that have none of the labels."""
    return {key: count for key, count in combinations.items() if held_back.isdisjoint(labels_of(key))}
