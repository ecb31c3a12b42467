"""Turns an upload for a recognizer into documents that carry their annotations, and says what it could not take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO

from ..file_format import BYTE_ORDER_MARK, FileFormat, LineEnds
from ..layout import BYTES_LOOKED_AT
from ..limits import ConflictingLabels
from ..line_reader import LineReader
from ..problems import BadLines, Violation
from ..reading import check_so_far, read_blocks, with_reason
from ..report import Preparation
from ..rules import TOO_MANY_BAD_LINES, check_share_of_bad_lines
from ..source_file import SourceFile
from .conll import ConllReader
from .form import Form, find_form
from .intake import Intake
from .json_forms import JsonReader
from .json_lines import JsonLines
from .limits import AnyType, EntityLimits, EntityRules
from .manifest import Manifest
from .rules import EMPTY_FILE
from .type_names import TypeNames
from .writer import EntityWriter

BLOCK_BYTES = 1 << 17


def prepare_entities(
    *,
    files: Sequence[SourceFile],
    sink: BinaryIO,
    hashes: BinaryIO,
    rules: EntityRules | AnyType,
    limits: EntityLimits,
    name: str,
    bad_lines: BinaryIO | None,
    label_hashes: BinaryIO | None = None,
    block_bytes: int = BLOCK_BYTES,
) -> Preparation:
    """Read an upload: one file, or the files of a folder.

    Args:
        files: one file with documents and annotations (JSON Lines, an augmented manifest, CoNLL), or several.
        sink: takes the documents, a line each (`to_line`).
        hashes: takes eight bytes for each document written, in the same order: the digest of its text
            (`flywheel.preparation.text_hash`).
        rules: the types to check against; `AnyType` takes whatever stands there.
        limits: what is too large, too many or too bad.
        name: the upload's name, for the report.
        bad_lines: takes every record that was not accepted, as it stood.
        label_hashes: takes eight bytes for each document written, in the same order: the digest of its annotations
            (`annotations_hash`).
        block_bytes: how much is read at a time.

    No text is changed, not by a code point. A document with the text and the annotations of an earlier one is dropped
    and counted; one with the text of an earlier one and other annotations is counted, and kept or refused as ``limits``
    says. Nothing raises because of what a file holds. Reading ends as soon as the upload cannot be accepted any more;
    the counts are then those so far. In the result ``labels`` are documents by `combination`.
    """
    bad = BadLines(copy=bad_lines, examples=limits.examples, of_a_kind=limits.examples_of_a_kind)
    remarks = BadLines(copy=None, examples=limits.examples, of_a_kind=limits.examples_of_a_kind)
    documents = EntityWriter(
        sink=sink,
        hashes=hashes,
        label_hashes=label_hashes,
        capacity=limits.documents,
        bad=bad,
        refuse_conflicts=limits.conflicting_labels is ConflictingLabels.REFUSE,
    )
    intake = Intake(types=TypeNames(rules), limits=limits, documents=documents, bad=bad, remarks=remarks)
    run = _Run(intake=intake, documents=documents, rules=rules, block_bytes=block_bytes)
    violation = run.read_all(files)
    return Preparation(
        name=name,
        accepted=violation is None,
        file_problem=None if violation is None else violation.problem(),
        format=run.format,
        lines=run.lines_read,
        documents=documents.documents,
        bytes=documents.bytes,
        content_hash=documents.content_hash,
        labels=dict(documents.combinations),
        duplicates=documents.duplicates,
        conflicts=documents.conflicts,
        conflict_examples=tuple(documents.conflict_examples),
        bad_lines=bad.totals,
        examples=bad.examples,
        annotations=documents.annotations,
        remarks=remarks.totals,
        remark_examples=remarks.examples,
    )


class _Run:
    """One upload being read."""

    def __init__(
        self, *, intake: Intake, documents: EntityWriter, rules: EntityRules | AnyType, block_bytes: int
    ) -> None:
        self._intake = intake
        self._documents = documents
        self._rules = rules
        self._block_bytes = block_bytes
        self._bytes_read = 0
        self.format: FileFormat | None = None
        self.lines_read = 0

    def read_all(self, files: Sequence[SourceFile]) -> Violation | None:
        """Read the upload; returns what is wrong with it as a whole, if anything is."""
        bad, documents, limits = self._intake.bad, self._documents, self._intake.limits
        violation = None
        for file in files:
            violation = violation or self._read_file(file, None if len(files) == 1 else file.name)
        if violation is None:
            violation = check_share_of_bad_lines(
                bad=bad.total, documents=self._good, maximum_percent=limits.maximum_bad_lines_percent
            )
        if violation is not None and violation.rule is TOO_MANY_BAD_LINES:
            violation = with_reason(violation, bad)
        if violation is None and not documents.documents:
            violation = Violation(EMPTY_FILE)
        return violation

    def _read_file(self, file: SourceFile, name: str | None) -> Violation | None:
        lines = LineReader(file.open(), block_bytes=self._block_bytes)
        head, whole = lines.peek(BYTES_LOOKED_AT)
        form = find_form(head, whole=whole, rules=self._rules)
        if isinstance(form, Violation):
            return form
        self.format = form.format
        reader = reader_of(form, intake=self._intake, file=name)
        lines.begin(
            skip=len(BYTE_ORDER_MARK) if form.format.byte_order_mark else 0,
            longest_line=reader.longest_record,
            old_mac=form.format.line_ends is LineEnds.CR,
        )
        before = self._bytes_read

        def check() -> Violation | None:
            self._bytes_read = before + lines.bytes_read
            return self._check_so_far()

        violation = read_blocks(lines, reader, check=check)
        if violation is None:
            reader.finish()
            violation = self._check_so_far()
        self.lines_read += reader.line - 1
        return violation

    def _check_so_far(self) -> Violation | None:
        return check_so_far(
            bytes_read=self._bytes_read,
            written=self._documents,
            bad=self._intake.bad.total,
            limits=self._intake.limits,
            good=self._good,
            most_good=self._intake.limits.rows,
        )

    @property
    def _good(self) -> int:
        """Documents that count beside the bad lines: also those that were dropped because they came before."""
        return self._documents.documents + self._documents.duplicates


def reader_of(form: Form, *, intake: Intake, file: str | None) -> JsonReader | ConllReader:
    """What reads the records of a file of this form."""
    if form.conll is not None:
        return ConllReader(form.conll, intake=intake, file=file)
    if form.attribute is None:
        return JsonReader(JsonLines(), intake=intake, file=file)
    manifest = Manifest(form.attribute, machine_annotations=intake.limits.machine_annotations)
    return JsonReader(manifest, intake=intake, file=file)
