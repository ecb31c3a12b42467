"""Taking a dataset in: read from S3 in the name of the flywheel's role, check, copy into the lake."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from local.comprehend.s3_uri import name_below, objects
from local.comprehend.settings import Settings
from local.comprehend.state import DataSource, TaskConfig
from local.comprehend.training_data import Contents, DocumentFile, InvalidTrainingDataError, inspect

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def download(
    *, client: S3Client, sources: Iterable[DataSource], folder: Path, maximum_bytes: int
) -> tuple[DocumentFile, ...]:
    """Copy every object of the sources into the folder, streaming.

    Raises InvalidTrainingDataError when a source matches no object or all are larger than ``maximum_bytes``, and
    botocore's errors when S3 refuses.
    """
    folder.mkdir(parents=True)
    files: list[DocumentFile] = []
    total = 0
    for source in sources:
        found = list(objects(client, source.uri))
        if not found:
            raise InvalidTrainingDataError(f"No object begins with {source.uri}.")
        for object_ in found:
            total += object_.size
            if total > maximum_bytes:
                raise InvalidTrainingDataError(f"The data are larger than the limit of {maximum_bytes} bytes.")
            path = folder / f"{len(files)}.csv"
            body = client.get_object(Bucket=object_.bucket, Key=object_.key)["Body"]
            with path.open("wb") as file:
                shutil.copyfileobj(body, file)
            name = name_below(object_, source.uri)
            if any(file.name == name for file in files):
                name = f"{len(files)}/{name}"
            files.append(DocumentFile(path=path, name=name, delimiter=source.delimiter))
    return tuple(files)


def checked_contents(
    *, files: tuple[DocumentFile, ...], task: TaskConfig, dataset_type: str, settings: Settings
) -> Contents:
    """Read the files and hold them against the dataset quotas; raises InvalidTrainingDataError saying what is wrong."""
    size = sum(file.path.stat().st_size for file in files)
    if size < settings.minimum_dataset_bytes:
        raise InvalidTrainingDataError(
            f"The data are {size} bytes; a dataset needs at least {settings.minimum_dataset_bytes} bytes."
        )
    contents = inspect(
        files,
        rules=task.rules,
        maximum_documents=settings.maximum_dataset_documents,
        maximum_document_bytes=settings.maximum_document_bytes,
    )
    if contents.documents == contents.dropped_documents:
        raise InvalidTrainingDataError("No document has a label of this flywheel.")
    if dataset_type == "TRAIN" and settings.minimum_per_label == "per_dataset":
        require_minimum(contents=contents, task=task, settings=settings, what="dataset")
    return contents


def require_minimum(*, contents: Contents, task: TaskConfig, settings: Settings, what: str) -> None:
    """Raise InvalidTrainingDataError unless each label that occurs has the minimum of training documents."""
    minimum = settings.minimum_documents(multi_label=task.multi_label)
    short = [f"{label} ({count})" for label, count in sorted(contents.per_label.items()) if count < minimum]
    if short:
        raise InvalidTrainingDataError(
            f"Each label of a {what} needs at least {minimum} training documents; too few of: {', '.join(short)}."
        )
    usable = contents.documents - contents.dropped_documents
    total = settings.minimum_total_documents_multi_label
    if task.multi_label and usable < total:
        raise InvalidTrainingDataError(f"A multi-label {what} needs at least {total} documents, not {usable}.")
