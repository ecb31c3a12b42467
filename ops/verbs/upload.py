"""Uploading files into the intake bucket, where the pipeline collects them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from flywheel.faults.service_faults import error_code
from flywheel.records.uploads import Split, Upload
from flywheel.store.record import Record
from ops.deployment.errors import FileError
from ops.deployment.published import AnyDeployment, Deployment
from ops.deployment.service_errors import is_access_denied

_FILES_AT_ONCE = 8
_MISSING = {"404", "NoSuchKey", "NotFound"}

OnBytes = Callable[[Path, int], None]
"""Told the file and how many more of its bytes are in the bucket."""


class Uploaded(Record):
    path: str
    key: str
    split: Split
    size: int
    replaced: Upload | None = None
    """The earlier upload of the same name, which no turn had collected and none will."""
    upload: Upload | None = None
    """What the pipeline calls it. None if it was collected at once, or if these credentials may write but not read."""


def check_paths(paths: Sequence[Path], *, folders: bool = False) -> None:
    """Raises FileError for what is no file; with ``folders`` a folder with files in it will do."""
    for path in paths:
        if folders and path.is_dir():
            if not files_of(path):
                raise FileError(f"{path} is a folder without files.")
            continue
        if path.is_dir():
            raise FileError(f"{path} is a folder: name the files in it, such as {path}/*.csv.")
        if not path.is_file():
            raise FileError(f"{path} does not exist: check the path.")


def files_of(path: Path) -> dict[Path, str]:
    """The files of an upload, and their keys below `train/` or `test/`: of a folder all that are in it."""
    if not path.is_dir():
        return {path: path.name}
    name = path.resolve().name
    return {file: f"{name}/{file.relative_to(path).as_posix()}" for file in sorted(path.rglob("*")) if file.is_file()}


def check_names(paths: Sequence[Path]) -> None:
    """Raises FileError if two have one name: the folder that a path lies in is no part of its key."""
    for name, times in Counter(path.resolve().name if path.is_dir() else path.name for path in paths).items():
        if times > 1:
            raise FileError(
                f"Two of the files are named {name!r} and would replace each other in the bucket: "
                "rename one of them, or upload it after the other has been collected."
            )


def upload(
    deployment: Deployment, paths: Sequence[Path], split: Split = Split.TRAIN, *, on_bytes: OnBytes | None = None
) -> list[Uploaded]:
    """Puts each file under its own name below `train/` or `test/`, several at a time, large ones in parts; the files
    of a folder, which a recognizer's flywheel takes, below `train/<name>/`.

    A file of the same name that waits there is replaced. Raises the errors of `check_paths` and `check_names` before
    anything is uploaded, boto3.exceptions.S3UploadFailedError and botocore's errors.
    """
    check_paths(paths, folders=deployment.kind.takes_folders)
    check_names(paths)
    keys = {file: f"{split}/{key}" for path in paths for file, key in files_of(path).items()}
    with ThreadPoolExecutor(_FILES_AT_ONCE) as pool:
        return list(pool.map(lambda path: _upload_one(deployment, path, keys[path], split, on_bytes), keys))


def upload_to(deployment: AnyDeployment, keys: Mapping[Path, str], *, on_bytes: OnBytes | None = None) -> None:
    """Puts each file under its key, several at a time, large ones in parts."""
    with ThreadPoolExecutor(_FILES_AT_ONCE) as pool:
        for _ in pool.map(lambda path: _put(deployment, path, keys[path], on_bytes), keys):
            pass


def _put(deployment: AnyDeployment, path: Path, key: str, on_bytes: OnBytes | None) -> None:
    callback: Any = partial(on_bytes, path) if on_bytes else None
    deployment.clients.s3.upload_file(str(path), deployment.intake.name, key, Callback=callback)


def _upload_one(deployment: Deployment, path: Path, key: str, split: Split, on_bytes: OnBytes | None) -> Uploaded:
    replaced = _current_upload(deployment, key, split)
    _put(deployment, path, key, on_bytes)
    return Uploaded(
        path=str(path),
        key=key,
        split=split,
        size=path.stat().st_size,
        replaced=replaced,
        upload=_current_upload(deployment, key, split),
    )


def _current_upload(deployment: Deployment, key: str, split: Split) -> Upload | None:
    """The object at `key`; None if there is none or these credentials may not look: an uploader's may only write."""
    try:
        head = deployment.clients.s3.head_object(Bucket=deployment.intake.name, Key=key)
    except ClientError as error:
        if error_code(error) in _MISSING or is_access_denied(error):
            return None
        raise
    return Upload(
        key=key,
        split=split,
        version_id=head.get("VersionId", "null"),
        etag=head["ETag"],
        size=head["ContentLength"],
        last_modified=head["LastModified"],
    )
