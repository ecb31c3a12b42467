"""Turns an uploaded file into exactly what Comprehend wants, and says what it could not take."""

from __future__ import annotations

from typing import BinaryIO

from .bad_lines import BadLines
from .csv_documents import QUOTED_BYTES_PER_BYTE, CsvReader
from .documents import DocumentWriter
from .file_format import BYTE_ORDER_MARK, BYTES_LOOKED_AT, FileFormat, LineEnds, detect_format
from .jsonl_documents import ESCAPED_BYTES_PER_BYTE, JsonLinesReader
from .labels import LabelColumn
from .limits import LabelRules, Limits
from .line_reader import LineReader
from .preparation import Preparation
from .problems import Violation
from .rules import (
    DOCUMENT_TOO_LARGE,
    EMPTY_FILE,
    FILE_TOO_LARGE,
    TOO_MANY_DOCUMENTS,
    check_share_of_bad_lines,
)
from .unsupported import check_type

BLOCK_BYTES = 1 << 17
# What a record has besides its text: the label column, quotes, JSON keys.
_BYTES_BESIDES_THE_TEXT = 1 << 16


def prepare(
    *,
    source: BinaryIO,
    sink: BinaryIO,
    hashes: BinaryIO,
    rules: LabelRules,
    limits: Limits,
    name: str,
    bad_lines: BinaryIO | None,
    block_bytes: int = BLOCK_BYTES,
) -> Preparation:
    """Read an upload once, from beginning to end, in memory that does not depend on its size.

    Args:
        source: the file as it was uploaded: CSV (with or without a header row, a byte order mark, ``;`` TAB or ``|``
            for a comma, any line ends, newlines in quoted texts) or JSON Lines. ``read(n)`` is all that is used.
        sink: takes UTF-8 CSV in Comprehend's form: ``label,"document"``, no header, ``\\n`` line ends, several labels
            of a document joined by the delimiter of ``rules`` in the order of ``rules``.
        hashes: takes eight bytes for each document written, in the same order: the digest of its text
            (``text_hash``), little-endian when read as a number.
        rules: the labels to check against.
        limits: what is too large, too many or too bad.
        name: the file's name, for the report.
        bad_lines: takes every line that was not accepted, as it stood (with ``\\n`` for the line ends of a file that
            has only carriage returns).
        block_bytes: how much is read at a time.

    A text loses the white space around it and its newlines become spaces. A document with the same labels and text as
    an earlier one is dropped and counted. Blank lines are passed over. Nothing raises because of what the file holds.
    """
    labels = LabelColumn(rules)
    documents = DocumentWriter(sink=sink, hashes=hashes, labels=labels, capacity=limits.documents)
    bad = BadLines(copy=bad_lines, examples=limits.examples)
    run = _Run(
        labels=labels,
        documents=documents,
        bad=bad,
        lines=LineReader(source, block_bytes=block_bytes),
        limits=limits,
    )
    violation = run.read_all()
    return Preparation(
        name=name,
        accepted=violation is None,
        file_problem=None if violation is None else violation.problem(),
        format=run.format,
        lines=run.lines_read,
        documents=documents.documents,
        bytes=documents.bytes,
        content_hash=documents.content_hash,
        labels=documents.labels,
        duplicates=documents.duplicates,
        bad_lines=bad.totals,
        examples=tuple(bad.examples),
    )


class _Run:
    """One file being read."""

    def __init__(
        self, *, labels: LabelColumn, documents: DocumentWriter, bad: BadLines, lines: LineReader, limits: Limits
    ) -> None:
        self._labels = labels
        self._documents = documents
        self._bad = bad
        self._lines = lines
        self._limits = limits
        self.format: FileFormat | None = None
        self.lines_read = 0

    def read_all(self) -> Violation | None:
        """Read the file; returns what is wrong with it as a whole, if anything is."""
        head, whole = self._lines.peek(BYTES_LOOKED_AT)
        violation = check_type(head)
        if violation is not None:
            return violation
        self.format = detect_format(head, whole=whole, labels=self._labels)
        violation = self._read_documents(self.format, head)
        if violation is None:
            violation = check_share_of_bad_lines(
                bad=self._bad.total,
                documents=self._documents.documents,
                maximum_percent=self._limits.maximum_bad_lines_percent,
            )
        if violation is None and not self._documents.documents:
            violation = Violation(EMPTY_FILE)
        return violation

    def _read_documents(self, file_format: FileFormat, head: bytes) -> Violation | None:
        reader, longest = self._reader(file_format)
        old_mac = file_format.line_ends is LineEnds.CR
        self._lines.begin(
            skip=_header_bytes(file_format, head.replace(b"\r", b"\n") if old_mac else head),
            longest_line=longest,
            old_mac=old_mac,
        )
        reader.line += file_format.header_lines
        violation = None
        while violation is None:
            block = self._lines.next_block()
            if block is not None:
                self._lines.take(reader.read(block))
            elif self._lines.next_line_is_too_long:
                self._pass_over_line(reader.line)
                reader.line += 1
            else:
                break
            violation = self._check_size()
        self.lines_read = reader.line - 1
        return violation

    def _reader(self, file_format: FileFormat) -> tuple[CsvReader | JsonLinesReader, int]:
        """What reads the records, and the bytes of the longest record that can hold a document within the limit."""
        if file_format.delimiter is None:
            longest = ESCAPED_BYTES_PER_BYTE * self._limits.document_bytes + _BYTES_BESIDES_THE_TEXT
            return JsonLinesReader(
                labels=self._labels,
                limits=self._limits,
                longest_record=longest,
                documents=self._documents,
                bad=self._bad,
            ), longest
        longest = QUOTED_BYTES_PER_BYTE * self._limits.document_bytes + _BYTES_BESIDES_THE_TEXT
        return CsvReader(
            delimiter=file_format.delimiter,
            text_first=file_format.text_first,
            labels=self._labels,
            limits=self._limits,
            longest_record=longest,
            documents=self._documents,
            bad=self._bad,
        ), longest

    def _pass_over_line(self, line: int) -> None:
        pieces = self._lines.skip_line()
        violation = Violation(DOCUMENT_TOO_LARGE, {"limit": self._limits.document_bytes})
        self._bad.add(violation, line=line, raw=next(pieces))
        for piece in pieces:
            self._bad.copy_more(piece)

    def _check_size(self) -> Violation | None:
        if max(self._lines.bytes_read, self._documents.bytes) > self._limits.file_bytes:
            return Violation(FILE_TOO_LARGE, {"limit": self._limits.file_bytes})
        if self._documents.full:
            return Violation(TOO_MANY_DOCUMENTS, {"limit": self._limits.documents})
        return None


def _header_bytes(file_format: FileFormat, head: bytes) -> int:
    """The bytes of the byte order mark and the header row, which hold no document."""
    end = len(BYTE_ORDER_MARK) if file_format.byte_order_mark else 0
    for _ in range(file_format.header_lines):
        end = head.find(b"\n", end) + 1 or len(head)
    return end
