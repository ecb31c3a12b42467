"""Works out how a file is written from its first lines.

What decides, in this order: a delimiter that joins labels is none of columns; then the delimiter under which most rows
are a configured label and a text; then just two columns; then what an Excel line (``sep=;``) says; then a comma. Which
column is the label's, a header says; without one it is the first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from .csv_record import BLANK_LINES, CsvSyntax, Flaw
from .file_format import BYTE_ORDER_MARK, FileFormat, FileKind, LineEnds, line_ends_of
from .labels import LabelColumn

DELIMITERS = (",", ";", "\t", "|")
BYTES_LOOKED_AT = 1 << 18
_RECORDS_LOOKED_AT = 100
_CELLS_LOOKED_AT = 10
_MOST_ROWS = 0.8
SEPARATOR_LINE = re.compile(rb'\s*"?sep=(.)"?[,;\t|]*\s*?(?:\n|\Z)', re.IGNORECASE)
# A header's names, by the words in them in lower case. One of the first kind is enough; of the others both columns
# have to have one, or the rows have to show which column is the label's.
_LABEL_NAMES = frozenset({"label", "labels", "class", "classes", "category", "categories", "classification", "target"})
_TEXT_NAMES = frozenset({"text", "texts", "document", "documents", "content", "body", "sentence", "message"})
_LABEL_WORDS = _LABEL_NAMES | set(
    "intent intents topic topics tag tags sentiment type kind group queue annotation y gold department".split()
)
_TEXT_WORDS = _TEXT_NAMES | set(
    "sentences messages review reviews comment comments tweet utterance utterances query question questions title "
    "headline description email mail post ticket phrase input abstract summary x transcript request".split()
)
_NAME = re.compile(r"\w[\w .-]{0,40}")


@dataclass(frozen=True, slots=True)
class Row:
    """``cells`` are the first of ``columns``; ``line`` is where the row begins, ``end`` where it ends, from 1."""

    cells: list[str]
    columns: int
    line: int
    end: int
    raw: bytes
    """As it stands."""

    @property
    def quoted(self) -> bool:
        """Whether a double quote stands in it."""
        return b'"' in self.raw


@dataclass(slots=True)
class Layout:
    """The first rows of a CSV file under one delimiter, header included."""

    delimiter: str
    rows: list[Row]
    fitting: int = 0
    """Rows of two columns with a configured label in one of them."""
    labelled: int = 0
    """Rows of any columns that begin with one."""
    pairs: int = 0
    """Rows of two columns."""
    header: Row | None = None
    text_first: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """The format, and the rows that it rests on (none in JSON Lines)."""

    format: FileFormat
    layout: Layout | None = None
    quotes_all: bool = False
    """Whether every row looked at has its text between double quotes, so that a line without any is no record."""
    attribute: str | None = None
    """Of a manifest: the attribute with the classes."""


def find_layout(head: bytes, *, whole: bool, labels: LabelColumn) -> Found:
    """``head`` is the beginning of the file, byte order mark included; ``whole`` says that there is no more of it."""
    whole = whole and len(head) <= BYTES_LOOKED_AT
    head = head[:BYTES_LOOKED_AT]
    byte_order_mark = head.startswith(BYTE_ORDER_MARK)
    line_ends = line_ends_of(head)
    sample = head[len(BYTE_ORDER_MARK) :] if byte_order_mark else head
    sample = sample.replace(b"\r\n", b"\n")
    if line_ends is LineEnds.CR:
        sample = sample.replace(b"\r", b"\n")
    separator_line = SEPARATOR_LINE.match(sample)
    begin = separator_line.end() if separator_line else 0
    first_line = 1 + sample.count(b"\n", 0, begin)
    layouts = [
        _look(Layout(delimiter, list(first_rows(sample, begin, first_line, delimiter, whole))), labels)
        for delimiter in DELIMITERS
        if delimiter != labels.delimiter
    ]
    hint = separator_line[1].decode(errors="replace") if separator_line else None
    chosen = max(layouts, key=partial(_weight, hint=hint))
    if sample.lstrip().startswith(b"{") and not chosen.fitting:
        return Found(FileFormat(FileKind.JSON_LINES, line_ends, byte_order_mark))
    header = chosen.header
    file_format = FileFormat(
        FileKind.CSV,
        line_ends,
        byte_order_mark,
        chosen.delimiter,
        tuple(header.cells) if header else None,
        header.end if header else first_line - 1,
        chosen.text_first,
        separator_line[0].decode(errors="replace").strip() if separator_line else None,
    )
    documents = [row for row in chosen.rows if row is not header]
    return Found(
        file_format,
        chosen,
        quotes_all=bool(documents) and all(row.quoted for row in documents),
    )


def _weight(layout: Layout, *, hint: str | None) -> tuple[int, int, bool, bool, int]:
    mostly_pairs = layout.pairs >= _MOST_ROWS * len(layout.rows) if layout.pairs else False
    # `max` takes the first of equals, and a comma is the first.
    return layout.fitting, layout.labelled, mostly_pairs, layout.delimiter == hint, 0 if mostly_pairs else layout.pairs


def first_rows(sample: bytes, position: int, line: int, delimiter: str, whole: bool) -> Iterator[Row]:
    """The first records that are not blank and have no misplaced quotes. ``sample`` has ``\n`` line ends only;
    ``position`` and ``line`` are where they begin, ``whole`` says that the file ends with the sample."""
    syntax = CsvSyntax(delimiter)
    found = 0
    while position < len(sample) and found < _RECORDS_LOOKED_AT:
        blank = BLANK_LINES.match(sample, position)
        if blank is not None:
            line += sample.count(b"\n", position, blank.end())
            position = blank.end()
            continue
        record = syntax.read(sample, position, len(sample), wanted=_CELLS_LOOKED_AT)
        begin = line
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
                cells = [cell.decode(errors="replace").strip() for cell in record.fields]
                yield Row(cells, record.columns, begin, line, sample[position:end])
        line += 1
        position = end + 1


def _look(layout: Layout, labels: LabelColumn) -> Layout:
    """Count what speaks for a delimiter, and find the header under it."""
    second = 0
    # Where no labels are configured, what stands first in rows is as good as one to tell that labels are joined.
    firsts = {row.cells[0] for row in layout.rows if row.columns > 1}
    is_label = labels.knows if labels.configured else firsts.__contains__
    for row in layout.rows:
        if row.columns < 2:
            continue
        known = list(map(labels.knows, row.cells[:2]))
        if any(map(is_label, row.cells[:2])) and _joins(layout.delimiter, row, is_label):
            # The delimiter joins labels, and another one separates the columns.
            continue
        layout.labelled += known[0]
        layout.pairs += row.columns == 2
        layout.fitting += row.columns == 2 and any(known)
        second += row.columns == 2 and known[1]
    first = layout.rows[0] if layout.rows else None
    proven = second >= _MOST_ROWS * (len(layout.rows) - 1) and second > layout.labelled
    text_first = None if first is None else _header_kind(first, labels, proven=proven and second > 1)
    if first is not None and text_first is not None:
        layout.header, layout.text_first = first, text_first
        layout.fitting += 1
        layout.labelled += 1
    return layout


def _joins(delimiter: str, row: Row, is_label: Callable[[str], bool]) -> bool:
    """Whether the delimiter stands between two labels, and another one between them and the text."""
    cells = row.cells
    label_first = is_label(cells[0])
    for other in DELIMITERS:
        split = bytes.partition if label_first else bytes.rpartition
        labels = split(row.raw, other.encode())[0 if label_first else 2]
        # One that stands in a text between quotes separates nothing.
        if other == delimiter or labels.count(b'"') % 2:
            continue
        for cell in cells[1:] if label_first else cells[:1]:
            label = cell.partition(other)[0] if label_first else cell.rpartition(other)[2]
            # A document has no label twice: such a text only begins with the same word.
            if other in cell and is_label(label) and label.strip() not in (cells[0], cells[-1]):
                return True
    return False


def _header_kind(row: Row, labels: LabelColumn, *, proven: bool) -> bool | None:
    """None for a row that is no header, otherwise whether it names the text first. A configured label never is one.

    ``proven`` says that the rows have labels in the second column.
    """
    if row.columns != 2 or any(map(labels.knows, row.cells)):
        return None
    first, second = (cell.casefold() for cell in row.cells)
    if first in _TEXT_NAMES and second not in _TEXT_NAMES:
        return True
    if first in _LABEL_NAMES or second in _TEXT_NAMES:
        return False
    if not _NAME.fullmatch(first) or not _NAME.fullmatch(second):
        return None
    words = [set(re.split(r"[\W_]+", name)) for name in (first, second)]
    if words[0] & _TEXT_WORDS and words[1] & _LABEL_WORDS:
        return True
    if words[0] & _LABEL_WORDS and words[1] & _TEXT_WORDS:
        return False
    return True if proven and (words[0] & _TEXT_WORDS or words[1] & _LABEL_WORDS) else None
