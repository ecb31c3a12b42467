"""Uploads of which something was rejected, with the report that says which line and why."""

from __future__ import annotations

from pathlib import Path

from flywheel.records.uploads import REJECTED, UploadResult
from flywheel.store.record import Record
from ops.deployment.errors import OperatorError
from ops.deployment.published import Deployment


class RejectedUpload(Record):
    id: str
    result: UploadResult
    report: str
    """The report as the pipeline wrote it, for people."""


def list_rejected(deployment: Deployment) -> list[UploadResult]:
    """Newest upload first; also those of which only some lines were rejected."""
    keys = (f"{REJECTED}{upload}/report.json" for upload in deployment.intake.folders(REJECTED))
    results = deployment.intake.read_all(keys, UploadResult)
    return sorted(results, key=lambda result: (result.upload.last_modified, result.upload.id), reverse=True)


def find_rejected(deployment: Deployment, upload: str) -> RejectedUpload:
    """`upload` is an upload's id, its key or its file name (then the newest of it). Raises OperatorError."""
    result = deployment.intake.read(f"{REJECTED}{upload}/report.json", UploadResult)
    if result is None:
        named = (found for found in list_rejected(deployment) if upload in {found.upload.key, found.upload.name})
        result = next(named, None)
    if result is None:
        raise OperatorError(
            f"No rejected upload is named {upload}: `flywheel rejected` lists them. An upload that is not in that list "
            "was accepted, or still waits (`flywheel status`)."
        )
    report = deployment.intake.read_bytes(f"{REJECTED}{result.upload.id}/report.txt").decode()
    return RejectedUpload(id=result.upload.id, result=result, report=report)


def save_rejected(deployment: Deployment, upload_id: str, folder: Path) -> list[Path]:
    """Downloads what was rejected (the original, or the bad lines) and its reports into `folder`; returns the files."""
    prefix = f"{REJECTED}{upload_id}/"
    saved: list[Path] = []
    folder.mkdir(parents=True, exist_ok=True)
    for key in deployment.intake.keys(prefix):
        # A key is somebody else's text: only its last part becomes a file name, so nothing lands outside the folder,
        # and the original in one of its own: it may be called report.json.
        within, _, name = key.removeprefix(prefix).rpartition("/")
        target = folder / ("original" if within else "") / name
        target.parent.mkdir(exist_ok=True)
        with target.open("wb") as file:
            deployment.intake.download_to(key, file)
        saved.append(target)
    return saved
