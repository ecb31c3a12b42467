"""Reads and rewrites the documents of a part, in the form in which it stores them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING, NamedTuple, Protocol

from flywheel.records.datasets import LABEL_SEPARATOR_IN_RECORDS, labels_of
from flywheel.records.parts import PartLocation, label_digest, read_hashes
from flywheel.records.uploads import DocumentForm
from flywheel.store.stream import buffered

if TYPE_CHECKING:
    from flywheel.store.bucket import IntakeBucket

# A document may have 10 MB (reference 3.3), but by default the csv module refuses fields above 128 KiB.
csv.field_size_limit(16 * 1024 * 1024)


class Rewritten(NamedTuple):
    """A document as a dataset stores it."""

    column: str
    """What stands beside the text, as in `part_documents`."""
    line: str
    """With its newline."""
    text: str
    digest: int
    """Of the text."""
    combination: str
    label_digest: int


def part_documents(intake: IntakeBucket, location: PartLocation) -> Iterator[tuple[str, str, int]]:
    """What stands beside each text, the text, and its digest, in order. Each line is a document.

    Beside a text stand its labels, joined by the part's delimiter, or its annotations as `Span.label`, joined by
    LABEL_SEPARATOR_IN_RECORDS.
    """
    hashes = read_hashes(intake, location.hashes)
    if not hashes:
        # All of them were dropped: then a dataset has no documents of the part.
        return
    with intake.open(location.documents) as stream:
        lines = io.TextIOWrapper(buffered(stream), encoding="utf-8", newline="")
        documents = _form(location.form).read(lines)
        for (column, text), digest in zip(documents, hashes, strict=True):
            yield column, text, digest


def rewritten(intake: IntakeBucket, location: PartLocation, before: str, delimiter: str) -> Iterator[Rewritten]:
    """The documents with `delimiter` in place of `before` between their labels."""
    form = _form(location.form)
    for column, text, digest in part_documents(intake, location):
        combination = form.combination(column, before)
        written = form.column(column, combination, delimiter)
        line, labels = form.line(written, text), form.label_digest(column, combination)
        yield Rewritten(written, line, text, digest, combination, labels)


def label_digests(intake: IntakeBucket, location: PartLocation, delimiter: str) -> Iterator[int]:
    """The digests of the documents' labels or annotations, computed anew."""
    for document in rewritten(intake, location, delimiter, delimiter):
        yield document.label_digest


def count_bytes(
    intake: IntakeBucket,
    location: PartLocation,
    *,
    before: str,
    without: frozenset[int],
    held_back: frozenset[str],
    delimiter: str,
) -> int:
    """What Comprehend counts of the part in a dataset, without documents at the places in `without` or with a label in
    `held_back`: the bytes of CSV rows, or of annotated texts, each on a line."""
    form = _form(location.form)
    return sum(
        form.size(document)
        for place, document in enumerate(rewritten(intake, location, before, delimiter))
        if place not in without and held_back.isdisjoint(labels_of(document.combination))
    )


@cache
def _form(form: DocumentForm) -> StoredForm:
    if form is DocumentForm.CSV:
        return _Csv()
    from flywheel.datasets.annotated_documents import AnnotatedDocuments

    return AnnotatedDocuments()


class StoredForm(Protocol):
    """A column is what stands beside a text, as in `part_documents`."""

    def read(self, lines: Iterable[str]) -> Iterator[tuple[str, str]]:
        """Columns and texts."""

    def combination(self, column: str, delimiter: str) -> str:
        """As in the keys of a `labels` member."""

    def column(self, column: str, combination: str, delimiter: str) -> str:
        """The same labels, joined by `delimiter`."""

    def label_digest(self, column: str, combination: str) -> int: ...

    def line(self, column: str, text: str) -> str: ...

    def size(self, document: Rewritten) -> int: ...


class _Csv:
    def __init__(self) -> None:
        # `writerow` returns what the file's `write` returns.
        self._row = csv.writer(_Returned(), lineterminator="\n").writerow

    def read(self, lines: Iterable[str]) -> Iterator[tuple[str, str]]:
        return map(tuple, csv.reader(lines))  # type: ignore[arg-type]  # each row has two columns

    def combination(self, column: str, delimiter: str) -> str:
        return column.replace(delimiter, LABEL_SEPARATOR_IN_RECORDS) if delimiter else column

    def column(self, _column: str, combination: str, delimiter: str) -> str:
        return delimiter.join(labels_of(combination))

    def label_digest(self, _column: str, combination: str) -> int:
        return label_digest(combination)

    def line(self, column: str, text: str) -> str:
        line: str = self._row((column, text))
        return line

    def size(self, document: Rewritten) -> int:
        return len(document.line.encode())


class _Returned:
    def write(self, text: str) -> str:
        return text
