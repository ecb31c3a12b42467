"""Where the documents of a part lie, and the eight-byte digests of their texts."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flywheel.upload_records import Part, Split

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flywheel.intake import IntakeBucket

HASH_BYTES = 8


@dataclass(frozen=True, kw_only=True)
class PartLocation:
    """The keys of one part's documents and digests."""

    documents: str
    hashes: str


def prepared_folder(split: Split, content_hash: str) -> str:
    return f"prepared/{split}/{content_hash}/"


def prepared_location(split: Split, content_hash: str) -> PartLocation:
    folder = prepared_folder(split, content_hash)
    return PartLocation(documents=f"{folder}documents.csv", hashes=f"{folder}hashes.bin")


def facts_key(split: Split, content_hash: str) -> str:
    return f"{prepared_folder(split, content_hash)}facts.json"


def dataset_location(dataset_prefix: str, content_hash: str) -> PartLocation:
    return PartLocation(
        documents=f"{dataset_prefix}documents/{content_hash}.csv", hashes=f"{dataset_prefix}hashes/{content_hash}.bin"
    )


def held_back_folder(dataset_prefix: str, content_hash: str) -> str:
    return f"{dataset_prefix}held-back/{content_hash}/"


def waiting_parts(intake: IntakeBucket, split: Split) -> list[Part]:
    """Prepared parts, oldest first; one without facts is still being written."""
    keys = (key for key in intake.keys(f"prepared/{split}/") if key.endswith("/facts.json"))
    return sorted(intake.read_all(keys, Part), key=lambda part: (part.prepared_at, part.content_hash))


def read_hashes(intake: IntakeBucket, key: str) -> array[int]:
    """The digests of a part in document order."""
    return _hashes(intake.read_bytes(key))


def read_all_hashes(intake: IntakeBucket, keys: Iterable[str]) -> Iterator[array[int]]:
    """The digests of the parts in the order of the keys."""
    return map(_hashes, intake.read_bytes_all(keys))


def accepted_hashes(intake: IntakeBucket, split: Split) -> Iterator[array[int]]:
    """The digests of every document in a dataset of `split`, part by part: few enough at a time for any memory."""
    return read_all_hashes(intake, (key for key in intake.keys(f"datasets/{split}/") if "/hashes/" in key))


def _hashes(content: bytes) -> array[int]:
    hashes: array[int] = array("Q")
    hashes.frombytes(content)
    return hashes
