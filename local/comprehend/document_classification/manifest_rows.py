"""Augmented manifests for custom classification: what Ground Truth says of a text in ``class-name`` or ``class-map``.

Sources: the pages "Multi-class mode" and "Multi-label mode" of the developer guide.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from local.comprehend.manifests import manifest_lines
from local.comprehend.training_data import DataFile, InvalidTrainingDataError


def manifest_rows(file: DataFile, *, multi_label: bool) -> Iterator[tuple[str, list[str], str]]:
    """Where each line is, for messages, its labels, and its document.

    Labels of several attributes are taken together; without ``multi_label`` they must be one and the same. A document
    without labels has none in this form, too. Raises InvalidTrainingDataError for other lines.
    """
    for where, members, text in manifest_lines(file):
        labels: list[str] = []
        for name in file.source.attributes:
            labels += _labels(members, name, where, multi_label=multi_label)
        distinct = sorted(set(labels))
        if len(distinct) > 1 and not multi_label:
            raise InvalidTrainingDataError(f"{where}: the attributes give more than one label: {', '.join(distinct)}.")
        yield where, distinct, text


def _labels(members: dict[str, Any], name: str, where: str, *, multi_label: bool) -> list[str]:
    metadata = members.get(f"{name}-metadata")
    try:
        if not multi_label:
            found = [metadata["class-name"]]  # type: ignore[index]  # any JSON
        else:
            names = metadata["class-map"]  # type: ignore[index]  # any JSON
            found = [names[str(class_)] for class_ in members[name]]
    except (KeyError, TypeError, IndexError) as error:
        wanted = "class-map with the classes of the attribute" if multi_label else "class-name"
        raise InvalidTrainingDataError(f"{where}: {name}-metadata does not hold a {wanted}.") from error
    if not all(isinstance(label, str) for label in found):
        raise InvalidTrainingDataError(f"{where}: a label of {name} is no text.")
    return found
