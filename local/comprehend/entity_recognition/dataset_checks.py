"""The quotas that the documents of a dataset, of all training data of a flywheel, or of a training are held against."""

from __future__ import annotations

from local.comprehend.entity_recognition.task_config import TaskConfig
from local.comprehend.entity_recognition.training_data import inspect
from local.comprehend.model_kind import MinimumOf
from local.comprehend.settings import Settings
from local.comprehend.training_data import Contents, DataFile, InvalidTrainingDataError, Part


def checked_contents(files: tuple[DataFile, ...], *, task: TaskConfig, settings: Settings) -> Contents:
    """Read the files and hold them against the quotas; raises InvalidTrainingDataError saying what is wrong."""
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
    return contents


def require_minimum(
    contents: Contents,
    *,
    parts: frozenset[Part],
    task: TaskConfig,  # noqa: ARG001 (classifiers' minimum depends on it)
    settings: Settings,
    what: MinimumOf,
) -> None:
    """Raise InvalidTrainingDataError unless each entity type that occurs has the minimum of annotations or, where data
    come with an entity list only, of its matches."""
    listed = Part.ENTITY_LIST in parts and parts <= {Part.ENTITY_LIST, Part.DOCUMENTS}
    minimum = settings.minimum_matches if listed else settings.minimum_annotations
    of = "matches of the entity list" if listed else "annotations"
    short = [f"{type_} ({count})" for type_, count in sorted(contents.per_label.items()) if count < minimum]
    if short:
        raise InvalidTrainingDataError(
            f"Each entity type of a {what} needs at least {minimum} {of}; too few of: {', '.join(short)}."
        )
    if what == "model" and contents.bytes < settings.minimum_entities_training_bytes:
        raise InvalidTrainingDataError(
            f"The documents are {contents.bytes} bytes; a training needs at least "
            f"{settings.minimum_entities_training_bytes} bytes."
        )
