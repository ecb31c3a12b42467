"""The keys of a part's documents, and of the eight-byte digests of their texts and labels."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from flywheel.preparation import labels_hash, text_hash
from flywheel.records.datasets import datasets_folder, labels_of
from flywheel.records.uploads import DocumentForm, Part, Split

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flywheel.store.bucket import IntakeBucket

HASH_BYTES = 8
PLACES = "I"
"""The array type for places of documents in a part, which has at most a million."""


@dataclass(frozen=True, kw_only=True)
class PartLocation:
    """The keys of one part's objects. All list the documents in the same order."""

    documents: str
    hashes: str
    labels: str
    """Parts that earlier versions of the pipeline wrote do not have it."""
    form: DocumentForm = DocumentForm.CSV
    combinations: str | None = None
    """Of annotated documents: digests of the label combinations, because the digest of a document's annotations does
    not tell of which types they are. Parts that earlier versions of the pipeline wrote do not have it."""

    @property
    def of_labels(self) -> tuple[str, ...]:
        """What tells the labels of each document."""
        return (self.labels,) if self.combinations is None else (self.labels, self.combinations)


def waiting_folder(split: Split) -> str:
    """Holds the prepared parts that are in no dataset yet."""
    return f"prepared/{split}/"


def prepared_folder(split: Split, content_hash: str) -> str:
    return f"{waiting_folder(split)}{content_hash}/"


def prepared_location(split: Split, content_hash: str, form: DocumentForm) -> PartLocation:
    folder = prepared_folder(split, content_hash)
    return location_in(folder, form)


def location_in(folder: str, form: DocumentForm) -> PartLocation:
    """Keys of a part that has a folder of its own."""
    return PartLocation(
        documents=f"{folder}documents.{form}",
        hashes=f"{folder}hashes.bin",
        labels=f"{folder}labels.bin",
        form=form,
        combinations=None if form is DocumentForm.CSV else f"{folder}combinations.bin",
    )


def facts_key(split: Split, content_hash: str) -> str:
    return f"{prepared_folder(split, content_hash)}facts.json"


def dataset_location(dataset_prefix: str, content_hash: str, form: DocumentForm) -> PartLocation:
    return PartLocation(
        documents=f"{dataset_prefix}documents/{content_hash}.{form}",
        hashes=f"{dataset_prefix}hashes/{content_hash}.bin",
        labels=f"{dataset_prefix}labels/{content_hash}.bin",
        form=form,
        combinations=None if form is DocumentForm.CSV else f"{dataset_prefix}labels/{content_hash}-combinations.bin",
    )


def held_back_folder(dataset_prefix: str, content_hash: str) -> str:
    return f"{dataset_prefix}held-back/{content_hash}/"


def waiting_parts(intake: IntakeBucket, split: Split) -> list[Part]:
    """Prepared parts, oldest first. A part without `facts.json` is still being written, and is left out."""
    keys = (key for key in intake.keys(waiting_folder(split)) if key.endswith("/facts.json"))
    return sorted(intake.read_all(keys, Part), key=lambda part: (part.prepared_at, part.content_hash))


def read_hashes(intake: IntakeBucket, key: str) -> array[int]:
    """The digests of a part, in document order."""
    return as_numbers(intake.read_bytes(key))


def read_all_hashes(intake: IntakeBucket, keys: Iterable[str]) -> Iterator[array[int]]:
    """The digests of each part, in the order of the keys."""
    return map(as_numbers, intake.read_bytes_all(keys))


def accepted_hashes(intake: IntakeBucket, split: Split) -> Iterator[array[int]]:
    """The digests of all documents in datasets of `split`, one part at a time, to use little memory."""
    return read_all_hashes(intake, (key for key in intake.keys(datasets_folder(split)) if "/hashes/" in key))


def as_numbers(content: bytes) -> array[int]:
    hashes: array[int] = array("Q")
    hashes.frombytes(content)
    return hashes


@lru_cache(maxsize=10_000)
def label_digest(combination: str) -> int:
    """The digest of a label combination, as in the keys of a `labels` member."""
    return int.from_bytes(labels_hash(labels_of(combination)), "little")


@lru_cache(maxsize=10_000)
def combination_digest(combination: str) -> int:
    """The digest of a combination of annotated types: what stands for it in `PartLocation.combinations`."""
    return int.from_bytes(text_hash(combination), "little")
