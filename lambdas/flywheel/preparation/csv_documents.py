"""Reads documents from CSV.

Most lines of a real file are simple: a label cell that was seen before, a delimiter, and a text with or without quotes
around it. ``CsvReader._read_lines`` takes those with a handful of C-level operations on bytes and gives every other
line to ``_read_record``, which goes by the letter. For a line that either can take both come to the same result.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, repeat

from .bad_lines import BadLines
from .csv_record import CsvRecord, CsvSyntax, Flaw
from .documents import DocumentWriter
from .labels import LabelColumn
from .limits import Limits
from .line_reader import Block
from .problems import Violation
from .rules import (
    BROKEN_QUOTES,
    DOCUMENT_TOO_LARGE,
    UNCLOSED_QUOTE,
    check_columns,
    check_text,
    check_utf8,
    delimiter_name,
    is_blank,
)
from .text import without_newlines

# A text that consists of double quotes takes two bytes for each.
QUOTED_BYTES_PER_BYTE = 2
_CARRIAGE_RETURN = ord("\r")
_QUOTE = ord('"')
_FIRST_BEYOND_ASCII = 128
_MOST_CELLS_REMEMBERED = 10_000
_CUT_OFF = -1


class CsvReader:
    """Turns blocks of lines into documents and bad lines."""

    def __init__(
        self,
        *,
        delimiter: str,
        text_first: bool,
        labels: LabelColumn,
        limits: Limits,
        longest_record: int,
        documents: DocumentWriter,
        bad: BadLines,
    ) -> None:
        self._delimiter = delimiter
        self._text_first = text_first
        self._syntax = CsvSyntax(delimiter)
        self._labels = labels
        self._limits = limits
        self._longest_record = longest_record
        self._documents = documents
        self._bad = bad
        # Label cells as files write them, with quotes and spaces -> head.
        self._cells: dict[bytes, bytes] = {}
        self._cut_off = False
        self.line = 1
        """The line the next block begins with."""

    def read(self, block: Block) -> int:
        """Take the documents of a block; returns the bytes taken: not those of a record that the block cuts off."""
        view = _View(block)
        batch = _Batch()
        taken = self._read_first_record(view, batch) if self._cut_off else self._read_lines(view, batch)
        self._documents.write(batch.heads, batch.texts, batch.with_quotes)
        return taken

    def _read_first_record(self, view: _View, batch: _Batch) -> int:
        """The record that earlier blocks cut off, and nothing else: this block may have many millions of lines."""
        end = self._read_record(view, 0, self.line, batch)
        if end == _CUT_OFF:
            return 0
        self._cut_off = False
        self.line += view.data.count(b"\n", 0, end) + 1
        return view.raw_offset(end + 1)

    def _read_lines(self, view: _View, batch: _Batch) -> int:
        data = view.data
        lines = data.split(b"\n")
        if not lines[-1]:
            lines.pop()
        heads, texts = batch.heads, batch.texts
        add_head, add_text = heads.append, texts.append
        simple = view.utf8 and _CARRIAGE_RETURN not in data and self._none_too_large(lines, len(data))
        head_of = (self._cells if simple else {}).get
        ascii_only = data.isascii()
        delimiter = ord(self._delimiter)
        rows = self._split_in_two(lines)
        # Lines that `_read_record` took, less its documents: with the documents so far, the index of the next line.
        others = 0
        reached = offset = 0
        for cell, _, field in rows:
            head = head_of(cell)
            if head is not None:
                text = b""
                if field and field[0] == _QUOTE == field[-1]:
                    text = field[1:-1]
                    if _QUOTE in text:
                        if _QUOTE in text.replace(b'""', b""):
                            text = b""
                        else:
                            text = text.replace(b'""', b'"')
                            batch.with_quotes.append(len(texts))
                    text = text.strip()
                elif _QUOTE not in field and delimiter not in field:
                    text = field.strip()
                if text and (ascii_only or text[0] < _FIRST_BEYOND_ASCII or not is_blank(text)):
                    add_head(head)
                    add_text(text)
                    continue
            index = len(texts) + others
            offset += sum(map(len, lines[reached:index])) + index - reached
            reached = index
            end = self._read_record(view, offset, self.line + index, batch)
            if end == _CUT_OFF:
                self._cut_off = True
                self.line += index
                return view.raw_offset(offset)
            taken = data.count(b"\n", offset, end) + 1
            others = index + taken - len(texts)
            if taken > 1:
                next(islice(rows, taken - 2, None), None)
        self.line += len(lines)
        return len(view.block.raw)

    def _split_in_two(self, lines: list[bytes]) -> Iterator[tuple[bytes, bytes, bytes]]:
        """Label cell, delimiter and the other column, if every delimiter but one stands between quotes."""
        separator = self._delimiter.encode("ascii")
        if self._text_first:
            return ((cell, found, field) for field, found, cell in map(bytes.rpartition, lines, repeat(separator)))
        return map(bytes.partition, lines, repeat(separator))

    def _none_too_large(self, lines: list[bytes], total: int) -> bool:
        limit = self._limits.document_bytes
        return total <= limit or max(map(len, lines)) <= limit

    def _read_record(self, view: _View, start: int, line: int, batch: _Batch) -> int:
        """Take the record at ``start``, good or bad; returns the offset of its last newline, or ``_CUT_OFF``."""
        data = view.data
        line_end = data.find(b"\n", start)
        if line_end < 0:
            line_end = len(data)
        if not data[start:line_end].strip():
            return line_end
        if line_end - start > self._longest_record:
            violation = Violation(DOCUMENT_TOO_LARGE, {"limit": self._limits.document_bytes})
            return self._refuse(violation, view, start, line_end, line)
        record = self._syntax.read(data, start, self._longest_record)
        may_go_on = not view.block.final and len(data) - start + view.block.ahead <= self._longest_record
        if record is Flaw.UNCLOSED and may_go_on:
            return _CUT_OFF
        if isinstance(record, Flaw):
            # Nothing tells how far a misplaced quote was meant to reach, so the next line is read as a new record.
            return self._refuse(self._misquoted(data[start:line_end]), view, start, line_end, line)
        found = None if view.utf8 else check_utf8(data[start : record.end])
        document = found or self._document(record)
        if isinstance(document, Violation):
            return self._refuse(document, view, start, record.end, line)
        head, text = document
        batch.add(head, text)
        if record.end == line_end:
            self._remember(data[start:line_end], head)
        return record.end

    def _misquoted(self, line: bytes) -> Violation:
        if self._syntax.read(line, 0, len(line)) is Flaw.UNCLOSED:
            return Violation(UNCLOSED_QUOTE)
        return Violation(BROKEN_QUOTES, {"delimiter": delimiter_name(self._delimiter)})

    def _document(self, record: CsvRecord) -> tuple[bytes, bytes] | Violation:
        violation = check_columns(record.columns, delimiter=self._delimiter)
        if violation is not None:
            return violation
        cell, field = reversed(record.fields) if self._text_first else record.fields
        head = self._labels.of_cell(without_newlines(cell).decode())
        if isinstance(head, Violation):
            return head
        text = without_newlines(field)
        violation = check_text(text, document_bytes=self._limits.document_bytes)
        return (head, text) if violation is None else violation

    def _refuse(self, violation: Violation, view: _View, start: int, end: int, line: int) -> int:
        self._bad.add(violation, line=line, raw=view.raw(start, end + 1))
        return end

    def _remember(self, line: bytes, head: bytes) -> None:
        """Let ``_read_lines`` know the label cell of a good line, if it is a field however the line goes on."""
        separator = self._delimiter.encode("ascii")
        cell = line.rpartition(separator)[2] if self._text_first else line.partition(separator)[0]
        if len(self._cells) >= _MOST_CELLS_REMEMBERED or cell in self._cells:
            return
        alone = self._syntax.read(cell, 0, len(cell))
        if isinstance(alone, CsvRecord) and self._labels.of_cell(b"".join(alone.fields).decode()) == head:
            self._cells[cell] = head


class _Batch:
    """The documents of a block. ``with_quotes`` are the places of the texts that may contain double quotes."""

    def __init__(self) -> None:
        self.heads: list[bytes] = []
        self.texts: list[bytes] = []
        self.with_quotes: list[int] = []

    def add(self, head: bytes, text: bytes) -> None:
        if _QUOTE in text:
            self.with_quotes.append(len(self.texts))
        self.heads.append(head)
        self.texts.append(text)


class _View:
    """A block with ``\\n`` line ends only, which still finds the bytes as they stood."""

    def __init__(self, block: Block) -> None:
        self.block = block
        self.data = block.raw.replace(b"\r\n", b"\n") if _CARRIAGE_RETURN in block.raw else block.raw
        self.utf8 = self.data.isascii() or check_utf8(self.data) is None
        self._reached = 0
        self._raw_reached = 0

    def raw(self, start: int, end: int) -> bytes:
        """The bytes as they stood of ``data[start:end]``, which are whole lines after those asked for before."""
        first = self.raw_offset(start)
        return self.block.raw[first : self.raw_offset(end)]

    def raw_offset(self, offset: int) -> int:
        """Where a line stood that now begins at ``offset``, which never is less than in the call before."""
        if len(self.data) == len(self.block.raw):
            return min(offset, len(self.data))
        for _ in range(self.data.count(b"\n", self._reached, offset)):
            self._raw_reached = self.block.raw.index(b"\n", self._raw_reached) + 1
        self._reached = offset
        return self._raw_reached if offset < len(self.data) else len(self.block.raw)
