"""The quotas that the documents of a dataset, of all training data of a flywheel, or of a training are held against."""

from __future__ import annotations

from local.comprehend.document_classification.task_config import TaskConfig
from local.comprehend.document_classification.training_data import inspect
from local.comprehend.model_kind import MinimumOf
from local.comprehend.settings import Settings
from local.comprehend.training_data import Contents, DataFile, InvalidTrainingDataError, Part


def checked_contents(files: tuple[DataFile, ...], *, task: TaskConfig, settings: Settings) -> Contents:
    """Read the files and hold them against the quotas; raises InvalidTrainingDataError saying what is wrong."""
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
    return contents


def require_minimum(
    contents: Contents, *, parts: frozenset[Part], task: TaskConfig, settings: Settings, what: MinimumOf
) -> None:
    """Raise InvalidTrainingDataError unless each label that occurs has the minimum of training documents."""
    minimum = settings.minimum_documents(multi_label=task.multi_label)
    if what == "model" and (task.multi_label or parts == {Part.MANIFEST}):
        minimum = settings.minimum_documents_of_training
    short = [f"{label} ({count})" for label, count in sorted(contents.per_label.items()) if count < minimum]
    if short:
        raise InvalidTrainingDataError(
            f"Each label of a {what} needs at least {minimum} training documents; too few of: {', '.join(short)}."
        )
    usable = contents.documents - contents.dropped_documents
    total = settings.minimum_total_documents_multi_label
    if task.multi_label and usable < total:
        raise InvalidTrainingDataError(f"A multi-label {what} needs at least {total} documents, not {usable}.")
