"""Works out how a file is written from its first lines: CSV or JSON Lines, delimiter, header, line ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from .csv_record import CsvSyntax, Flaw
from .labels import LabelColumn

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
DELIMITERS = (",", ";", "\t", "|")

# Compared in lower case, without surrounding spaces.
_LABEL_COLUMN = frozenset({"label", "labels", "class", "classes", "category", "categories", "classification", "target"})
_TEXT_COLUMN = frozenset({"text", "texts", "document", "documents", "content", "body", "sentence", "message"})

BYTES_LOOKED_AT = 1 << 18
_RECORDS_LOOKED_AT = 100


class FileKind(StrEnum):
    CSV = "csv"
    JSON_LINES = "jsonl"


class LineEnds(StrEnum):
    LF = "LF"
    CRLF = "CRLF"
    CR = "CR"
    MIXED = "mixed"


@dataclass(frozen=True, slots=True)
class FileFormat:
    """How a file is written. ``delimiter`` and ``header`` (the column names) belong to CSV.

    ``text_first`` says that the header names the text before the label; ``header_lines`` is how many lines it takes.
    """

    kind: FileKind
    line_ends: LineEnds
    byte_order_mark: bool = False
    delimiter: str | None = None
    header: tuple[str, ...] | None = None
    header_lines: int = 0
    text_first: bool = False

    def to_json(self) -> dict[str, Any]:
        """What is known, as what ``json.dumps`` takes."""
        known = {name: value for name, value in asdict(self).items() if value is not None}
        known.update(kind=self.kind.value, line_ends=self.line_ends.value)
        return known if self.header is None else {**known, "header": list(self.header)}


def line_ends_of(head: bytes) -> LineEnds:
    """By the beginning of a file; MIXED also when CRLF ends the lines and a quoted text holds plain newlines."""
    crlf = head.count(b"\r\n")
    lf = head.count(b"\n") - crlf
    if not lf and not crlf and b"\r" in head:
        return LineEnds.CR
    if crlf:
        return LineEnds.MIXED if lf else LineEnds.CRLF
    return LineEnds.LF


def detect_format(head: bytes, *, whole: bool, labels: LabelColumn) -> FileFormat:
    """``head`` is the beginning of the file, byte order mark included; ``whole`` says that there is no more of it.

    The delimiter is the one under which most of the first records have two columns with configured labels in one of
    them; a comma where nothing speaks for any.
    """
    whole = whole and len(head) <= BYTES_LOOKED_AT
    head = head[:BYTES_LOOKED_AT]
    byte_order_mark = head.startswith(BYTE_ORDER_MARK)
    line_ends = line_ends_of(head)
    sample = head[len(BYTE_ORDER_MARK) :] if byte_order_mark else head
    sample = sample.replace(b"\r\n", b"\n")
    if line_ends is LineEnds.CR:
        sample = sample.replace(b"\r", b"\n")
    evidence = {delimiter: _evidence(sample, delimiter, whole, labels) for delimiter in DELIMITERS}
    delimiter = max(DELIMITERS, key=evidence.__getitem__)
    if sample.lstrip().startswith(b"{") and not evidence[delimiter][0]:
        return FileFormat(FileKind.JSON_LINES, line_ends, byte_order_mark)
    header, header_lines, text_first = _header(sample, delimiter, whole, labels)
    return FileFormat(FileKind.CSV, line_ends, byte_order_mark, delimiter, header, header_lines, text_first)


class _Row(NamedTuple):
    """``cells`` are the first two of ``columns``; ``line`` is where the row ends, counted from 1."""

    cells: list[str]
    columns: int
    line: int


def _rows(sample: bytes, delimiter: str, whole: bool) -> Iterator[_Row]:
    """The first records that are not blank and have no misplaced quotes."""
    syntax = CsvSyntax(delimiter)
    position, line, found = 0, 1, 0
    while position < len(sample) and found < _RECORDS_LOOKED_AT:
        record = syntax.read(sample, position, len(sample))
        if isinstance(record, Flaw):
            end = sample.find(b"\n", position)
            end = len(sample) if end < 0 else end
        else:
            end = record.end
            if end == len(sample) and not whole:
                return
            line += sample.count(b"\n", position, end)
            if sample[position:end].strip():
                found += 1
                cells = [field.decode(errors="replace").strip() for field in record.fields]
                yield _Row(cells, record.columns, line)
        line += 1
        position = end + 1


def _evidence(sample: bytes, delimiter: str, whole: bool, labels: LabelColumn) -> tuple[int, int, int]:
    """How many records have two columns with a known label or a header, any columns with one, just two columns."""
    fitting = labelled = pairs = 0
    for row in _rows(sample, delimiter, whole):
        if row.columns < 2:
            continue
        named = labels.knows(row.cells[0]) or _header_kind(row, labels) is not None
        labelled += named
        if row.columns == 2:
            pairs += 1
            fitting += named or labels.knows(row.cells[1])
    return fitting, labelled, pairs


def _header(
    sample: bytes, delimiter: str, whole: bool, labels: LabelColumn
) -> tuple[tuple[str, ...] | None, int, bool]:
    """If the first row is a header: the names in it, the lines it takes, and whether the text comes first."""
    first = next(_rows(sample, delimiter, whole), None)
    text_first = None if first is None else _header_kind(first, labels)
    if first is None or text_first is None:
        return None, 0, False
    return tuple(first.cells), first.line, text_first


def _header_kind(row: _Row, labels: LabelColumn) -> bool | None:
    """None for a row that is no header, otherwise whether it names the text first. A configured label never is one."""
    if row.columns != 2 or any(map(labels.knows, row.cells)):
        return None
    first, second = (cell.casefold() for cell in row.cells)
    if first in _TEXT_COLUMN and second not in _TEXT_COLUMN:
        return True
    if first in _LABEL_COLUMN or second in _TEXT_COLUMN:
        return False
    return None
