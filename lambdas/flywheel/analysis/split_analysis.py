"""Splits one unit of a job's input into parts: documents for Comprehend, and an index of where they came from."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from flywheel.analysis.errors import InputGone
from flywheel.analysis.lines import read_lines
from flywheel.preparation.text import without_newlines
from flywheel.records.analyses import (
    AnalysisBeginning,
    InputFormat,
    PartFacts,
    RunFolder,
    Segment,
    Unit,
    UnitFacts,
    UnitFailure,
    input_folder,
    part_name,
)

if TYPE_CHECKING:
    from flywheel.analysis.begin_analysis import JobLimits
    from flywheel.store.bucket import IntakeBucket

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
EXCERPT_CHARACTERS = 1000
_FILES_AT_ONCE = 8
_BEGINNING_BYTES = 4096


class LineError(StrEnum):
    """Why Comprehend does not get a line or a file. The value is the error code in the output."""

    EMPTY = "EMPTY"
    EMPTY_FILE = "EMPTY_FILE"
    NOT_UTF8 = "NOT_UTF8"
    TOO_LONG = "TOO_LONG"

    def sentence(self, *, document_bytes: int) -> str:
        return {
            LineError.EMPTY: "There is no text: nothing but white space.",
            LineError.EMPTY_FILE: "The file is empty.",
            LineError.NOT_UTF8: "The text is not UTF-8: save the file in that encoding and upload it again.",
            LineError.TOO_LONG: f"The document is longer than {document_bytes:,} bytes, the most Comprehend takes.",
        }[self]


@dataclass(frozen=True, slots=True)
class _Document:
    """One line of the input, or one file as a line. With an error `content` is only its beginning."""

    content: bytes
    error: LineError | None = None


def split_analysis(*, job: str, run: str, unit: int, intake: IntakeBucket, limits: JobLimits) -> UnitFacts:
    """Write the unit's parts. A repeated call writes the same, or finds them complete. Raises InputGone, after writing
    the reason for the report."""
    folder = RunFolder(job, run)
    known = intake.read(folder.unit(unit), UnitFacts)
    if known is not None:
        return known
    beginning = intake.require(folder.beginning, AnalysisBeginning)
    plan = intake.require(folder.plan(unit), Unit)
    with tempfile.TemporaryDirectory() as temporary:
        splitter = _Splitter(intake=intake, folder=folder, unit=unit, limits=limits, path=Path(temporary))
        try:
            if beginning.format is InputFormat.LINES:
                splitter.take_lines(plan.segments)
            else:
                splitter.take_files(plan.segments)
        except InputGone as error:
            intake.write(folder.unit_failure(unit), UnitFailure(reason=str(error)))
            raise
        facts = splitter.finish()
    intake.write(folder.unit(unit), facts)
    return facts


class _Splitter:
    def __init__(self, *, intake: IntakeBucket, folder: RunFolder, unit: int, limits: JobLimits, path: Path) -> None:
        self._intake = intake
        self._folder = folder
        self._unit = unit
        self._limits = limits
        self._path = path
        self._input = input_folder(folder.job)
        self._parts: list[PartFacts] = []
        self._part: _PartWriter | None = None
        self._lines_of_last = 0

    def take_lines(self, segments: tuple[Segment, ...]) -> None:
        for segment in segments:
            self._lines_of_last = self._take(segment, self._lines_of(segment))

    def take_files(self, segments: tuple[Segment, ...]) -> None:
        rest = iter(segments)
        with ThreadPoolExecutor(_FILES_AT_ONCE) as pool:
            while some := list(islice(rest, _FILES_AT_ONCE)):
                for segment, document in zip(some, pool.map(self._file, some), strict=True):
                    self._take(segment, [document])

    def finish(self) -> UnitFacts:
        self._end_part()
        return UnitFacts(parts=tuple(self._parts), lines_of_last=self._lines_of_last)

    def _take(self, segment: Segment, documents: Iterator[_Document] | list[_Document]) -> int:
        """Add the documents to parts. Returns their number."""
        name = segment.file.key.removeprefix(self._input)
        lines = 0
        named_in: _PartWriter | None = None
        for document in documents:
            if self._part is not None and self._part.lines == self._limits.part_documents:
                self._end_part()
            if self._part is None:
                number = f"part-{len(self._parts)}"
                self._part = _PartWriter(self._path / number, continued=segment.start > 0)
            if named_in is not self._part:
                self._part.name_file(name, lines_before=lines, continued=segment.start > 0)
                named_in = self._part
            self._part.take(document)
            lines += 1
        return lines

    def _lines_of(self, segment: Segment) -> Iterator[_Document]:
        if not segment.file.size:
            yield _Document(b"", LineError.EMPTY_FILE)
            return
        continued = segment.start > 0
        first = not continued
        with self._open(segment, first_byte=max(0, segment.start - 1)) as stream:
            lines = read_lines(
                stream.read,
                continued=continued,
                length=segment.end - segment.start,
                longest=self._limits.document_bytes,
            )
            for line, too_long in lines:
                content = line
                if first:
                    content, first = line.removeprefix(BYTE_ORDER_MARK), False
                if too_long:
                    yield _Document(content, LineError.TOO_LONG)
                else:
                    yield _checked(content)

    def _file(self, segment: Segment) -> _Document:
        file = segment.file
        if not file.size:
            return _Document(b"", LineError.EMPTY_FILE)
        too_long = file.size > self._limits.document_bytes
        with self._open(segment, first_byte=0) as stream:
            content = stream.read(_BEGINNING_BYTES) if too_long else stream.read()
        content = content.removeprefix(BYTE_ORDER_MARK)
        return _Document(content, LineError.TOO_LONG) if too_long else _checked(without_newlines(content))

    def _open(self, segment: Segment, *, first_byte: int) -> BinaryIO:
        file = segment.file
        try:
            return self._intake.open(file.key, version_id=file.version_id, first_byte=first_byte)
        except FileNotFoundError as error:
            raise InputGone(file.key) from error

    def _end_part(self) -> None:
        if self._part is None:
            return
        name = part_name(self._unit, len(self._parts))
        self._parts.append(self._part.store(self._intake, self._folder, name))
        self._part = None


def _checked(content: bytes) -> _Document:
    if not content.strip():
        return _Document(content, LineError.EMPTY)
    if not content.isascii():
        try:
            content.decode()
        except UnicodeDecodeError:
            return _Document(content, LineError.NOT_UTF8)
    return _Document(content)


class _PartWriter:
    """Writes a part's `documents.txt`, and `index.jsonl`, which lists the input in its order:
    `["file", name, lines before, continued]`, `["documents", how many]`, `["error", code, beginning of the text]`."""

    def __init__(self, path: Path, *, continued: bool) -> None:
        path.mkdir()
        self._documents_path, self._index_path = path / "documents.txt", path / "index.jsonl"
        self._documents_file = self._documents_path.open("wb")
        self._index = self._index_path.open("w", encoding="utf-8")
        self._continued = continued
        self._run_of_documents = 0
        self._documents = 0
        self._errors = 0

    @property
    def lines(self) -> int:
        return self._documents + self._errors

    def name_file(self, name: str, *, lines_before: int, continued: bool) -> None:
        self._note("file", name, lines_before, continued)

    def take(self, document: _Document) -> None:
        if document.error is None:
            self._documents_file.write(document.content)
            self._documents_file.write(b"\n")
            self._documents += 1
            self._run_of_documents += 1
        else:
            self._errors += 1
            self._note("error", document.error, document.content.decode(errors="replace")[:EXCERPT_CHARACTERS])

    def _note(self, *entry: object) -> None:
        if self._run_of_documents:
            self._index.write(f'["documents", {self._run_of_documents}]\n')
            self._run_of_documents = 0
        if entry:
            self._index.write(f"{json.dumps(entry)}\n")

    def store(self, intake: IntakeBucket, folder: RunFolder, name: str) -> PartFacts:
        """Upload the part; its facts last."""
        self._note()
        self._documents_file.close()
        self._index.close()
        place = folder.part(name)
        facts = PartFacts(part=name, documents=self._documents, errors=self._errors, continued=self._continued)
        intake.upload_file(self._documents_path, place.documents)
        intake.upload_file(self._index_path, place.index)
        intake.write(place.facts, facts)
        self._documents_path.unlink()
        self._index_path.unlink()
        return facts
