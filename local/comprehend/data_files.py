"""Copies of training data, taken from S3."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from local.comprehend.storage import name_below, objects
from local.comprehend.training_data import DataFile, DataSource, InvalidTrainingDataError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def downloaded(
    client: S3Client, sources: Iterable[DataSource], *, folder: Path, maximum_bytes: int
) -> tuple[DataFile, ...]:
    """Copy every object of the sources into the folder, which is made.

    Raises InvalidTrainingDataError when a source matches no object or all are larger than ``maximum_bytes``, and
    botocore's errors when S3 refuses.
    """
    folder.mkdir(parents=True)
    files: list[DataFile] = []
    total = 0
    for source in sources:
        found = list(objects(client, source.uri))
        if not found:
            raise InvalidTrainingDataError(f"No object begins with {source.uri}.")
        for object_ in found:
            total += object_.size
            if total > maximum_bytes:
                raise InvalidTrainingDataError(f"The data are larger than the limit of {maximum_bytes} bytes.")
            path = folder / str(len(files))
            object_.download(client, path)
            files.append(DataFile(path=path, name=name_below(object_, source.uri), source=source))
    return tuple(files)
