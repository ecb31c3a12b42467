"""Parts with their location: waiting in `prepared/`, or in a dataset."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from flywheel.records.datasets import datasets_folder
from flywheel.records.parts import PartLocation, dataset_location, prepared_location
from flywheel.records.parts import waiting_parts as prepared_parts
from flywheel.records.uploads import Part, Split

if TYPE_CHECKING:
    from flywheel.records.datasets import DatasetManifest
    from flywheel.store.bucket import IntakeBucket


@dataclass(frozen=True, kw_only=True, eq=False)
class StoredPart:
    part: Part
    location: PartLocation
    source: str
    """A name that people know: the key of an upload, or a dataset's name."""
    accepted_in: str | None = None
    """Prefix of the dataset of an older generation that has the part."""


def waiting_part(part: Part, location: PartLocation) -> StoredPart:
    return StoredPart(part=part, location=location, source=part.sources[0].key if part.sources else part.content_hash)


def waiting_parts(intake: IntakeBucket, split: Split) -> Iterator[StoredPart]:
    """Those in `prepared/`, oldest first."""
    for part in prepared_parts(intake, split):
        yield waiting_part(part, prepared_location(split, part.content_hash, part.form))


def parts_of(manifest: DatasetManifest) -> Iterator[StoredPart]:
    """The dataset's parts, without the documents that it left out."""
    for known in manifest.parts:
        part = Part(
            content_hash=known.content_hash,
            split=manifest.split,
            documents=known.documents,
            bytes=known.bytes,
            labels=known.labels,
            delimiter=known.delimiter,
            form=known.form,
            sources=known.sources,
            prepared_at=manifest.composed_at,
        )
        location = dataset_location(manifest.prefix, known.content_hash, known.form)
        yield StoredPart(part=part, location=location, source=manifest.name)


def parts_with_digests(
    intake: IntakeBucket, split: Split, manifests: Iterable[DatasetManifest], *, flywheel_arn: str
) -> Iterator[StoredPart]:
    """The parts that are completely written. In a dataset that a stopped turn composed some may be missing: they still
    wait. Parts in datasets of other generations than `flywheel_arn` have `accepted_in`."""
    there = {key for key in intake.keys(datasets_folder(split)) if "/hashes/" in key}
    for manifest in manifests:
        older = manifest.prefix if manifest.flywheel_arn != flywheel_arn else None
        for stored in parts_of(manifest):
            if stored.location.hashes in there and stored.part.documents:
                yield replace(stored, accepted_in=older)
