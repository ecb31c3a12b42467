"""Puts a planned dataset together in `datasets/`, and what it holds back aside; repeating it changes nothing."""

from __future__ import annotations

import csv
import tempfile
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from flywheel.datasets.part_rows import rewritten
from flywheel.records.datasets import (
    AcceptedDataset,
    DatasetManifest,
    DatasetPart,
    accepted_key,
    labels_of,
    refused_key,
)
from flywheel.records.parts import (
    HASH_BYTES,
    PLACES,
    PartLocation,
    dataset_location,
    facts_key,
    held_back_folder,
    label_digest,
    location_in,
    prepared_folder,
    prepared_location,
)
from flywheel.records.uploads import Part, Split

if TYPE_CHECKING:
    from flywheel.store.bucket import IntakeBucket

_ACCEPTANCE_FILES = ("dataset.json",)


def source_location(manifest: DatasetManifest, part: DatasetPart) -> PartLocation:
    if part.accepted_in:
        return dataset_location(part.accepted_in, part.content_hash)
    return prepared_location(manifest.split, part.content_hash)


def assemble(intake: IntakeBucket, manifest: DatasetManifest, *, delimiter: str) -> None:
    """Bring every part to its place: copied by the server where all of it goes in, rewritten where not."""
    there = set(intake.keys(manifest.prefix))
    documents: list[tuple[str, str, int]] = []
    digests: list[tuple[str, str, int]] = []
    dropped: dict[str, Dropped] | None = None
    labelled = _label_digests_of_sources(intake, manifest)
    for part in manifest.parts:
        target = dataset_location(manifest.prefix, part.content_hash)
        # The digests are written last: with them the part is complete.
        if target.hashes in there:
            continue
        source = source_location(manifest, part)
        if part.held_back or part.dropped or part.delimiter != delimiter or source.labels not in labelled:
            dropped = dropped if dropped is not None else read_dropped(intake, manifest)
            _rewrite(intake, manifest, part, dropped[part.content_hash], delimiter)
        else:
            documents.append((source.documents, target.documents, part.bytes))
            documents.append((source.labels, target.labels, part.documents * HASH_BYTES))
            digests.append((source.hashes, target.hashes, part.documents * HASH_BYTES))
    # Documents before digests, for the same reason.
    intake.copy_all(documents)
    intake.copy_all(digests)


def _label_digests_of_sources(intake: IntakeBucket, manifest: DatasetManifest) -> set[str]:
    """Keys. A part of an earlier version has none: they are made when it is rewritten."""
    folders = {f"prepared/{manifest.split}/"} | {
        f"{part.accepted_in}labels/" for part in manifest.parts if part.accepted_in
    }
    return {key for folder in folders for key in intake.keys(folder)}


def can_be_assembled(intake: IntakeBucket, manifest: DatasetManifest) -> bool:
    """Whether every part is in its place, or there to be brought to it with what that takes."""
    there = set(intake.keys(manifest.prefix))
    sources = set(intake.keys(f"prepared/{manifest.split}/"))
    for part in manifest.parts:
        if dataset_location(manifest.prefix, part.content_hash).hashes in there:
            continue
        source = source_location(manifest, part)
        if manifest.dropped_key not in there:
            return False
        # An accepted dataset loses nothing.
        if part.accepted_in is None and not sources.issuperset((source.documents, source.hashes)):
            return False
    return True


def discard(intake: IntakeBucket, manifest: DatasetManifest) -> None:
    """Take a dataset that nobody goes on with out of `datasets/`; the manifest goes last: a kill leaves a trace.

    Its documents are still in `prepared/`, or in the dataset that has them.
    """
    keys = [key for key in intake.keys(manifest.prefix) if not key.endswith(_ACCEPTANCE_FILES)]
    intake.delete(keys)
    intake.delete([f"{manifest.prefix}dataset.json"])


@dataclass(frozen=True, kw_only=True)
class Dropped:
    """Places of documents of a part that do not go into the dataset."""

    dropped: frozenset[int]
    refused: frozenset[int]
    """They are kept beside it."""


def read_dropped(intake: IntakeBucket, manifest: DatasetManifest) -> dict[str, Dropped]:
    """By content hash. The file holds them part by part, as many as the manifest says."""
    places: array[int] = array(PLACES)
    places.frombytes(intake.read_bytes(manifest.dropped_key))
    found: dict[str, Dropped] = {}
    start = 0
    for part in manifest.parts:
        middle = start + part.leaked + part.duplicates
        end = middle + part.refused
        found[part.content_hash] = Dropped(
            dropped=frozenset(places[start:middle]), refused=frozenset(places[middle:end])
        )
        start = end
    return found


def _rewrite(
    intake: IntakeBucket, manifest: DatasetManifest, part: DatasetPart, dropped: Dropped, delimiter: str
) -> None:
    held_back = frozenset(manifest.held_back_labels)
    with tempfile.TemporaryDirectory() as folder:
        into, aside, refused = (_PartWriter(Path(folder) / name) for name in ("into", "aside", "refused"))
        rows = rewritten(intake, source_location(manifest, part), part.delimiter, delimiter)
        for place, (row, digest, combination) in enumerate(rows):
            if place in dropped.refused:
                refused.write(row, digest, combination)
            elif place not in dropped.dropped:
                fits = held_back.isdisjoint(labels_of(combination))
                (into if fits else aside).write(row, digest, combination)
        if part.refused:
            refused.store_documents(intake, refused_key(manifest, part))
        if part.held_back_hash:
            location = held_back_folder(manifest.prefix, part.held_back_hash)
            aside.store(intake, location_in(location))
            facts = Part(
                content_hash=part.held_back_hash,
                split=manifest.split,
                documents=aside.documents,
                bytes=aside.bytes,
                labels=aside.labels,
                delimiter=delimiter,
                sources=part.sources,
                prepared_at=manifest.composed_at,
            )
            intake.write(f"{location}facts.json", facts)
        into.store(intake, dataset_location(manifest.prefix, part.content_hash))


class _PartWriter:
    """Collects documents into a file of the folder, with their digests and counts."""

    def __init__(self, path: Path) -> None:
        self._csv_path = path.with_suffix(".csv")
        self._file = self._csv_path.open("w", encoding="utf-8", newline="")
        self._csv = csv.writer(self._file, lineterminator="\n")
        self._hashes: array[int] = array("Q")
        self._label_digests: array[int] = array("Q")
        self._digest_of: dict[str, int] = {}
        self.labels: dict[str, int] = {}

    def write(self, row: list[str], digest: int, combination: str) -> None:
        self._csv.writerow(row)
        self._hashes.append(digest)
        if combination not in self._digest_of:
            self._digest_of[combination] = label_digest(combination)
        self._label_digests.append(self._digest_of[combination])
        self.labels[combination] = self.labels.get(combination, 0) + 1

    @property
    def documents(self) -> int:
        return len(self._hashes)

    @property
    def bytes(self) -> int:
        return self._csv_path.stat().st_size

    def store_documents(self, intake: IntakeBucket, key: str) -> None:
        self._file.close()
        intake.upload_file(self._csv_path, key)

    def store(self, intake: IntakeBucket, location: PartLocation) -> None:
        """The digests of texts last: they say that the part is complete."""
        if self.documents:
            self.store_documents(intake, location.documents)
        intake.write_bytes(location.labels, self._label_digests.tobytes())
        intake.write_bytes(location.hashes, self._hashes.tobytes())


def held_back_parts(intake: IntakeBucket, manifest: DatasetManifest) -> list[tuple[Part, PartLocation]]:
    """What an assembled dataset holds back, where it lies until the dataset is completed."""
    folders = [held_back_folder(manifest.prefix, part.held_back_hash) for part in manifest.parts if part.held_back_hash]
    return [(intake.require(f"{folder}facts.json", Part), location_in(folder)) for folder in folders]


def clear(intake: IntakeBucket, manifest: DatasetManifest, accepted: AcceptedDataset) -> None:
    """What a COMPLETED dataset held back waits again, what it took is no longer in `prepared/`.

    The marker goes last: without it the dataset is left over, and nothing new is composed before this is repeated.
    """
    _return_held_back(intake, manifest)
    take_away(intake, manifest.split, _taken(manifest))
    intake.write_once(accepted_key(manifest), accepted)


def take_away(intake: IntakeBucket, split: Split, content_hashes: Iterable[str]) -> None:
    """Parts that datasets have are no longer prepared."""
    taken = list(content_hashes)
    # Facts first: a part without facts is not there for anybody.
    intake.delete(facts_key(split, content_hash) for content_hash in taken)
    folders = {prepared_folder(split, content_hash) for content_hash in taken}
    intake.delete([key for key in intake.keys(f"prepared/{split}/") if f"{key.rpartition('/')[0]}/" in folders])


def clearing_began(intake: IntakeBucket, manifest: DatasetManifest) -> bool:
    """Whether the dataset was COMPLETED for sure: nothing else returns what it holds back or takes its parts away."""
    waiting = set(intake.keys(f"prepared/{manifest.split}/"))
    held_back = [part.held_back_hash for part in manifest.parts if part.held_back_hash]
    return not waiting.issuperset(facts_key(manifest.split, content_hash) for content_hash in _taken(manifest)) or any(
        facts_key(manifest.split, content_hash) in waiting for content_hash in held_back
    )


def _taken(manifest: DatasetManifest) -> list[str]:
    return [part.content_hash for part in manifest.parts if part.accepted_in is None]


def _return_held_back(intake: IntakeBucket, manifest: DatasetManifest) -> None:
    """Facts last, as prepare_upload writes them."""
    for part in manifest.parts:
        if part.held_back_hash:
            source = held_back_folder(manifest.prefix, part.held_back_hash)
            target = prepared_location(manifest.split, part.held_back_hash)
            intake.copy(f"{source}documents.csv", target.documents)
            intake.copy(f"{source}labels.bin", target.labels)
            intake.copy(f"{source}hashes.bin", target.hashes)
            intake.copy(f"{source}facts.json", facts_key(manifest.split, part.held_back_hash))


assert array("Q").itemsize == HASH_BYTES, "digests are read as 64-bit numbers"  # noqa: S101 - a fact of the platform
