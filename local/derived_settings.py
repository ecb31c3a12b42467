"""The settings that a user's own files imply: their labels, and whether a document has one or several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from ops.file_labels import FileLabels, agree_on_labels, find_labels
from ops.upload import check_paths

_INSTEAD = "Correct the files, or name the labels with --labels A,B and the mode with --mode."


def derive_settings(
    paths: Sequence[Path],
    *,
    labels: Sequence[str] | None,
    mode: str | None,
    label_delimiter: str,
    confirm: Callable[[str], bool] | None = None,
) -> FileLabels:
    """``confirm`` asks a person whether labels that look wrong are meant; None if there is nobody to ask.

    Raises FileError, with a sentence that says which file and what to give instead.
    """
    check_paths(paths)
    if labels is not None and mode is not None:
        found = FileLabels(labels=tuple(labels), mode=mode, documents=0)
    else:
        found = find_labels(paths, mode=mode, label_delimiter=label_delimiter)
    if labels is None:
        agree_on_labels(found, confirm=confirm, instead=_INSTEAD)
    return replace(found, labels=tuple(labels or found.labels))
