"""Records of datasets, and of documents that wait for one; and their keys."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from flywheel.records.uploads import DocumentForm, Split, UploadSource
from flywheel.spans import BEFORE_COUNT, BETWEEN_LABELS
from flywheel.store.record import Record

if TYPE_CHECKING:
    from flywheel.store.bucket import IntakeBucket

LABEL_SEPARATOR_IN_RECORDS = BETWEEN_LABELS
"""Joins the labels of one document in the keys of `labels` members."""


def datasets_folder(split: Split) -> str:
    return f"datasets/{split}/"


class DatasetPart(Record):
    content_hash: str
    documents: int
    """Documents of this part that are in the dataset."""
    bytes: int
    labels: dict[str, int]
    """Documents by label combination, as in Part, of those in the dataset."""
    delimiter: str
    form: DocumentForm = DocumentForm.CSV
    sources: tuple[UploadSource, ...]
    held_back: int = 0
    """Documents that go back to `prepared/`, because one of their labels has too few documents, or because they are
    excluded."""
    excluded: int = 0
    """Those of `held_back` that are excluded."""
    held_back_hash: str | None = None
    """Content hash of the part that the held-back documents form."""
    leaked: int = 0
    """Documents dropped because the other split has the same text."""
    duplicates: int = 0
    """Documents dropped because they are in an earlier dataset, or in an older part of this one."""
    refused: int = 0
    """Documents left out because an earlier document has the same text with other labels. They are in
    `refused/`, named after the content hash."""
    accepted_in: str | None = None
    """Prefix of the older dataset that the part is copied from, in a new generation of the flywheel."""

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
    """File in this dataset's folder with the places of the documents that are left out, four bytes each: for each
    part in turn the dropped ones, then the refused ones, then the excluded ones."""

    @property
    def dropped_key(self) -> str:
        return f"{self.prefix}{self.dropped_file}"

    @property
    def prefix(self) -> str:
        return f"{datasets_folder(self.split)}{self.name}/"

    @property
    def documents_prefix(self) -> str:
        """What Comprehend reads. Ends in a slash, because S3Uri matches by prefix."""
        return f"{self.prefix}documents/"

    @property
    def joined_key(self) -> str:
        """All documents with annotations in one object: Comprehend takes no prefix for an augmented manifest."""
        return f"{self.prefix}manifest.jsonl"

    @property
    def is_joined(self) -> bool:
        return any(part.form is DocumentForm.JSON_LINES for part in self.parts)

    @property
    def documents(self) -> int:
        return sum(part.documents for part in self.parts)


def manifest_key(split: Split, name: str) -> str:
    return f"{datasets_folder(split)}{name}/dataset.json"


def refused_key(manifest: DatasetManifest, part: DatasetPart) -> str:
    """The documents that ConflictingLabels keeps out of the dataset, to be corrected and uploaded again."""
    return f"{manifest.prefix}refused/{part.content_hash}.{part.form}"


def read_manifest(intake: IntakeBucket, split: Split, name: str) -> DatasetManifest:
    """Raises UnknownRecord."""
    return intake.require(manifest_key(split, name), DatasetManifest)


def manifests(intake: IntakeBucket, split: Split) -> list[DatasetManifest]:
    """The manifests of all composed datasets that have not failed, of all generations, oldest first."""
    keys = [manifest_key(split, name) for name in intake.folders(datasets_folder(split))]
    found = intake.read_all(keys, DatasetManifest)
    # A turn composes all of its datasets at one time.
    return sorted(found, key=lambda manifest: (manifest.composed_at, manifest.name))


class AcceptedDataset(Record):
    dataset_arn: str
    number_of_documents: int | None = None
    accepted_at: datetime


def accepted_key(manifest: DatasetManifest) -> str:
    return f"{manifest.prefix}accepted.json"


def accepted_manifests(intake: IntakeBucket, split: Split) -> list[DatasetManifest]:
    """The manifests of datasets that are COMPLETED in Comprehend, oldest first."""
    keys = set(intake.keys(datasets_folder(split)))
    return [manifest for manifest in manifests(intake, split) if accepted_key(manifest) in keys]


class DatasetRef(Record):
    name: str
    split: Split


class WaitingDocuments(Record):
    """Documents that wait for a dataset, and why."""

    split: Split
    documents: int
    labels: dict[str, int]
    """Documents by single label."""
    reason: str


class LabelConflict(Record):
    """Two documents with the same text and different labels. No record holds the text."""

    labels: tuple[str, ...]
    source: str
    """The upload or dataset that has the first of them."""
    other_labels: tuple[str, ...]
    other_source: str


class Composition(Record):
    turn: str
    datasets: tuple[DatasetRef, ...] = ()
    waiting: tuple[WaitingDocuments, ...] = ()
    leaked: dict[str, int] = {}
    """By split: documents dropped because the other split has them."""
    duplicates: dict[str, int] = {}
    """By split: documents dropped because a dataset, or an older part of the same dataset, has them."""
    refused: dict[str, int] = {}
    """By split: documents left out because an earlier one has the same text with other labels (ConflictingLabels
    REFUSE)."""
    conflicts: dict[str, int] = {}
    """By split: documents whose text an earlier one has with other labels, used or not, including waiting ones."""
    conflict_examples: tuple[LabelConflict, ...] = ()
    excluded: dict[str, int] = {}
    """By split: documents that a dataset would have had, but people excluded them."""
    cleared: dict[Split, tuple[str, ...]] = {}
    """By split: content hashes of waiting parts that are deleted, because datasets have all of their documents."""
    more: bool = False
    """Documents wait only because this turn could not take them: the next one can."""


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
    """The single labels in a key of a `labels` member, each once."""
    return tuple(label for label, _ in _counted(combination))


def _counted(combination: str) -> Iterator[tuple[str, int]]:
    for part in combination.split(LABEL_SEPARATOR_IN_RECORDS) if combination else ():
        label, _, count = part.partition(BEFORE_COUNT)
        yield label, int(count or 1)


def by_single_label(combinations: dict[str, int]) -> dict[str, int]:
    """Documents by label, or annotations by entity type, from documents by label combination."""
    single: dict[str, int] = {}
    for combination, documents in combinations.items():
        for label, count in _counted(combination):
            single[label] = single.get(label, 0) + documents * count
    return single


def without_labels(combinations: dict[str, int], held_back: frozenset[str]) -> dict[str, int]:
    """The combinations that have none of the labels in `held_back`."""
    return {key: count for key, count in combinations.items() if held_back.isdisjoint(labels_of(key))}
