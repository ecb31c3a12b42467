"""Documents with entities, in the forms that Comprehend takes for custom entity recognition.

Sources: "Preparing entity recognizer training data" of the developer guide, and the flywheel dataset quotas.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from local.comprehend.manifests import manifest_lines
from local.comprehend.training_data import Contents, DataFile, InvalidTrainingDataError, groups


@dataclass(frozen=True, kw_only=True, order=True)
class Entity:
    """Where an entity stands in its document, in code points, ``end`` exclusive."""

    begin: int
    end: int
    type: str


@dataclass(frozen=True, kw_only=True, order=True)
class Document:
    """A text and its entities, in the order in which they stand in it."""

    text: str
    entities: tuple[Entity, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """The types of the entities, sorted."""
        return tuple(sorted({entity.type for entity in self.entities}))

    @property
    def identity(self) -> str:
        entities = (f"{entity.begin} {entity.end} {entity.type}" for entity in self.entities)
        return "\0".join([*entities, self.text])


def documents(files: Sequence[DataFile], *, types: frozenset[str]) -> Iterator[Document]:
    """The documents of a checked dataset, with the entities of these types."""
    for _, text, entities in _annotated(files):
        yield Document(text=text, entities=tuple(entity for entity in entities if entity.type in types))


def inspect(
    files: Sequence[DataFile], *, types: frozenset[str], maximum_documents: int, maximum_document_bytes: int
) -> Contents:
    """Read every document strictly and count.

    Raises InvalidTrainingDataError at the first one that cannot be read, is over a limit, or has an annotation outside
    its text or over another one. Entities of other types are left out silently, as the service does, and counted; their
    documents stay.
    """
    contents = Contents()
    for where, text, entities in _annotated(files):
        contents.documents += 1
        if contents.documents > maximum_documents:
            raise InvalidTrainingDataError(f"{where}: a dataset holds at most {maximum_documents} documents.")
        if len(text.encode()) > maximum_document_bytes:
            raise InvalidTrainingDataError(f"{where}: the document is larger than {maximum_document_bytes} bytes.")
        _check(where, text, entities)
        for entity in entities:
            counted = contents.per_label if entity.type in types else contents.unknown_labels
            counted[entity.type] += 1
    return contents


def _annotated(files: Sequence[DataFile]) -> Iterator[tuple[str, str, list[Entity]]]:
    """Where each document is, its text, and its entities in the order of the text."""
    for group in groups(files):
        for file in group:
            for where, members, text in manifest_lines(file):
                found = {
                    entity for name in file.source.attributes for entity in _of_attribute(members[name], name, where)
                }
                yield where, text, sorted(found)


def _of_attribute(attribute: Any, name: str, where: str) -> Iterator[Entity]:
    try:
        items = attribute["annotations"]["entities"]
        for item in items:
            begin, end, type_ = item["startOffset"], item["endOffset"], item["label"]
            if type(begin) is not int or type(end) is not int or not isinstance(type_, str) or not type_:
                raise TypeError
            yield Entity(begin=begin, end=end, type=type_)
    except (KeyError, TypeError, IndexError) as error:
        raise InvalidTrainingDataError(
            f"{where}: the attribute {name} does not hold annotations.entities with startOffset, endOffset and label."
        ) from error


def _check(where: str, text: str, entities: Sequence[Entity]) -> None:
    last = 0
    for entity in entities:
        place = f"{where}: the annotation {entity.type} from {entity.begin} to {entity.end}"
        if not 0 <= entity.begin < entity.end <= len(text):
            raise InvalidTrainingDataError(f"{place} is not within the document's {len(text)} characters.")
        if entity.begin < last:
            raise InvalidTrainingDataError(f"{place} overlaps another one.")
        last = entity.end
