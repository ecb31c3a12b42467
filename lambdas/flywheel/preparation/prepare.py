"""Turns an uploaded file into exactly what Comprehend wants, and says what it could not take."""

from __future__ import annotations

from typing import BinaryIO

from .csv_documents import CsvReader
from .diagnosis import diagnose
from .documents import DocumentWriter, TakesDocuments
from .file_format import BYTE_ORDER_MARK, FileFormat, FileKind, LineEnds
from .jsonl_documents import JsonForm, JsonLines, JsonReader, longest_record
from .labels import LabelColumn
from .layout import BYTES_LOOKED_AT, Found, find_layout
from .limits import AnyLabel, ConflictingLabels, LabelRules, Limits, RepeatedDocuments
from .line_reader import LineReader
from .manifest_documents import LabelledManifest, tell_manifest
from .problems import BadLines, Violation
from .reading import check_so_far, read_blocks, with_reason
from .report import Preparation
from .rules import EMPTY_FILE, TOO_MANY_BAD_LINES, check_share_of_bad_lines
from .unpacking import Unpacked, UnusableGzipError
from .unsupported import check_type

BLOCK_BYTES = 1 << 17


def prepare(
    *,
    source: BinaryIO,
    sink: BinaryIO,
    hashes: BinaryIO,
    rules: LabelRules | AnyLabel,
    limits: Limits,
    name: str,
    bad_lines: BinaryIO | None,
    label_hashes: BinaryIO | None = None,
    block_bytes: int = BLOCK_BYTES,
) -> Preparation:
    """Read an upload once, from beginning to end, in memory that does not depend on its size.

    Args:
        source: the file as it was uploaded: CSV (with or without a header row, a byte order mark, ``;`` TAB or ``|``
            for a comma, any line ends, newlines in quoted texts), JSON Lines, or an augmented manifest, each also as
            gzip. ``read(n)`` is all that is used.
        sink: takes UTF-8 CSV in Comprehend's form: ``label,"document"``, no header, ``\\n`` line ends, several labels
            of a document joined by the delimiter of ``rules`` in the order of ``rules``.
        hashes: takes eight bytes for each document written, in the same order: the digest of its text
            (``text_hash``), little-endian when read as a number.
        rules: the labels to check against; `AnyLabel` takes whatever stands in the label column.
        limits: what is too large, too many or too bad.
        name: the file's name, for the report.
        bad_lines: takes every line that was not accepted, as it stood (with ``\\n`` for the line ends of a file that
            has only carriage returns).
        label_hashes: takes eight bytes for each document written, in the same order: the digest of its labels
            (``labels_hash``).
        block_bytes: how much is read at a time.

    A text loses the white space around it and its newlines become spaces. A document with the same labels and text as
    an earlier one is dropped and counted, or kept as ``limits`` says; one with the text of an earlier one and other
    labels is counted, and kept or refused. Blank lines are passed over. Nothing raises because of what the file holds.
    Reading ends as soon as the file cannot be accepted any more; the counts are then those so far.
    """
    labels = LabelColumn(rules)
    bad = BadLines(copy=bad_lines, examples=limits.examples, of_a_kind=limits.examples_of_a_kind)
    documents = DocumentWriter(
        sink=sink,
        hashes=hashes,
        label_hashes=label_hashes,
        labels=labels,
        capacity=limits.documents,
        bad=bad,
        refuse_conflicts=limits.conflicting_labels is ConflictingLabels.REFUSE,
        keep_repeated=limits.repeated_documents is RepeatedDocuments.KEEP,
    )
    content = Unpacked(source, limit=limits.file_bytes)
    run = _Run(
        labels=labels,
        documents=documents,
        bad=bad,
        lines=LineReader(content, block_bytes=block_bytes),
        limits=limits,
    )
    try:
        violation = content.named(run.read_all())
    except UnusableGzipError as error:
        violation = error.violation
    return Preparation(
        name=name,
        accepted=violation is None,
        file_problem=None if violation is None else violation.problem(),
        format=content.format_of(run.format),
        lines=run.lines_read,
        documents=documents.documents,
        bytes=documents.bytes,
        content_hash=documents.content_hash,
        labels=documents.labels,
        duplicates=documents.duplicates,
        conflicts=documents.conflicts,
        conflict_examples=tuple(documents.conflict_examples),
        bad_lines=bad.totals,
        examples=bad.examples,
    )


class _Run:
    """One file being read."""

    def __init__(
        self,
        *,
        labels: LabelColumn,
        documents: DocumentWriter,
        bad: BadLines,
        lines: LineReader,
        limits: Limits,
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
        if whole:
            # A document takes a line at least.
            self._documents.expect(head.count(b"\n") + head.count(b"\r") + 1)
        violation = check_type(head)
        if violation is not None:
            return violation
        layout = find_layout(head, whole=whole, labels=self._labels)
        self.format = layout.format
        found = self._tell_manifest(layout) if layout.format.kind is FileKind.JSON_LINES else layout
        if isinstance(found, Violation):
            return found
        self.format = found.format
        violation = self._read_documents(found, head)
        if violation is None:
            violation = check_share_of_bad_lines(
                bad=self._bad.total,
                documents=self._documents.documents,
                maximum_percent=self._limits.maximum_bad_lines_percent,
            )
        if violation is not None and violation.rule is TOO_MANY_BAD_LINES:
            violation = diagnose(found, self._labels) or with_reason(violation, self._bad)
        if violation is None and not self._documents.documents:
            violation = Violation(EMPTY_FILE)
        return violation

    def _tell_manifest(self, layout: Found) -> Found | Violation:
        head, whole = self._lines.peek_line(longest_record(self._limits))
        return tell_manifest(layout, head, whole=whole, configured=self._limits.manifest_attribute)

    def _read_documents(self, found: Found, head: bytes) -> Violation | None:
        file_format = found.format
        reader = reader_of(found, labels=self._labels, limits=self._limits, documents=self._documents, bad=self._bad)
        old_mac = file_format.line_ends is LineEnds.CR
        self._lines.begin(
            skip=header_bytes(file_format, head.replace(b"\r", b"\n") if old_mac else head),
            longest_line=reader.longest_record,
            old_mac=old_mac,
        )
        reader.line += file_format.header_lines
        violation = read_blocks(self._lines, reader, check=self._check_so_far)
        self.lines_read = reader.line - 1
        return violation

    def _check_so_far(self) -> Violation | None:
        return check_so_far(
            bytes_read=self._lines.bytes_read,
            written=self._documents,
            bad=self._bad.total,
            limits=self._limits,
            good=self._documents.documents,
            most_good=self._limits.documents,
        )


def reader_of(
    found: Found, *, labels: LabelColumn, limits: Limits, documents: TakesDocuments, bad: BadLines
) -> CsvReader | JsonReader:
    """What reads the records of a file of this layout."""
    delimiter = found.format.delimiter
    if delimiter is None:
        form: JsonForm = JsonLines(labels)
        if found.attribute is not None:
            form = LabelledManifest(found.attribute, labels=labels, machine_labels=limits.machine_labels)
        return JsonReader(form, limits=limits, documents=documents, bad=bad)
    return CsvReader(
        delimiter=delimiter,
        text_first=found.format.text_first,
        quotes_all=found.quotes_all,
        labels=labels,
        limits=limits,
        documents=documents,
        bad=bad,
    )


def header_bytes(file_format: FileFormat, head: bytes) -> int:
    """The bytes of the byte order mark and the header row, which hold no document."""
    end = len(BYTE_ORDER_MARK) if file_format.byte_order_mark else 0
    for _ in range(file_format.header_lines):
        end = head.find(b"\n", end) + 1 or len(head)
    return end
