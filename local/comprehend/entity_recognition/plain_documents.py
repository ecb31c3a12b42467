"""Documents as plain text, with their entities in a CSV file: by their places, or as a list of what to look for.

Sources: "Annotations" and "Entity lists" of the developer guide (both with a header row).
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from local.comprehend.entity_recognition.entities import AnnotatedText, Entity
from local.comprehend.entity_recognition.entity_list import EntityList
from local.comprehend.training_data import DataFile, InvalidTrainingDataError, Part

_PLACES = ("File", "Line", "Begin Offset", "End Offset", "Type")
_LIST = ("Text", "Type")
MAXIMUM_LIST_ENTRIES = 1_000_000
MAXIMUM_LIST_CHARACTERS = 5_000


def annotated_texts(group: Sequence[DataFile]) -> Iterator[AnnotatedText]:
    """The documents of a group of files with what the other files of the group say of them.

    Raises InvalidTrainingDataError for a file that cannot be read and for an annotation of a document that is not
    there.
    """
    documents, others = _parted(group)
    if others and others[0].source.part is Part.ENTITY_LIST:
        listed = _entity_list(others)
        for name, line, text in _texts(documents):
            yield AnnotatedText(where=_where(name, line), text=text, entities=listed.matches(text))
        return
    annotations = _annotations(others, one_per_file=documents[0].source.one_per_file)
    for name, line, text in _texts(documents):
        yield AnnotatedText(where=_where(name, line), text=text, entities=annotations.taken(name, line))
    annotations.require_all_taken()


@dataclass(kw_only=True)
class _Annotations:
    """By file and line the entities, and by the same where the first of them stands in the CSV."""

    entities: dict[tuple[str, int | None], list[Entity]] = field(default_factory=lambda: defaultdict(list))
    places: dict[tuple[str, int | None], str] = field(default_factory=dict)

    def taken(self, file: str, line: int | None) -> tuple[Entity, ...]:
        """A file is named as below its prefix, or by the last part of its name alone."""
        found = [self.entities.pop((name, line), []) for name in dict.fromkeys((file, file.rsplit("/", 1)[-1]))]
        return tuple(sorted({entity for entities in found for entity in entities}))

    def require_all_taken(self) -> None:
        if self.entities:
            file, line = next(iter(self.entities))
            document = f"line {line} of {file}" if line is not None else file
            raise InvalidTrainingDataError(
                f"{self.places[file, line]}: there is no document {document} among the training documents."
            )


def _parted(group: Sequence[DataFile]) -> tuple[list[DataFile], list[DataFile]]:
    documents = [file for file in group if file.source.part is Part.DOCUMENTS]
    return documents, [file for file in group if file.source.part is not Part.DOCUMENTS]


def _texts(files: Sequence[DataFile]) -> Iterator[tuple[str, int | None, str]]:
    """File, line from 0 (None where the file is the document) and text. A line without any text counts, but is no
    document. Lines end with LF, CR or CRLF."""
    for file in files:
        try:
            if file.source.one_per_file:
                # What is not a line's end is not to be changed: offsets count it.
                yield file.name, None, file.path.read_bytes().decode("utf-8")
            else:
                with file.path.open(encoding="utf-8") as stream:
                    for number, line in enumerate(stream):
                        if line.strip():
                            yield file.name, number, line.removesuffix("\n")
        except UnicodeDecodeError as error:
            raise InvalidTrainingDataError(f"{file.name} is not valid UTF-8.") from error


def _annotations(files: Sequence[DataFile], *, one_per_file: bool) -> _Annotations:
    found = _Annotations()
    header = tuple(name for name in _PLACES if not (one_per_file and name == "Line"))
    for where, row in _rows(files, header):
        *_, begin, end, type_ = row
        line = None if one_per_file else _number(row[1], where)
        if not type_:
            raise InvalidTrainingDataError(f"{where}: the type is empty.")
        document = row[0], line
        found.entities[document].append(Entity(begin=_number(begin, where), end=_number(end, where), type=type_))
        found.places.setdefault(document, where)
    return found


def _entity_list(files: Sequence[DataFile]) -> EntityList:
    listed = EntityList()
    for number, (where, (text, type_)) in enumerate(_rows(files, _LIST), start=1):
        if number > MAXIMUM_LIST_ENTRIES:
            raise InvalidTrainingDataError(f"{where}: an entity list holds at most {MAXIMUM_LIST_ENTRIES} entries.")
        if not 1 <= len(text) <= MAXIMUM_LIST_CHARACTERS:
            raise InvalidTrainingDataError(f"{where}: an entry has 1 to {MAXIMUM_LIST_CHARACTERS} characters.")
        if not type_:
            raise InvalidTrainingDataError(f"{where}: the type is empty.")
        listed.add(text, type_)
    return listed


def _rows(files: Sequence[DataFile], header: tuple[str, ...]) -> Iterator[tuple[str, list[str]]]:
    """Where each row after the header is, and its columns without spaces around them, as AWS's examples have."""
    for file in files:
        with file.path.open("rb") as stream:
            lines = (line.decode("utf-8-sig" if not number else "utf-8") for number, line in enumerate(stream))
            reader = csv.reader(lines, strict=True, skipinitialspace=True)
            try:
                if tuple(name.strip() for name in next(reader, [])) != header:
                    raise InvalidTrainingDataError(f"{file.name}, line 1: the header must be {','.join(header)}.")
                for row in reader:
                    where = f"{file.name}, line {reader.line_num}"
                    if len(row) != len(header):
                        raise InvalidTrainingDataError(
                            f"{where}: expected {len(header)} columns ({', '.join(header)}), found {len(row)}."
                        )
                    yield where, [column.strip() for column in row]
            except UnicodeDecodeError as error:
                raise InvalidTrainingDataError(f"{file.name}, line {reader.line_num + 1}: not valid UTF-8.") from error
            except csv.Error as error:
                raise InvalidTrainingDataError(
                    f"{file.name}, line {reader.line_num}: not valid CSV ({error})."
                ) from error


def _number(column: str, where: str) -> int:
    if not (column.isascii() and column.isdigit()):
        raise InvalidTrainingDataError(f"{where}: {column!r} is no number from 0.")
    return int(column)


def _where(name: str, line: int | None) -> str:
    return name if line is None else f"{name}, line {line}"
