"""Documents with entities, in the forms that Comprehend takes for custom entity recognition.

Sources: "Preparing entity recognizer training data" of the developer guide, and the flywheel dataset quotas.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from local.comprehend.entity_recognition.entities import AnnotatedText, Entity
from local.comprehend.entity_recognition.manifest_texts import manifest_texts
from local.comprehend.entity_recognition.plain_documents import annotated_texts
from local.comprehend.training_data import Contents, DataFile, InvalidTrainingDataError, Part, groups


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
    for each in _read(files):
        yield Document(text=each.text, entities=tuple(entity for entity in each.entities if entity.type in types))


def inspect(
    files: Sequence[DataFile], *, types: frozenset[str], maximum_documents: int, maximum_document_bytes: int
) -> Contents:
    """Read every document strictly and count.

    Raises InvalidTrainingDataError at the first one that cannot be read, is over a limit, or has an annotation outside
    its text or over another one. Entities of other types are left out silently, as the service does, and counted; their
    documents stay.
    """
    contents = Contents()
    for each in _read(files):
        contents.documents += 1
        if contents.documents > maximum_documents:
            raise InvalidTrainingDataError(f"{each.where}: a dataset holds at most {maximum_documents} documents.")
        _check(each, maximum_document_bytes)
        contents.bytes += len(each.text.encode())
        for entity in each.entities:
            counted = contents.per_label if entity.type in types else contents.unknown_labels
            counted[entity.type] += 1
    return contents


def _read(files: Sequence[DataFile]) -> Iterator[AnnotatedText]:
    for group in groups(files):
        if group[0].source.part is not Part.MANIFEST:
            yield from annotated_texts(group)
        else:
            for file in group:
                yield from manifest_texts(file)


def _check(document: AnnotatedText, maximum_document_bytes: int) -> None:
    text, last = document.text, 0
    if not text.strip():
        raise InvalidTrainingDataError(f"{document.where}: the document is empty.")
    if len(text.encode()) > maximum_document_bytes:
        raise InvalidTrainingDataError(f"{document.where}: the document is larger than {maximum_document_bytes} bytes.")
    for entity in document.entities:
        place = f"{document.where}: the annotation {entity.type} from {entity.begin} to {entity.end}"
        if not 0 <= entity.begin < entity.end <= len(text):
            raise InvalidTrainingDataError(f"{place} is not within the document's {len(text)} characters.")
        if entity.begin < last:
            raise InvalidTrainingDataError(f"{place} overlaps another one.")
        last = entity.end
