"""The settings that a user's own files imply: their labels, and whether a document has one or several; or their entity
types."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from flywheel.comprehend.model_kind import ModelType
from ops.verbs.file_labels import FileLabels, Kind, agree_on_labels, find_labels, find_types
from ops.verbs.upload import check_paths

_SHOWN = 20
_INSTEAD = "Correct the files, or name the labels with --labels A,B and the mode with --mode."


def derive_settings(
    paths: Sequence[Path],
    *,
    labels: Sequence[str] | None,
    mode: str | None,
    label_delimiter: str,
    kind: Kind = Kind.CLASSES,
    confirm: Callable[[str], bool] | None = None,
) -> FileLabels:
    """``confirm`` asks a person whether labels that look wrong are meant; None if there is nobody to ask.

    Raises FileError, with a sentence that says which file and what to give instead.
    """
    check_paths(paths, folders=kind is Kind.ENTITIES)
    if kind is Kind.ENTITIES:
        found = FileLabels(labels=tuple(labels), mode=None, documents=0) if labels is not None else find_types(paths)
    elif labels is not None and mode is not None:
        found = FileLabels(labels=tuple(labels), mode=mode, documents=0)
    else:
        found = find_labels(paths, mode=mode, label_delimiter=label_delimiter)
    if labels is None:
        agree_on_labels(found, confirm=confirm, instead=_INSTEAD)
    return replace(found, labels=tuple(labels or found.labels))


def context_of(settings: FileLabels, *, name: str, label_delimiter: str) -> dict[str, str]:
    """The settings as the app's synthesis takes them."""
    labels = json.dumps(settings.labels)
    if settings.mode is None:
        return {"name": name, "model_type": ModelType.ENTITY_RECOGNIZER.value, "entity_types": labels}
    return {"name": name, "labels": labels, "mode": settings.mode, "label_delimiter": label_delimiter}


def parameters_of(given: Mapping[str, str]) -> dict[str, str]:
    """The parameters of the stack, with those that are not ``given``.

    The minimum score guards what is live already. In a walk it would only hide the model: one with many labels, or with
    entities that have to be found exactly, may be usable far below the default.
    """
    return {"MinimumScore": "0"} | dict(given)


def words_of(settings: FileLabels) -> str:
    """The settings in a line."""
    named = ", ".join(settings.labels[:_SHOWN])
    if settings.mode is None:
        return f"An entity recognizer with {len(settings.labels)} entity types: {named}"
    return f"{settings.mode} with {len(settings.labels)} labels: {named}"
