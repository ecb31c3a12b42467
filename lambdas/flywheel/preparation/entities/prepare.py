"""Turns an upload for a recognizer into documents that carry their annotations, and says what it could not take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import BinaryIO

from ..file_format import FileFormat
from ..label_advice import shortened
from ..limits import ConflictingLabels, RepeatedDocuments
from ..problems import BadLines, Violation
from ..reading import with_reason
from ..report import Preparation
from ..rules import TOO_MANY_BAD_LINES, check_share_of_bad_lines
from ..source_file import SourceFile
from ..unpacking import UnusableGzipError
from .conll import ConllReader
from .folder import Folder, FolderReader
from .form import Form, find_form
from .intake import Intake
from .json_forms import JsonReader
from .json_lines import JsonLines
from .limits import AnyType, EntityLimits, EntityRules
from .manifest import Manifest
from .rules import EMPTY_FILE, PASSED_OVER
from .source import Opened, Progress, is_hidden
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
    combination_hashes: BinaryIO | None = None,
    block_bytes: int = BLOCK_BYTES,
) -> Preparation:
    """Read an upload: one file, or the files of a folder.

    Args:
        files: one file with documents and annotations (JSON Lines, an augmented manifest, CoNLL), or several, or a
            folder's files: documents, and their annotations or an entity list in CSV. Each may be gzip.
        sink: takes the documents, a line each (`to_line`).
        hashes: takes eight bytes for each document written, in the same order: the digest of its text
            (`flywheel.preparation.text_hash`).
        rules: the types to check against; `AnyType` takes whatever stands there.
        limits: what is too large, too many or too bad.
        name: the upload's name, for the report.
        bad_lines: takes every record that was not accepted, as it stood.
        label_hashes: takes eight bytes for each document written, in the same order: the digest of its annotations
            (`annotations_hash`).
        combination_hashes: takes eight bytes for each document written, in the same order: the digest of its
            `combination` (`flywheel.preparation.text_hash`).
        block_bytes: how much is read at a time.

    No text is changed, not by a code point. A document with the text and the annotations of an earlier one is dropped
    and counted, or kept as ``limits`` says; one with the text of an earlier one and other annotations is counted, and
    kept or refused. Nothing raises because of what a file holds. Reading ends as soon as the upload cannot be accepted
    any more; the counts are then those so far. In the result ``labels`` are documents by `combination`.
    """
    bad = BadLines(copy=bad_lines, examples=limits.examples, of_a_kind=limits.examples_of_a_kind)
    remarks = BadLines(copy=None, examples=limits.examples, of_a_kind=limits.examples_of_a_kind)
    documents = EntityWriter(
        sink=sink,
        hashes=hashes,
        label_hashes=label_hashes,
        combination_hashes=combination_hashes,
        capacity=limits.documents,
        bad=bad,
        refuse_conflicts=limits.conflicting_labels is ConflictingLabels.REFUSE,
        keep_repeated=limits.repeated_documents is RepeatedDocuments.KEEP,
    )
    types = TypeNames(rules)
    intake = Intake(types=types, limits=limits, documents=documents, bad=bad, remarks=remarks)
    progress = Progress(intake=intake, documents=documents, block_bytes=block_bytes)
    run = _Run(intake=intake, documents=documents, progress=progress, types=types)
    try:
        violation = run.read_all(files)
    except UnusableGzipError as error:
        violation = error.violation
        progress.blamed = error.name if len(files) > 1 else None
    return Preparation(
        name=name,
        accepted=violation is None,
        file_problem=None if violation is None else violation.problem(file=progress.blamed),
        format=replace(run.format, gzip=progress.gzip) if run.format else None,
        lines=progress.lines_read,
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
        self,
        *,
        intake: Intake,
        documents: EntityWriter,
        progress: Progress,
        types: TypeNames,
    ) -> None:
        self._intake = intake
        self._documents = documents
        self._progress = progress
        self._types = types
        self.format: FileFormat | None = None

    def read_all(self, files: Sequence[SourceFile]) -> Violation | None:
        """Read the upload; returns what is wrong with it as a whole, if anything is."""
        bad, limits = self._intake.bad, self._intake.limits
        violation = self._read_folder(files) if len(files) > 1 else self._read_one(files)
        if violation is None:
            violation = check_share_of_bad_lines(
                bad=bad.total, documents=self._progress.good, maximum_percent=limits.maximum_bad_lines_percent
            )
        if violation is not None and violation.rule is TOO_MANY_BAD_LINES:
            violation = with_reason(violation, bad)
        if violation is None and not self._documents.documents:
            violation = Violation(EMPTY_FILE)
        return violation

    def _read_folder(self, files: Sequence[SourceFile]) -> Violation | None:
        folder = Folder()
        for file in files:
            if is_hidden(file.name):
                facts = {"name": shortened(file.name)}
                self._intake.remark(Violation(PASSED_OVER, facts), place=None, raw=b"")
            else:
                opened = self._progress.open(file)
                folder.add(file, opened.head, whole=opened.whole)
        if folder.has_tables:
            self.format = folder.tables[0][1].format
            reader = FolderReader(folder, progress=self._progress, intake=self._intake, types=self._types)
            return reader.read(self._documents)
        for file in folder.documents:
            violation = self._read_alone(self._progress.open(file), name=file.name)
            if violation is not None:
                return violation
        return None

    def _read_one(self, files: Sequence[SourceFile]) -> Violation | None:
        return self._read_alone(self._progress.open(files[0]), name=None) if files else None

    def _read_alone(self, file: Opened, *, name: str | None) -> Violation | None:
        """Read a file that has documents and their annotations; ``name`` is None where it is the only one."""
        attribute = self._intake.limits.manifest_attribute
        form = file.content.named(find_form(file.head, whole=file.whole, attribute=attribute))
        if isinstance(form, Violation):
            self._progress.blamed = name
            return form
        self.format = self.format or form.format
        return self._progress.read(file, form.format, reader_of(form, intake=self._intake, file=name))


def reader_of(form: Form, *, intake: Intake, file: str | None) -> JsonReader | ConllReader:
    """What reads the records of a file of this form."""
    if form.conll is not None:
        return ConllReader(form.conll, intake=intake, file=file)
    if form.attribute is None:
        return JsonReader(JsonLines(), intake=intake, file=file)
    manifest = Manifest(form.attribute, machine_annotations=intake.limits.machine_labels)
    return JsonReader(manifest, intake=intake, file=file)
