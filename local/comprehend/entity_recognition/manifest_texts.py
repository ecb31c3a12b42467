"""Augmented manifests for custom entity recognition: the entities that Ground Truth gives of a text.

Source: "Augmented manifest file" of the developer guide.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from local.comprehend.entity_recognition.entities import AnnotatedText, Entity
from local.comprehend.manifests import manifest_lines
from local.comprehend.training_data import DataFile, InvalidTrainingDataError


def manifest_texts(file: DataFile) -> Iterator[AnnotatedText]:
    """Each line's document with the entities of all attributes; raises InvalidTrainingDataError."""
    for where, members, text in manifest_lines(file):
        found = {entity for name in file.source.attributes for entity in _of_attribute(members[name], name, where)}
        yield AnnotatedText(where=where, text=text, entities=tuple(sorted(found)))


def _of_attribute(attribute: Any, name: str, where: str) -> Iterator[Entity]:
    try:
        for item in attribute["annotations"]["entities"]:
            begin, end, type_ = item["startOffset"], item["endOffset"], item["label"]
            if type(begin) is not int or type(end) is not int or not isinstance(type_, str) or not type_:
                raise TypeError
            yield Entity(begin=begin, end=end, type=type_)
    except (KeyError, TypeError, IndexError) as error:
        raise InvalidTrainingDataError(
            f"{where}: the attribute {name} does not hold annotations.entities with startOffset, endOffset and label."
        ) from error
