"""Puts a planned dataset together in `datasets/`, and what it holds back aside; repeating it changes nothing."""

from __future__ import annotations

import csv
import io
import tempfile
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from flywheel.buffered_stream import buffered
from flywheel.dataset_records import (
    LABEL_SEPARATOR_IN_RECORDS,
    AcceptedDataset,
    DatasetManifest,
    DatasetPart,
    labels_of,
)
from flywheel.parts import (
    HASH_BYTES,
    PartLocation,
    dataset_location,
    facts_key,
    held_back_folder,
    prepared_folder,
    prepared_location,
    read_hashes,
)
from flywheel.upload_records import Part

if TYPE_CHECKING:
    from flywheel.intake import IntakeBucket

# A document may have 10 MB (reference 3.3); the csv module refuses fields of more than 128 KiB unless told.
csv.field_size_limit(16 * 1024 * 1024)
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
    leaked: frozenset[int] | None = None
    for part in manifest.parts:
        target = dataset_location(manifest.prefix, part.content_hash)
        # The digests are written last: with them the part is complete.
        if target.hashes in there:
            continue
        if part.held_back or part.leaked or part.delimiter != delimiter:
            leaked = leaked if leaked is not None else frozenset(read_hashes(intake, manifest.leaked_key))
            _rewrite(intake, manifest, part, leaked, delimiter)
        else:
            source = source_location(manifest, part)
            documents.append((source.documents, target.documents, part.bytes))
            digests.append((source.hashes, target.hashes, part.documents * HASH_BYTES))
    # Documents before digests, for the same reason.
    intake.copy_all(documents)
    intake.copy_all(digests)


def can_be_assembled(intake: IntakeBucket, manifest: DatasetManifest) -> bool:
    """Whether every part is in its place, or there to be brought to it with what that takes."""
    there = set(intake.keys(manifest.prefix))
    sources = set(intake.keys(f"prepared/{manifest.split}/"))
    for part in manifest.parts:
        if dataset_location(manifest.prefix, part.content_hash).hashes in there:
            continue
        source = source_location(manifest, part)
        if manifest.leaked_key not in there:
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


def count_labels(
    intake: IntakeBucket, part: Part, location: PartLocation, *, without: frozenset[int]
) -> dict[str, int]:
    """Documents by label combination, without those whose digest is in `without`."""
    counts: dict[str, int] = {}
    for row, digest in part_documents(intake, location):
        if digest not in without:
            key = _combination(row[0], part.delimiter)
            counts[key] = counts.get(key, 0) + 1
    return counts


def count_bytes(
    intake: IntakeBucket,
    part: Part,
    location: PartLocation,
    *,
    without: frozenset[int],
    held_back: frozenset[str],
    delimiter: str,
) -> int:
    """The size in a dataset of what goes into it: not the digests in `without`, nor what has a label of `held_back`."""
    sink = _ByteCounter()
    rows = csv.writer(sink, lineterminator="\n")
    for row, digest, combination in _rewritten(intake, location, part.delimiter, delimiter):
        if digest not in without and held_back.isdisjoint(labels_of(combination)):
            rows.writerow(row)
    return sink.bytes


class _ByteCounter:
    def __init__(self) -> None:
        self.bytes = 0

    def write(self, text: str) -> None:
        self.bytes += len(text.encode())


def _rewritten(
    intake: IntakeBucket, location: PartLocation, before: str, delimiter: str
) -> Iterator[tuple[list[str], int, str]]:
    """Rows whose labels are joined by `delimiter` instead of the one before, their digests and label combinations."""
    for row, digest in part_documents(intake, location):
        combination = _combination(row[0], before)
        yield [delimiter.join(labels_of(combination)), row[1]], digest, combination


def _combination(label_column: str, delimiter: str) -> str:
    return label_column.replace(delimiter, LABEL_SEPARATOR_IN_RECORDS) if delimiter else label_column


def part_documents(intake: IntakeBucket, location: PartLocation) -> Iterator[tuple[list[str], int]]:
    """Rows and digests of a part. Prepared files have no newline inside a document, so a line is a row."""
    hashes = read_hashes(intake, location.hashes)
    with intake.open(location.documents) as stream:
        lines = io.TextIOWrapper(buffered(stream), encoding="utf-8", newline="")
        yield from zip(csv.reader(lines), hashes, strict=True)


def _rewrite(
    intake: IntakeBucket, manifest: DatasetManifest, part: DatasetPart, leaked: frozenset[int], delimiter: str
) -> None:
    held_back = frozenset(manifest.held_back_labels)
    with tempfile.TemporaryDirectory() as folder:
        into, aside = _PartWriter(Path(folder) / "into"), _PartWriter(Path(folder) / "aside")
        for row, digest, combination in _rewritten(intake, source_location(manifest, part), part.delimiter, delimiter):
            if digest not in leaked:
                fits = held_back.isdisjoint(labels_of(combination))
                (into if fits else aside).write(row, digest, combination)
        if part.held_back_hash:
            location = held_back_folder(manifest.prefix, part.held_back_hash)
            aside.store(intake, documents=f"{location}documents.csv", hashes=f"{location}hashes.bin")
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
        target = dataset_location(manifest.prefix, part.content_hash)
        into.store(intake, documents=target.documents, hashes=target.hashes)


class _PartWriter:
    """Collects documents into a file of the folder, with their digests and counts."""

    def __init__(self, path: Path) -> None:
        self._csv_path = path.with_suffix(".csv")
        self._file = self._csv_path.open("w", encoding="utf-8", newline="")
        self._csv = csv.writer(self._file, lineterminator="\n")
        self._hashes: array[int] = array("Q")
        self.labels: dict[str, int] = {}

    def write(self, row: list[str], digest: int, combination: str) -> None:
        self._csv.writerow(row)
        self._hashes.append(digest)
        self.labels[combination] = self.labels.get(combination, 0) + 1

    @property
    def documents(self) -> int:
        return len(self._hashes)

    @property
    def bytes(self) -> int:
        return self._csv_path.stat().st_size

    def store(self, intake: IntakeBucket, *, documents: str, hashes: str) -> None:
        """Documents first: the digests say that the part is complete."""
        self._file.close()
        if self.documents:
            intake.upload_file(self._csv_path, documents)
        intake.write_bytes(hashes, self._hashes.tobytes())


def held_back_parts(intake: IntakeBucket, manifest: DatasetManifest) -> list[tuple[Part, PartLocation]]:
    """What an assembled dataset holds back, where it lies until the dataset is completed."""
    folders = [held_back_folder(manifest.prefix, part.held_back_hash) for part in manifest.parts if part.held_back_hash]
    return [
        (
            intake.require(f"{folder}facts.json", Part),
            PartLocation(documents=f"{folder}documents.csv", hashes=f"{folder}hashes.bin"),
        )
        for folder in folders
    ]


def clear(intake: IntakeBucket, manifest: DatasetManifest, accepted: AcceptedDataset) -> None:
    """What a COMPLETED dataset held back waits again, what it took is no longer in `prepared/`.

    The marker goes last: without it the dataset is left over, and nothing new is composed before this is repeated.
    """
    _return_held_back(intake, manifest)
    taken = _taken(manifest)
    # Facts first: a part without facts is not there for anybody.
    intake.delete(facts_key(manifest.split, content_hash) for content_hash in taken)
    folders = {prepared_folder(manifest.split, content_hash) for content_hash in taken}
    intake.delete(
        [key for key in intake.keys(f"prepared/{manifest.split}/") if f"{key.rpartition('/')[0]}/" in folders]
    )
    intake.write_once(accepted_key(manifest), accepted)


def clearing_began(intake: IntakeBucket, manifest: DatasetManifest) -> bool:
    """Whether the dataset was COMPLETED for sure: nothing else returns what it holds back or takes its parts away."""
    waiting = set(intake.keys(f"prepared/{manifest.split}/"))
    held_back = [part.held_back_hash for part in manifest.parts if part.held_back_hash]
    return not waiting.issuperset(facts_key(manifest.split, content_hash) for content_hash in _taken(manifest)) or any(
        facts_key(manifest.split, content_hash) in waiting for content_hash in held_back
    )


def accepted_key(manifest: DatasetManifest) -> str:
    return f"{manifest.prefix}accepted.json"


def _taken(manifest: DatasetManifest) -> list[str]:
    return [part.content_hash for part in manifest.parts if part.accepted_in is None]


def _return_held_back(intake: IntakeBucket, manifest: DatasetManifest) -> None:
    """Facts last, as prepare_upload writes them."""
    for part in manifest.parts:
        if part.held_back_hash:
            source = held_back_folder(manifest.prefix, part.held_back_hash)
            target = prepared_location(manifest.split, part.held_back_hash)
            intake.copy(f"{source}documents.csv", target.documents)
            intake.copy(f"{source}hashes.bin", target.hashes)
            intake.copy(f"{source}facts.json", facts_key(manifest.split, part.held_back_hash))


assert array("Q").itemsize == HASH_BYTES, "digests are read as 64-bit numbers"  # noqa: S101 - a fact of the platform
