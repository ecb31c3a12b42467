"""The quotas that the documents of a dataset, or of all training data of a flywheel, are held against."""

from __future__ import annotations

from local.comprehend.document_classification.task_config import TaskConfig
from local.comprehend.document_classification.training_data import inspect
from local.comprehend.settings import Settings
from local.comprehend.training_data import Contents, DataFile, InvalidTrainingDataError


def checked_contents(
    files: tuple[DataFile, ...], *, task: TaskConfig, dataset_type: str, settings: Settings
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
        require_minimum(contents, task=task, settings=settings, what="dataset")
    return contents


def require_minimum(contents: Contents, *, task: TaskConfig, settings: Settings, what: str) -> None:
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
