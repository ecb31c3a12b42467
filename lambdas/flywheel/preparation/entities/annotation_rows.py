"""The rows of annotation files, held until their documents are read, which is in order of files and lines."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from struct import Struct
from typing import NamedTuple

from ..label_advice import shortened
from ..problems import Violation
from .annotations import Annotation
from .intake import Intake
from .rules import NOT_A_NUMBER, UNKNOWN_FILE
from .tables import Table
from .type_names import TypeNames
from .writer import Place

_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.0*)?")
_MOST_DIGITS = 9
_LARGEST = 1_000_000_000
# A document's key, begin, end, the line and the number of the annotations' file, the number of the type.
_ROW = Struct("<QiiIIH")
_KEY = Struct("<Q")
_LINE_BITS = 32
GZIP_ENDING = ".gz"
_NAMES_SHOWN = 5


def document_key(file: int, line: int) -> int:
    """The number of a document by which its annotations are found: in order of files, then of lines, from 0."""
    return file << _LINE_BITS | line


class BadRow(NamedTuple):
    """A row of annotations that cannot be taken, ``raw`` as it stood."""

    violation: Violation
    place: Place
    raw: bytes


class AnnotationRows:
    """Annotations by document, 26 bytes for each, and while they are brought in order a hundred.

    First `add` all of them, then `begin_documents`, then `of_document` in order.
    """

    def __init__(self, tables: Sequence[str], *, most: int) -> None:
        """``tables`` are the names of the files with annotations, ``most`` is how many rows they may have: it is
        `full` with more, and holds no others."""
        self._tables = tables
        self._most = most
        self._rows = bytearray()
        self._type_numbers: dict[str, int] = {}
        self._type_names: list[str] = []
        # By the place of the row, where a file gives the entities' own texts.
        self._texts: dict[int, str] = {}
        self._bad_rows: dict[int, BadRow] = {}
        # Places of rows in order of their keys, and how many of them belong to documents that were asked for.
        self._order: Sequence[int] = ()
        self._next = 0

    @property
    def spoiled(self) -> int:
        """Documents that cannot be taken because one of their rows cannot."""
        return len(self._bad_rows)

    @property
    def full(self) -> bool:
        return len(self._rows) > self._most * _ROW.size

    def add(self, key: int, annotation: Annotation, *, table: int, line: int) -> None:
        if self.full:
            return
        number = self._type_numbers.setdefault(annotation.type, len(self._type_names))
        if number == len(self._type_names):
            self._type_names.append(annotation.type)
        if annotation.text is not None:
            self._texts[len(self._rows)] = annotation.text
        self._rows += _ROW.pack(key, annotation.begin, annotation.end, line, table, number)

    def spoil(self, key: int, violation: Violation, *, table: int, line: int, raw: bytes) -> None:
        """A row of this document cannot be taken."""
        place = Place(self._tables[table], line)
        self._bad_rows.setdefault(key, BadRow(violation, place, raw))

    def begin_documents(self) -> None:
        """All rows have been added."""
        self._order = range(0, len(self._rows), _ROW.size)
        if any(self._key(before) > self._key(after) for before, after in pairwise(self._order)):
            self._order = array("Q", sorted(self._order, key=self._key))

    def of_document(self, key: int) -> list[Annotation] | BadRow:
        """The annotations of a document, or its row that cannot be taken; `left_before` it nothing is."""
        bad_row = self._bad_rows.pop(key, None)
        (found,) = self.look_ahead([key])
        self._next += len(found)
        return found if bad_row is None else bad_row

    def look_ahead(self, keys: Iterable[int]) -> Iterator[list[Annotation]]:
        """The annotations of these documents, which are in order; they stay to be asked for."""
        place = self._next
        for key in keys:
            found: list[Annotation] = []
            while place < len(self._order) and (row := self._key(self._order[place])) <= key:
                if row == key:
                    found.append(self._annotation(self._order[place]))
                place += 1
            yield found

    def left_before(self, key: int) -> Iterator[tuple[Place, int, Annotation]]:
        """The rows of documents before this one that nobody asked for, with the line that they name, from 0."""
        while self._next < len(self._order) and self._key(place := self._order[self._next]) < key:
            self._next += 1
            row_key, _, _, line, table, _ = _ROW.unpack_from(self._rows, place)
            yield Place(self._tables[table], line), row_key & ((1 << _LINE_BITS) - 1), self._annotation(place)

    def refuse_bad_rows_left(self, intake: Intake) -> None:
        """Count the rows that cannot be taken among the bad lines, but those of documents that were asked for."""
        for violation, place, raw in self._bad_rows.values():
            intake.refuse(violation, place=place, raw=raw)
        self._bad_rows.clear()

    def _key(self, place: int) -> int:
        key: int = _KEY.unpack_from(self._rows, place)[0]
        return key

    def _annotation(self, place: int) -> Annotation:
        _, begin, end, _, _, number = _ROW.unpack_from(self._rows, place)
        return Annotation(begin, end, self._type_names[number], self._texts.get(place))


class AnnotationTable:
    """Takes the rows of one file of annotations."""

    def __init__(
        self,
        number: int,
        table: Table,
        *,
        name: str,
        rows: AnnotationRows,
        documents: Sequence[str],
        intake: Intake,
        types: TypeNames,
    ) -> None:
        """``number`` is the place of the file among those with annotations; ``documents`` are the names of the
        documents' files, in the order in which they will be read."""
        self._number = number
        self._name = name
        self._rows = rows
        self._documents = documents
        self._files = by_name(documents)
        self._intake = intake
        self._types = types
        columns = table.columns
        self._file, self._begin, self._end, self._type = (columns[n] for n in ("file", "begin", "end", "type"))
        self._line, self._text = columns.get("line"), columns.get("text")

    def take(self, cells: Sequence[str], line: int, raw: bytes) -> None:
        """Take a row; ``raw`` is the row as it stood."""
        name = cells[self._file]
        file = self._files.get(name)
        if file is None:
            # A name may have spaces around it, or folders before it.
            file = self._files.get(name.strip(), self._files.get(name.strip().rpartition("/")[2]))
        if file is None:
            names = ", ".join(f'"{shortened(known)}"' for known in self._documents[:_NAMES_SHOWN])
            more = ", ..." if len(self._documents) > _NAMES_SHOWN else ""
            return self.refuse(Violation(UNKNOWN_FILE, {"name": shortened(name), "names": names + more}), line, raw)
        place = 0 if self._line is None else _number(cells[self._line])
        if place is None or place < 0:
            cell = cells[self._line or 0]
            return self.refuse(Violation(NOT_A_NUMBER, {"column": "line", "value": cell}), line, raw)
        key = document_key(file, place)
        annotation = self._annotation(cells)
        if isinstance(annotation, Violation):
            return self._rows.spoil(key, annotation, table=self._number, line=line, raw=raw)
        return self._rows.add(key, annotation, table=self._number, line=line)

    def refuse(self, violation: Violation, line: int, raw: bytes) -> None:
        """Take note of a row that names no document."""
        self._intake.refuse(violation, place=Place(self._name, line), raw=raw)

    def _annotation(self, cells: Sequence[str]) -> Annotation | Violation:
        begin, end = _number(cells[self._begin]), _number(cells[self._end])
        if begin is None:
            return Violation(NOT_A_NUMBER, {"column": "begin", "value": cells[self._begin]})
        if end is None:
            return Violation(NOT_A_NUMBER, {"column": "end", "value": cells[self._end]})
        name = self._types.of(cells[self._type])
        if isinstance(name, Violation):
            return name
        return Annotation(begin, end, name, None if self._text is None else cells[self._text])


def _number(cell: str) -> int | None:
    """A whole number, also as spreadsheets write it (``5.0``); one beyond all offsets is as good as any such."""
    if cell.isdecimal() and cell.isascii() and len(cell) <= _MOST_DIGITS:
        return int(cell)
    cell = cell.strip()
    if _NUMBER.fullmatch(cell) is None:
        return None
    digits = cell.partition(".")[0]
    if len(digits) > _MOST_DIGITS:
        return -_LARGEST if digits[0] == "-" else _LARGEST
    return int(digits)


def by_name(names: Sequence[str]) -> dict[str, int]:
    """Places of names: as they are, and without their folders and the ``.gz`` of their compression where that is no
    other's name."""
    places = {name: place for place, name in enumerate(names)}
    shorter: dict[str, set[int]] = {}
    for place, name in enumerate(names):
        for whole in (name, name.removesuffix(GZIP_ENDING)):
            for short in (whole, whole.rpartition("/")[2]):
                shorter.setdefault(short, set()).add(place)
    return {short: found.pop() for short, found in shorter.items() if len(found) == 1} | places
