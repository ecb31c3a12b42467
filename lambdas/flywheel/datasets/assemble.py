"""Assembles a planned dataset in `datasets/`, discards one, and cleans up after Comprehend has accepted one.

Every function can be repeated: that changes nothing.
"""

from __future__ import annotations

import tempfile
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from flywheel.datasets.part_documents import rewritten
from flywheel.records.datasets import (
    AcceptedDataset,
    DatasetManifest,
    DatasetPart,
    accepted_key,
    labels_of,
    manifest_key,
    refused_key,
)
from flywheel.records.parts import (
    HASH_BYTES,
    PLACES,
    PartLocation,
    combination_digest,
    dataset_location,
    facts_key,
    held_back_folder,
    location_in,
    prepared_folder,
    prepared_location,
    waiting_folder,
)
from flywheel.records.uploads import DocumentForm, Part, Split
from flywheel.store.concatenation import Source

if TYPE_CHECKING:
    from flywheel.datasets.part_documents import Rewritten
    from flywheel.store.bucket import IntakeBucket


def assemble(intake: IntakeBucket, manifest: DatasetManifest, *, delimiter: str) -> None:
    """Write every part into the dataset: copied within S3 if all of its documents go in, else rewritten."""
    there = set(intake.keys(manifest.prefix))
    documents: list[tuple[str, str, int]] = []
    digests: list[tuple[str, str, int]] = []
    dropped: dict[str, Dropped] | None = None
    labelled = _label_digests_of_sources(intake, manifest)
    for part in manifest.parts:
        target = dataset_location(manifest.prefix, part.content_hash, part.form)
        # The digests are written last: with them the part is complete.
        if target.hashes in there:
            continue
        source = source_location(manifest, part)
        if part.held_back or part.dropped or part.delimiter != delimiter or not labelled.issuperset(source.of_labels):
            dropped = dropped if dropped is not None else read_dropped(intake, manifest)
            _rewrite(intake, manifest, part, dropped[part.content_hash], delimiter)
        else:
            documents.append((source.documents, target.documents, part.bytes))
            documents += [
                (key, copy, part.documents * HASH_BYTES)
                for key, copy in zip(source.of_labels, target.of_labels, strict=True)
            ]
            digests.append((source.hashes, target.hashes, part.documents * HASH_BYTES))
    # All documents before any digests, for the same reason.
    intake.copy_all(documents)
    intake.copy_all(digests)
    if manifest.is_joined and manifest.joined_key not in there:
        _join(intake, manifest)


def _join(intake: IntakeBucket, manifest: DatasetManifest) -> None:
    keys = [
        dataset_location(manifest.prefix, part.content_hash, part.form).documents
        for part in manifest.parts
        if part.documents
    ]
    sizes = {found["Key"]: found["Size"] for found in intake.list(manifest.documents_prefix)}
    intake.concatenate(
        manifest.joined_key,
        [Source(key=key, size=sizes[key]) for key in keys],
        content_type="application/jsonl",
    )


def source_location(manifest: DatasetManifest, part: DatasetPart) -> PartLocation:
    """Where the part is before it is in the dataset."""
    if part.accepted_in:
        return dataset_location(part.accepted_in, part.content_hash, part.form)
    return prepared_location(manifest.split, part.content_hash, part.form)


def _label_digests_of_sources(intake: IntakeBucket, manifest: DatasetManifest) -> set[str]:
    """Keys. Parts that earlier versions of the pipeline wrote have no label digests: rewriting the part makes them."""
    folders = {waiting_folder(manifest.split)} | {
        f"{part.accepted_in}labels/" for part in manifest.parts if part.accepted_in
    }
    return {key for folder in folders for key in intake.keys(folder)}


@dataclass(frozen=True, kw_only=True)
class Dropped:
    """Places of a part's documents that do not go into the dataset."""

    dropped: frozenset[int]
    refused: frozenset[int]
    """These are stored next to the dataset's documents."""
    excluded: frozenset[int]
    """These go back to `prepared/` with what is held back."""


def read_dropped(intake: IntakeBucket, manifest: DatasetManifest) -> dict[str, Dropped]:
    """By content hash. The manifest says how many places in the file belong to each part."""
    places: array[int] = array(PLACES)
    places.frombytes(intake.read_bytes(manifest.dropped_key))
    found: dict[str, Dropped] = {}
    start = 0
    for part in manifest.parts:
        middle = start + part.leaked + part.duplicates
        end = middle + part.refused
        found[part.content_hash] = Dropped(
            dropped=frozenset(places[start:middle]),
            refused=frozenset(places[middle:end]),
            excluded=frozenset(places[end : end + part.excluded]),
        )
        start = end + part.excluded
    return found


def _rewrite(
    intake: IntakeBucket, manifest: DatasetManifest, part: DatasetPart, dropped: Dropped, delimiter: str
) -> None:
    held_back = frozenset(manifest.held_back_labels)
    with tempfile.TemporaryDirectory() as folder:
        into, aside, refused = (_PartWriter(Path(folder) / name, part.form) for name in ("into", "aside", "refused"))
        documents = rewritten(intake, source_location(manifest, part), part.delimiter, delimiter)
        for place, document in enumerate(documents):
            if place in dropped.refused:
                refused.write(document)
            elif place not in dropped.dropped:
                fits = place not in dropped.excluded and held_back.isdisjoint(labels_of(document.combination))
                (into if fits else aside).write(document)
        if part.refused:
            refused.store_documents(intake, refused_key(manifest, part))
        if part.held_back_hash:
            location = held_back_folder(manifest.prefix, part.held_back_hash)
            aside.store(intake, location_in(location, part.form))
            facts = Part(
                content_hash=part.held_back_hash,
                split=manifest.split,
                documents=aside.documents,
                bytes=aside.bytes,
                labels=aside.labels,
                delimiter=delimiter,
                form=part.form,
                sources=part.sources,
                prepared_at=manifest.composed_at,
            )
            intake.write(f"{location}facts.json", facts)
        into.store(intake, dataset_location(manifest.prefix, part.content_hash, part.form))


class _PartWriter:
    """Collects documents in a local file, with their digests and counts."""

    def __init__(self, path: Path, form: DocumentForm) -> None:
        self._path = path
        self._annotated = form is not DocumentForm.CSV
        self._file = path.open("w", encoding="utf-8", newline="")
        self._hashes: array[int] = array("Q")
        self._label_digests: array[int] = array("Q")
        self._combinations: array[int] = array("Q")
        self.labels: dict[str, int] = {}

    def write(self, document: Rewritten) -> None:
        self._file.write(document.line)
        self._hashes.append(document.digest)
        self._label_digests.append(document.label_digest)
        if self._annotated:
            self._combinations.append(combination_digest(document.combination))
        self.labels[document.combination] = self.labels.get(document.combination, 0) + 1

    @property
    def documents(self) -> int:
        return len(self._hashes)

    @property
    def bytes(self) -> int:
        return self._path.stat().st_size

    def store_documents(self, intake: IntakeBucket, key: str) -> None:
        self._file.close()
        intake.upload_file(self._path, key)

    def store(self, intake: IntakeBucket, location: PartLocation) -> None:
        """The digests of the texts are written last: with them the part is complete."""
        if self.documents:
            self.store_documents(intake, location.documents)
        intake.write_bytes(location.labels, self._label_digests.tobytes())
        if location.combinations is not None:
            intake.write_bytes(location.combinations, self._combinations.tobytes())
        intake.write_bytes(location.hashes, self._hashes.tobytes())


def can_be_assembled(intake: IntakeBucket, manifest: DatasetManifest) -> bool:
    """Whether every part is in the dataset, or its source and the list of dropped documents exist."""
    there = set(intake.keys(manifest.prefix))
    sources = set(intake.keys(waiting_folder(manifest.split)))
    for part in manifest.parts:
        if dataset_location(manifest.prefix, part.content_hash, part.form).hashes in there:
            continue
        source = source_location(manifest, part)
        if manifest.dropped_key not in there:
            return False
        # The parts of an accepted dataset are never deleted.
        if part.accepted_in is None and not sources.issuperset((source.documents, source.hashes)):
            return False
    return True


def held_back_parts(intake: IntakeBucket, manifest: DatasetManifest) -> list[tuple[Part, PartLocation]]:
    """The parts that an assembled dataset holds back, with their location until the dataset is COMPLETED."""
    folders = [held_back_folder(manifest.prefix, part.held_back_hash) for part in manifest.parts if part.held_back_hash]
    facts = ((folder, intake.require(f"{folder}facts.json", Part)) for folder in folders)
    return [(part, location_in(folder, part.form)) for folder, part in facts]


def discard(intake: IntakeBucket, manifest: DatasetManifest) -> None:
    """Delete a dataset that no turn will register. Its documents are still in `prepared/`, or in another dataset.

    The manifest is deleted last: if the function is killed before, the dataset is found again.
    """
    manifest_file = manifest_key(manifest.split, manifest.name)
    intake.delete([key for key in intake.keys(manifest.prefix) if key != manifest_file])
    intake.delete([manifest_file])


def clear(intake: IntakeBucket, manifest: DatasetManifest, accepted: AcceptedDataset) -> None:
    """Return what a COMPLETED dataset held back to `prepared/`, and delete there what the dataset has.

    `accepted.json` is written last: without it a later turn repeats this before it composes another dataset.
    """
    _return_held_back(intake, manifest)
    take_away(intake, manifest.split, _taken(manifest))
    intake.write_once(accepted_key(manifest), accepted)


def take_away(intake: IntakeBucket, split: Split, content_hashes: Iterable[str]) -> None:
    """Delete parts from `prepared/` that datasets have."""
    taken = list(content_hashes)
    # Facts first: a part without facts is ignored.
    intake.delete(facts_key(split, content_hash) for content_hash in taken)
    folders = {prepared_folder(split, content_hash) for content_hash in taken}
    intake.delete([key for key in intake.keys(waiting_folder(split)) if f"{key.rpartition('/')[0]}/" in folders])


def clearing_began(intake: IntakeBucket, manifest: DatasetManifest) -> bool:
    """Whether `clear` has begun, so that the dataset is certainly COMPLETED: a part of it is no longer in `prepared/`,
    or a held-back one is there again."""
    waiting = set(intake.keys(waiting_folder(manifest.split)))
    held_back = [part.held_back_hash for part in manifest.parts if part.held_back_hash]
    return not waiting.issuperset(facts_key(manifest.split, content_hash) for content_hash in _taken(manifest)) or any(
        facts_key(manifest.split, content_hash) in waiting for content_hash in held_back
    )


def _taken(manifest: DatasetManifest) -> list[str]:
    return [part.content_hash for part in manifest.parts if part.accepted_in is None]


def _return_held_back(intake: IntakeBucket, manifest: DatasetManifest) -> None:
    """The facts are copied last, as `prepare_upload` writes them last."""
    for part in manifest.parts:
        if part.held_back_hash:
            folder = held_back_folder(manifest.prefix, part.held_back_hash)
            source = location_in(folder, part.form)
            target = prepared_location(manifest.split, part.held_back_hash, part.form)
            intake.copy(source.documents, target.documents)
            intake.copy(source.labels, target.labels)
            # What an earlier version of the pipeline has put aside has none.
            if source.combinations and target.combinations and intake.exists(source.combinations):
                intake.copy(source.combinations, target.combinations)
            intake.copy(source.hashes, target.hashes)
            intake.copy(f"{folder}facts.json", facts_key(manifest.split, part.held_back_hash))


assert array("Q").itemsize == HASH_BYTES, "digests are read as 64-bit numbers"  # noqa: S101 - a fact of the platform
