"""Reads a folder: files of documents, and what stands in them by annotations or by an entity list."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..file_format import BYTE_ORDER_MARK, FileFormat, FileKind, LineEnds, line_ends_of
from ..label_advice import shortened
from ..problems import Violation
from ..source_file import SourceFile
from ..unsupported import check_binary
from .annotated_documents import AnnotatedDocuments
from .annotation_rows import AnnotationRows, AnnotationTable
from .document_files import DocumentLines, TakesLines, WholeFile
from .entity_list import EntityList, EntityTable, ListedDocuments
from .intake import Intake
from .rules import (
    ANNOTATIONS_AND_LIST,
    MISSING_PARTS,
    MIXED_ANNOTATIONS,
    READABLE,
    TOO_MANY_ANNOTATIONS,
    TOO_MANY_ENTRIES,
)
from .source import Opened, Progress
from .tables import Table, TableReader, find_table
from .type_names import TypeNames
from .writer import EntityWriter

_LONGEST_CELL = 1 << 12


@dataclass
class Folder:
    """The files of a folder by what they hold."""

    annotations: list[tuple[SourceFile, Table]] = field(default_factory=list)
    entity_lists: list[tuple[SourceFile, Table]] = field(default_factory=list)
    documents: list[SourceFile] = field(default_factory=list)

    def add(self, file: SourceFile, head: bytes, *, whole: bool) -> None:
        table = find_table(head, whole=whole)
        if table is None:
            self.documents.append(file)
        else:
            (self.entity_lists if table.is_entity_list else self.annotations).append((file, table))

    @property
    def has_tables(self) -> bool:
        return bool(self.annotations or self.entity_lists)

    @property
    def tables(self) -> list[tuple[SourceFile, Table]]:
        return self.annotations + self.entity_lists

    def check(self) -> Violation | None:
        """Why the files do not belong together."""
        if self.annotations and self.entity_lists:
            names = {"annotations": self.annotations[0][0].name, "entities": self.entity_lists[0][0].name}
            return Violation(ANNOTATIONS_AND_LIST, {part: shortened(name) for part, name in names.items()})
        if not self.documents:
            return Violation(MISSING_PARTS, {"missing": "its documents"})
        if len({"line" in table.columns for _, table in self.annotations}) > 1:
            return Violation(MIXED_ANNOTATIONS)
        return None


class FolderReader:
    """Reads the files of a folder: first what stands in the documents, then the documents in order."""

    def __init__(self, folder: Folder, *, progress: Progress, intake: Intake, types: TypeNames) -> None:
        self._folder = folder
        self._progress = progress
        self._intake = intake
        self._types = types

    def read(self, documents: EntityWriter) -> Violation | None:
        """Read the folder; returns what is wrong with it as a whole. ``documents`` are those that are written."""
        violation = self._folder.check()
        if violation is not None:
            return violation
        if self._folder.entity_lists:
            return self._by_entity_list(documents)
        return self._by_annotations()

    def _by_annotations(self) -> Violation | None:
        names = [file.name for file in self._folder.documents]
        most = self._intake.limits.annotations
        rows = AnnotationRows([file.name for file, _ in self._folder.annotations], most=most)
        for number, (file, table) in enumerate(self._folder.annotations):
            taker = AnnotationTable(
                number, table, name=file.name, rows=rows, documents=names, intake=self._intake, types=self._types
            )
            reader = TableReader(table, taker, longest_cell=_LONGEST_CELL)
            opened = self._progress.open(file)
            violation = self._progress.read(opened, table.format, reader, more_bad=lambda: rows.spoiled)
            if violation is None and rows.full:
                violation = Violation(TOO_MANY_ANNOTATIONS, {"limit": most})
            if violation is not None:
                rows.refuse_bad_rows_left(self._intake)
                return violation
        rows.begin_documents()
        self._progress.begin_anew()
        by_line = "line" in self._folder.annotations[0][1].columns
        for number, file in enumerate(self._folder.documents):
            opened = self._progress.open(file)
            annotated = AnnotatedDocuments(number, file=file.name, rows=rows, intake=self._intake)
            if by_line:
                annotated.look_ahead(opened, line_ends_of(opened.head))
            before = self._progress.lines_read
            violation = self._read_documents(opened, annotated, by_line=by_line)
            if violation is not None:
                return violation
            annotated.finish(lines=self._progress.lines_read - before if by_line else 1)
        rows.refuse_bad_rows_left(self._intake)
        return None

    def _by_entity_list(self, documents: EntityWriter) -> Violation | None:
        entities = EntityList(intake=self._intake)
        for file, table in self._folder.entity_lists:
            taker = EntityTable(table, name=file.name, entities=entities, intake=self._intake, types=self._types)
            # A character takes four bytes at most, and a quote in quotes two.
            reader = TableReader(table, taker, longest_cell=4 * self._intake.limits.list_entry_characters)
            violation = self._progress.read(self._progress.open(file), table.format, reader)
            if violation is None and entities.full:
                violation = Violation(TOO_MANY_ENTRIES, {"limit": self._intake.limits.list_entries})
            if violation is not None:
                return violation
        self._progress.begin_anew()
        for file in self._folder.documents:
            listed = ListedDocuments(entities, file=file.name, intake=self._intake)
            violation = self._read_documents(self._progress.open(file), listed, by_line=True)
            if violation is not None:
                return violation
        for remark, place, raw in entities.remarks(documents.annotations):
            self._intake.remark(remark, place=place, raw=raw)
        return None

    def _read_documents(self, file: Opened, documents: TakesLines, *, by_line: bool) -> Violation | None:
        violation = file.content.named(check_binary(file.head, READABLE))
        if violation is not None:
            self._progress.blamed = file.name
            return violation
        line_ends, reader_type = (line_ends_of(file.head), DocumentLines) if by_line else (LineEnds.LF, WholeFile)
        file_format = FileFormat(FileKind.ANNOTATIONS, line_ends, file.head.startswith(BYTE_ORDER_MARK))
        return self._progress.read(file, file_format, reader_type(documents, intake=self._intake, file=file.name))
