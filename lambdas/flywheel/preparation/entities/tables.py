"""CSV files of a folder: annotations (``File,Line,Begin Offset,End Offset,Type``) or an entity list (``Text,Type``).

They are told by their header row, or annotations without one by a name and numbers in most rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from ..csv_record import CsvSyntax, Flaw
from ..file_format import BYTE_ORDER_MARK, FileFormat, FileKind, LineEnds, line_ends_of
from ..json_object import lines_of
from ..label_advice import delimiter_name
from ..layout import BYTES_LOOKED_AT, DELIMITERS, SEPARATOR_LINE, Row, first_rows
from ..limits import BYTES_BESIDES_THE_TEXT
from ..line_reader import Block
from ..problems import Violation
from ..rules import BROKEN_QUOTES, UNCLOSED_QUOTE, check_utf8
from .rules import ROW_TOO_LONG, WRONG_COLUMNS

# Names of columns, without case, spaces, hyphens and underscores.
_NAMES = {
    **dict.fromkeys(("file", "filename", "document", "documentname", "doc"), "file"),
    **dict.fromkeys(("line", "linenumber", "lineno"), "line"),
    **dict.fromkeys(("begin", "beginoffset", "start", "startoffset"), "begin"),
    **dict.fromkeys(("end", "endoffset"), "end"),
    **dict.fromkeys(("type", "entitytype", "label", "tag"), "type"),
    **dict.fromkeys(("text", "entity", "entitytext", "term", "phrase"), "text"),
}
_ANNOTATIONS = {"file", "begin", "end", "type"}
_ENTITY_LIST = {"text", "type"}
_WITHOUT_HEADER = (("file", "line", "begin", "end", "type"), ("file", "begin", "end", "type"))
_NUMBER = re.compile(r"\d+")
_MOST_ROWS = 0.8
_QUOTE = b'"'


@dataclass(frozen=True, slots=True)
class Table:
    """How a CSV file is written, and which of its columns has what: ``columns`` are places by name."""

    format: FileFormat
    columns: Mapping[str, int]
    width: int

    @property
    def is_entity_list(self) -> bool:
        return self.format.kind is FileKind.ENTITY_LIST


def find_table(head: bytes, *, whole: bool) -> Table | None:
    """None for a file that is neither; ``head`` is the beginning of the file, byte order mark included."""
    whole = whole and len(head) <= BYTES_LOOKED_AT
    head = head[:BYTES_LOOKED_AT]
    line_ends = line_ends_of(head)
    sample = head.removeprefix(BYTE_ORDER_MARK).replace(b"\r\n", b"\n")
    if line_ends is LineEnds.CR:
        sample = sample.replace(b"\r", b"\n")
    separator_line = SEPARATOR_LINE.match(sample)
    begin = separator_line.end() if separator_line else 0
    first_line = 1 + sample.count(b"\n", 0, begin)
    layouts = [(delimiter, list(first_rows(sample, begin, first_line, delimiter, whole))) for delimiter in DELIMITERS]
    for find in (_by_header, _by_rows):
        for delimiter, rows in layouts:
            names = find(rows)
            if names is None:
                continue
            kind = FileKind.ANNOTATIONS if "begin" in names else FileKind.ENTITY_LIST
            header = rows[0] if find is _by_header else None
            file_format = FileFormat(
                kind,
                line_ends,
                head.startswith(BYTE_ORDER_MARK),
                delimiter,
                tuple(header.cells) if header else None,
                header.end if header else first_line - 1,
                separator_line=separator_line[0].decode(errors="replace").strip() if separator_line else None,
            )
            return Table(file_format, {name: place for place, name in enumerate(names) if name}, len(names))
    return None


def _by_header(rows: Sequence[Row]) -> Sequence[str] | None:
    """The columns that the first row names; other columns have no name here."""
    if not rows or rows[0].columns > len(rows[0].cells):
        return None
    names = [_NAMES.get(re.sub(r"[\s_-]+", "", cell.casefold()), "") for cell in rows[0].cells]
    known = [name for name in names if name]
    if len(set(known)) < len(known):
        return None
    return names if set(known) >= _ANNOTATIONS or _ENTITY_LIST == set(known) == set(names) else None


def _by_rows(rows: Sequence[Row]) -> Sequence[str] | None:
    for names in _WITHOUT_HEADER:
        like = [row for row in rows if row.columns == len(names) and all(map(_NUMBER.fullmatch, row.cells[1:-1]))]
        if like and len(like) >= _MOST_ROWS * len(rows):
            return names
    return None


class TakesRows(Protocol):
    def take(self, cells: Sequence[str], line: int, raw: bytes, /) -> None:
        """Take a row of the table's width; ``raw`` is the row as it stood."""

    def refuse(self, violation: Violation, line: int, raw: bytes, /) -> None:
        """Take note of a row that cannot be read."""


class TableReader:
    """Turns blocks of lines into rows. A row never goes on in the next line: nothing in these files needs it."""

    def __init__(self, table: Table, rows: TakesRows, *, longest_cell: int) -> None:
        assert table.format.delimiter is not None  # noqa: S101  # every table has one
        self._rows = rows
        self._delimiter = table.format.delimiter
        self._syntax = CsvSyntax(self._delimiter)
        self._width = table.width
        self._header_lines = table.format.header_lines
        self.longest_record = longest_cell + BYTES_BESIDES_THE_TEXT
        self.line = 1
        """The line the next block begins with."""

    def read(self, block: Block) -> int:
        """Take all rows of a block; returns the bytes taken."""
        utf8 = block.raw.isascii() or check_utf8(block.raw) is None
        for raw in lines_of(block.raw):
            if raw and not raw.isspace() and self.line > self._header_lines:
                cells = (None if utf8 else check_utf8(raw)) or self._cells(raw)
                if isinstance(cells, Violation):
                    self._rows.refuse(cells, self.line, raw)
                else:
                    self._rows.take(cells, self.line, raw)
            self.line += 1
        return len(block.raw)

    def pass_over(self, pieces: Iterator[bytes]) -> None:
        """Take note of a line that is too long to be read as a whole."""
        self._rows.refuse(Violation(ROW_TOO_LONG, {"limit": self.longest_record}), self.line, next(pieces))
        for _ in pieces:
            pass

    def finish(self) -> None:
        """Every line was a row of its own."""

    def _cells(self, raw: bytes) -> list[str] | Violation:
        line = raw.rstrip(b"\r\n")
        if _QUOTE in line:
            record = self._syntax.read(line, 0, len(line), wanted=self._width)
            if record is Flaw.UNCLOSED:
                return Violation(UNCLOSED_QUOTE)
            if isinstance(record, Flaw):
                return Violation(BROKEN_QUOTES, {"delimiter": delimiter_name(self._delimiter)})
            cells, found = [cell.decode() for cell in record.fields], record.columns
        else:
            cells = line.decode().split(self._delimiter)
            found = len(cells)
        if found != self._width:
            facts = {"found": found, "wanted": self._width, "delimiter": delimiter_name(self._delimiter)}
            return Violation(WRONG_COLUMNS, facts)
        return cells
