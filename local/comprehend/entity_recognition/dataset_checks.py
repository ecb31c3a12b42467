"""The quotas that the documents of a dataset, or of all training data of a flywheel, are held against."""

from __future__ import annotations

from local.comprehend.entity_recognition.task_config import TaskConfig
from local.comprehend.entity_recognition.training_data import inspect
from local.comprehend.settings import Settings
from local.comprehend.training_data import Contents, DataFile, InvalidTrainingDataError, Part


def checked_contents(
    files: tuple[DataFile, ...], *, task: TaskConfig, dataset_type: str, settings: Settings
) -> Contents:
    """Read the files and hold them against the dataset quotas; raises InvalidTrainingDataError saying what is wrong."""
    contents = inspect(
        files,
        types=frozenset(task.types),
        maximum_documents=settings.maximum_entities_documents,
        maximum_document_bytes=settings.maximum_entities_document_bytes,
    )
    if contents.documents < settings.minimum_entities_documents:
        raise InvalidTrainingDataError(
            f"A dataset needs at least {settings.minimum_entities_documents} documents, not {contents.documents}."
        )
    if not contents.per_label:
        raise InvalidTrainingDataError("No annotation is of an entity type of this flywheel.")
    if dataset_type == "TRAIN" and settings.minimum_per_label == "per_dataset":
        if any(file.source.part is Part.ENTITY_LIST for file in files):
            _require(contents, minimum=settings.minimum_matches, what="dataset", of="matches of the entity list")
        else:
            require_minimum(contents, task=task, settings=settings, what="dataset")
    return contents


def require_minimum(contents: Contents, *, task: TaskConfig, settings: Settings, what: str) -> None:  # noqa: ARG001 (classifiers' minimum depends on it)
    """Raise InvalidTrainingDataError unless each entity type that occurs has the minimum of annotations."""
    _require(contents, minimum=settings.minimum_annotations, what=what, of="annotations")


def _require(contents: Contents, *, minimum: int, what: str, of: str) -> None:
    short = [f"{type_} ({count})" for type_, count in sorted(contents.per_label.items()) if count < minimum]
    if short:
        raise InvalidTrainingDataError(
            f"Each entity type of a {what} needs at least {minimum} {of}; too few of: {', '.join(short)}."
        )
