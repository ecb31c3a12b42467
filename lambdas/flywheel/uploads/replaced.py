"""Finds versions of uploads that newer versions replaced before any turn collected them, to report them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING

from flywheel.records.uploads import Split, Upload, UploadSource

if TYPE_CHECKING:
    from flywheel.store.bucket import IntakeBucket

Version = tuple[Upload, bool]
"""A version of an upload, and whether it is the current one."""


def versions_by_key(intake: IntakeBucket, split: Split) -> dict[str, tuple[list[Version], list[datetime]]]:
    """By key: its versions, newest first as S3 lists them, and the times of its delete markers."""
    by_key: dict[str, tuple[list[Version], list[datetime]]] = {}
    for found, is_marker in intake.list_versions(f"{split}/"):
        if found["Key"].endswith("/"):
            continue
        versions, markers = by_key.setdefault(found["Key"], ([], []))
        if is_marker:
            markers.append(found["LastModified"])
            continue
        upload = Upload(
            key=found["Key"],
            split=split,
            version_id=found["VersionId"],
            etag=found["ETag"],
            size=found["Size"],
            last_modified=found["LastModified"],
        )
        versions.append((upload, found["IsLatest"]))
    return by_key


def replaced_by_next(newest_first: Sequence[Upload]) -> list[Upload]:
    """All versions but the newest, each with the version that replaced it."""
    return [
        older.model_copy(
            update={
                "replaced_by": UploadSource(
                    key=newer.key, version_id=newer.version_id, last_modified=newer.last_modified
                )
            }
        )
        for newer, older in pairwise(newest_first)
    ]


def replaced_while_prepared(intake: IntakeBucket, uploads: Iterable[Upload]) -> tuple[Upload, ...]:
    """Versions that came, and were replaced, while the turn prepared these uploads.

    Preparing ends with a delete marker if the current version has the upload's ETag. That is also so if other content
    was uploaded, and then the same again: these versions are older than the marker, so no later turn finds them.
    """
    uploads = list(uploads)
    collected = {file.key: file.version_id for upload in uploads for file in upload.files}
    found: list[Upload] = []
    for split in {upload.split for upload in uploads}:
        for key, (versions, markers) in versions_by_key(intake, split).items():
            if key in collected:
                found += _under_the_marker(collected[key], versions, markers)
    return tuple(sorted(found, key=lambda upload: (upload.last_modified, upload.key)))


def _under_the_marker(collected: str, versions: list[Version], markers: list[datetime]) -> Iterator[Upload]:
    """`collected` is the id of the version that the turn prepared."""
    places = [place for place, (upload, _) in enumerate(versions) if upload.version_id == collected]
    deleted_at = max(markers, default=None)
    if not places or deleted_at is None:
        return
    newer = [upload for upload, latest in versions[: places[0]] if not latest and upload.last_modified <= deleted_at]
    yield from replaced_by_next(newer)


def words(upload: Upload) -> str:
    """A sentence about the versions. S3 does not know who uploaded them; CloudTrail's data events do, if enabled."""
    if upload.replaced_by is None:
        return "A newer version replaced it before it was collected."
    newer = upload.replaced_by
    return (
        f"Version {upload.version_id} of {upload.last_modified:%Y-%m-%d %H:%M:%S} UTC was replaced by "
        f"{newer.version_id} of {newer.last_modified:%Y-%m-%d %H:%M:%S} before it was collected; "
        "the bucket still has it under its id."
    )
