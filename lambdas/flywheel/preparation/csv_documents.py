"""Reads documents from CSV.

Most lines of a real file are simple: a label cell that was seen before, a delimiter, and a text with or without quotes
around it. ``_take_simple_lines`` takes those with a few C-level operations on bytes; every other line goes to
``_read_record``, which reads by the letter, three times slower. For a line that either can take both come to the same
result.

By the letter, a quote that somebody forgot to close joins every line up to the next quote. So where the lines of a
record look like records of their own, its quotes are taken for the mistake that they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import accumulate, islice, repeat

from .csv_record import BLANK_LINES, CsvRecord, CsvSyntax, Flaw
from .documents import TakesDocuments
from .label_advice import delimiter_name
from .labels import LabelColumn, is_remembered
from .limits import BYTES_BESIDES_THE_TEXT, Limits
from .line_reader import Block
from .problems import BadLines, Violation
from .rules import (
    BROKEN_QUOTES,
    CLOSING_QUOTE,
    DOCUMENT_TOO_LARGE,
    NUL,
    RECORDS_IN_QUOTES,
    UNCLOSED_QUOTE,
    check_columns,
    check_text,
    check_utf8,
    is_blank,
)
from .text import without_line_feeds

# A text that consists of double quotes takes two bytes for each.
_QUOTED_BYTES_PER_BYTE = 2
_CARRIAGE_RETURN = ord("\r")
_QUOTE = ord('"')
_FIRST_BEYOND_ASCII = 128
_CUT_OFF = -1
_INNER_LINES_LOOKED_AT = 1000
_LONGEST_CELL_LOOKED_AT = 1 << 14


class CsvReader:
    """Turns blocks of lines into documents and bad lines."""

    def __init__(
        self,
        *,
        delimiter: str,
        text_first: bool,
        quotes_all: bool,
        labels: LabelColumn,
        limits: Limits,
        documents: TakesDocuments,
        bad: BadLines,
    ) -> None:
        self._delimiter = delimiter
        self._delimiter_byte = ord(delimiter)
        self._text_first = text_first
        self._syntax = CsvSyntax(delimiter)
        self._labels = labels
        self._limits = limits
        self.longest_record = _QUOTED_BYTES_PER_BYTE * limits.document_bytes + BYTES_BESIDES_THE_TEXT
        """Bytes of the longest record that can hold a document within the limit."""
        self._documents = documents
        self._bad = bad
        # Label cells as files write them, with quotes and spaces -> head.
        self._cells: dict[bytes, bytes] = {}
        self._cut_off = False
        self._texts_without_quotes = not quotes_all
        # The line with the quote that closes what an earlier line opened by mistake, and that line.
        self._closing = self._opened = 0
        self.line = 1
        """The line the next block begins with."""

    def read(self, block: Block) -> int:
        """Take the documents of a block; returns the bytes taken: not those of a record that the block cuts off."""
        blank = BLANK_LINES.match(block.raw)
        if blank is not None and not self._cut_off:
            self.line += block.raw.count(b"\n", 0, blank.end())
            return blank.end()
        view = _View(block)
        batch = _Batch()
        taken = self._read_first_record(view, batch) if self._cut_off else self._read_lines(view, batch)
        self._documents.write(batch.heads, batch.texts, batch.with_quotes)
        return taken

    def pass_over(self, pieces: Iterator[bytes]) -> None:
        """Take note of a line that is too long to be read as a whole."""
        violation = Violation(DOCUMENT_TOO_LARGE, {"limit": self._limits.document_bytes})
        self._bad.add_long(violation, line=self.line, pieces=pieces)

    def _read_first_record(self, view: _View, batch: _Batch) -> int:
        """The record that earlier blocks cut off, and nothing else: this block may have many millions of lines."""
        end = self._read_record(view, 0, self.line, batch)
        if end == _CUT_OFF:
            return 0
        self._cut_off = False
        self.line += view.data.count(b"\n", 0, end) + 1
        return view.raw_offset(end + 1)

    def _read_lines(self, view: _View, batch: _Batch) -> int:
        """Runs of simple lines, and between them records that are read by the letter."""
        data = view.data
        lines = data.split(b"\n")
        if not lines[-1]:
            lines.pop()
        rest = iter(lines)
        # The next line that nobody took: its place among the lines, and where it begins.
        place = start = 0
        for simple_lines in self._take_simple_lines(self._split_in_two(rest), view, batch):
            start += sum(map(len, lines[place : place + simple_lines])) + simple_lines
            place += simple_lines
            end = self._read_record(view, start, self.line + place, batch)
            if end == _CUT_OFF:
                self._cut_off = True
                self.line += place
                return view.raw_offset(start)
            # The record's first line has left `rest`.
            further_lines = data.count(b"\n", start, end)
            next(islice(rest, further_lines, further_lines), None)
            place += 1 + further_lines
            start = end + 1
        self.line += len(lines)
        return len(view.block.raw)

    def _take_simple_lines(
        self, lines: Iterable[tuple[bytes, bytes, bytes]], view: _View, batch: _Batch
    ) -> Iterator[int]:
        """Take simple lines up to one that is not, yield how many they were, and go on with what ``lines`` has then."""
        add_head, add_text, texts = batch.heads.append, batch.texts.append, batch.texts
        head_of, text_of = self._cells.get, self._simple_text
        limit = self._limits.document_bytes
        # What a line has to be looked at for besides; for most blocks it is nothing.
        utf8, ascii_only = view.utf8, view.data.isascii()
        careful = _CARRIAGE_RETURN in view.data or NUL in view.data or len(view.data) > limit
        before = len(texts)
        for cell, _, field in lines:
            head = head_of(cell)
            text = b"" if head is None else text_of(field)
            if (
                head is not None
                and text
                and (ascii_only or text.isascii() or (utf8 and (text[0] < _FIRST_BEYOND_ASCII or not is_blank(text))))
                and not (careful and (_CARRIAGE_RETURN in text or NUL in text or len(field) > limit))
            ):
                if _QUOTE in text:
                    batch.with_quotes.append(len(texts))
                add_head(head)
                add_text(text)
            else:
                yield len(texts) - before
                before = len(texts)

    def _simple_text(self, field: bytes) -> bytes:
        """The text of a simple line; empty if the line is not simple."""
        if field and field[0] == _QUOTE == field[-1]:
            text = field[1:-1]
            if _QUOTE in text:
                if _QUOTE in text.replace(b'""', b""):
                    return b""
                text = text.replace(b'""', b'"')
            return text.strip()
        if _QUOTE in field or self._delimiter_byte in field:
            return b""
        self._texts_without_quotes = True
        return field.strip()

    def _split_in_two(self, lines: Iterable[bytes]) -> Iterator[tuple[bytes, bytes, bytes]]:
        """Label cell, delimiter and the other column, if every delimiter but one stands between quotes."""
        separator = self._delimiter.encode("ascii")
        if self._text_first:
            return ((cell, found, field) for field, found, cell in map(bytes.rpartition, lines, repeat(separator)))
        return map(bytes.partition, lines, repeat(separator))

    def _read_record(self, view: _View, start: int, line: int, batch: _Batch) -> int:
        """Take the record at ``start``, good or bad; returns the offset of its last newline, or ``_CUT_OFF``."""
        data = view.data
        blank = BLANK_LINES.match(data, start)
        if blank is not None:
            return blank.end() - 1
        line_end = data.find(b"\n", start)
        if line_end < 0:
            line_end = len(data)
        if not data[start:line_end].strip():
            return line_end
        if line_end - start > self.longest_record:
            violation = Violation(DOCUMENT_TOO_LARGE, {"limit": self._limits.document_bytes})
            return self._refuse(violation, view, start, line_end, line)
        if line == self._closing and not self._is_whole(view, start, line_end):
            return self._refuse(Violation(CLOSING_QUOTE, {"opened": self._opened}), view, start, line_end, line)
        record = self._syntax.read(data, start, self.longest_record)
        if record is Flaw.UNCLOSED and self._may_end_in_another_block(view, start):
            return _CUT_OFF
        if isinstance(record, Flaw):
            # Nothing tells how far a misplaced quote was meant to reach, so the next line is read as a new record.
            return self._refuse(self._misquoted(data[start:line_end]), view, start, line_end, line)
        mistaken = None
        if record.end > line_end:
            mistaken = self._mistaken(data, start, line_end, record.end, line)
        elif not self._texts_without_quotes:
            self._texts_without_quotes = self._is_without_quotes(data[start:line_end])
        if mistaken is not None:
            violation, end = mistaken
            return self._refuse(violation, view, start, end, line)
        return self._take(record, view, start, line_end, line, batch)

    def _take(self, record: CsvRecord, view: _View, start: int, line_end: int, line: int, batch: _Batch) -> int:
        document = self._document(record, view, start)
        if isinstance(document, Violation):
            return self._refuse(document, view, start, record.end, line)
        head, text = document
        batch.add(head, text)
        if record.end == line_end:
            self._remember(view.data[start:line_end], head)
        return record.end

    def _mistaken(self, data: bytes, start: int, line_end: int, end: int, line: int) -> tuple[Violation, int] | None:
        """What is wrong with a record of several lines whose quotes join what are records of their own; up to where."""
        newlines = data.count(b"\n", start, end)
        like_records, looked_at = self._records_inside(data, start, end)
        if newlines >= self._limits.record_lines:
            return Violation(UNCLOSED_QUOTE), line_end
        if 2 * like_records > looked_at:
            self._opened, self._closing = line, line + newlines
            return Violation(UNCLOSED_QUOTE), line_end
        return (Violation(RECORDS_IN_QUOTES, {"lines": newlines + 1}), end) if like_records else None

    def _may_end_in_another_block(self, view: _View, start: int) -> bool:
        block, left = view.block, len(view.data) - start
        return (
            not block.final
            and left + block.ahead <= self.longest_record
            and view.data.count(b"\n", start) <= self._limits.record_lines
        )

    def _records_inside(self, data: bytes, start: int, end: int) -> tuple[int, int]:
        """How many of the lines that quotes join look like records of this file, and of how many.

        The first line does so in any case where labels come first, and the last where they come last.
        """
        if not self._texts_without_quotes:
            return 0, 0
        if self._text_first:
            end = data.rfind(b"\n", start, end)
        else:
            start = data.find(b"\n", start, end) + 1
        if data.find(self._delimiter.encode("ascii"), start, end) < 0:
            return 0, 1
        lines = data[start:end].split(b"\n", _INNER_LINES_LOOKED_AT)[:_INNER_LINES_LOOKED_AT]
        lines = [line for line in lines if line.strip()]
        return sum(map(self._looks_like_record, self._split_in_two(lines))), len(lines)

    def _looks_like_record(self, columns: tuple[bytes, bytes, bytes]) -> bool:
        cell, found, _ = columns
        if not found or len(cell) > _LONGEST_CELL_LOOKED_AT:
            return False
        if cell in self._cells:
            return True
        alone = self._syntax.read(cell, 0, len(cell))
        return isinstance(alone, CsvRecord) and self._labels.knows(b"".join(alone.fields).decode(errors="replace"))

    def _is_without_quotes(self, line: bytes) -> bool:
        """Whether a line is a record whose text stands without quotes, good or bad."""
        columns = next(self._split_in_two([line]))
        field = columns[2]
        return _QUOTE not in field and self._delimiter_byte not in field and self._looks_like_record(columns)

    def _misquoted(self, line: bytes) -> Violation:
        if self._syntax.read(line, 0, len(line)) is Flaw.UNCLOSED:
            return Violation(UNCLOSED_QUOTE)
        return Violation(BROKEN_QUOTES, {"delimiter": delimiter_name(self._delimiter)})

    def _document(self, record: CsvRecord, view: _View, start: int) -> tuple[bytes, bytes] | Violation:
        """Head and text of a record, or what is wrong with it."""
        violation = None if view.utf8 else check_utf8(view.data[start : record.end])
        violation = violation or check_columns(record.columns, delimiter=self._delimiter)
        if violation is not None:
            return violation
        cell, field = reversed(record.fields) if self._text_first else record.fields
        head = self._labels.of_cell(without_line_feeds(cell).decode())
        if isinstance(head, Violation):
            return head
        text = without_line_feeds(field)
        violation = check_text(text, document_bytes=self._limits.document_bytes)
        return (head, text) if violation is None else violation

    def _is_whole(self, view: _View, start: int, line_end: int) -> bool:
        """Whether a line is a good record when it is read on its own, and the quotes of its text are pairs."""
        record = self._syntax.read(view.data, start, line_end - start)
        _, _, field = next(self._split_in_two([view.data[start:line_end]]))
        return (
            field.count(_QUOTE) % 2 == 0
            and isinstance(record, CsvRecord)
            and not isinstance(self._document(record, view, start), Violation)
        )

    def _refuse(self, violation: Violation, view: _View, start: int, end: int, line: int) -> int:
        self._bad.add(violation, line=line, raw=view.raw(start, end + 1))
        return end

    def _remember(self, line: bytes, head: bytes) -> None:
        """Let ``_take_simple_lines`` know the label cell of a good line, if it is a field however the line goes on."""
        separator = self._delimiter.encode("ascii")
        cell = line.rpartition(separator)[2] if self._text_first else line.partition(separator)[0]
        if cell in self._cells or not is_remembered(cell, self._cells):
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
        self._reached = self._line = 0
        self._raw_starts: list[int] = []

    def raw(self, start: int, end: int) -> bytes:
        """The bytes as they stood of ``data[start:end]``, which are whole lines after those asked for before."""
        first = self.raw_offset(start)
        return self.block.raw[first : self.raw_offset(end)]

    def raw_offset(self, offset: int) -> int:
        """Where a line stood that now begins at ``offset``, which never is less than in the call before."""
        if len(self.data) == len(self.block.raw):
            return min(offset, len(self.data))
        if offset >= len(self.data):
            return len(self.block.raw)
        if not self._raw_starts:
            lengths = (len(line) + 1 for line in self.block.raw.split(b"\n"))
            self._raw_starts = list(accumulate(lengths, initial=0))
        self._line += self.data.count(b"\n", self._reached, offset)
        self._reached = offset
        return self._raw_starts[self._line]
