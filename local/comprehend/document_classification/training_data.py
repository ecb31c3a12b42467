"""Comprehend's CSV form for custom classification: UTF-8, no header, two columns (labels, document).

Sources: "Preparing classifier training data" of the developer guide, and the flywheel dataset quotas.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from local.comprehend.training_data import Contents, DataFile, InvalidTrainingDataError

# The csv module's own limit (128 KiB) is below the service's for one document (10 MB), and global to the process.
csv.field_size_limit(64 * 1024**2)


@dataclass(frozen=True, kw_only=True)
class LabelRules:
    """How the first column is read.

    ``known`` is the flywheel's label list (None: every label counts). When not ``multi_label``, the whole column is one
    label.
    """

    known: frozenset[str] | None
    multi_label: bool


@dataclass(frozen=True, kw_only=True, order=True)
class Document:
    """One document with the labels the flywheel knows, sorted; without any, the service ignores the document."""

    labels: tuple[str, ...]
    text: str

    @property
    def identity(self) -> str:
        return "\0".join([*self.labels, self.text])


def documents(files: Sequence[DataFile], *, rules: LabelRules) -> Iterator[Document]:
    """The usable documents of checked files (those left with at least one known label)."""
    for file in files:
        for _, labels, text in _rows(file, multi_label=rules.multi_label, maximum_document_bytes=None):
            known = _known(labels, rules)
            if known:
                yield Document(labels=known, text=text)


def inspect(
    files: Sequence[DataFile], *, rules: LabelRules, maximum_documents: int, maximum_document_bytes: int
) -> Contents:
    """Read every row strictly and count.

    Raises InvalidTrainingDataError at the first row that is not UTF-8, not two columns, without label or text, or over
    a limit. Unknown labels are dropped silently, as the service does, and counted.
    """
    contents = Contents()
    for file in files:
        for line, labels, _ in _rows(
            file, multi_label=rules.multi_label, maximum_document_bytes=maximum_document_bytes
        ):
            contents.documents += 1
            if contents.documents > maximum_documents:
                raise InvalidTrainingDataError(
                    f"{file.name}, line {line}: a dataset holds at most {maximum_documents} documents."
                )
            known = _known(labels, rules)
            contents.per_label.update(known)
            contents.unknown_labels.update(set(labels).difference(known))
            contents.dropped_documents += not known
    return contents


def _known(labels: list[str], rules: LabelRules) -> tuple[str, ...]:
    return tuple(sorted(label for label in set(labels) if rules.known is None or label in rules.known))


def _rows(
    file: DataFile, *, multi_label: bool, maximum_document_bytes: int | None
) -> Iterator[tuple[int, list[str], str]]:
    with file.path.open("rb") as stream:
        # Line by line, so that an error's line number is right, and a lone CR is no end of a row.
        reader = csv.reader((line.decode("utf-8") for line in stream), strict=True)
        try:
            for row in reader:
                yield (
                    reader.line_num,
                    *_checked_row(
                        row,
                        where=f"{file.name}, line {reader.line_num}",
                        delimiter=file.source.delimiter if multi_label else None,
                        maximum_document_bytes=maximum_document_bytes,
                    ),
                )
        except UnicodeDecodeError as error:
            raise InvalidTrainingDataError(f"{file.name}, line {reader.line_num + 1}: not valid UTF-8.") from error
        except csv.Error as error:
            raise InvalidTrainingDataError(f"{file.name}, line {reader.line_num}: not valid CSV ({error}).") from error


def _checked_row(
    row: list[str], *, where: str, delimiter: str | None, maximum_document_bytes: int | None
) -> tuple[list[str], str]:
    if len(row) != 2:
        raise InvalidTrainingDataError(f"{where}: expected two columns (label and document), found {len(row)}.")
    column, text = row
    labels = [column] if delimiter is None else column.split(delimiter)
    if not all(labels):
        raise InvalidTrainingDataError(f"{where}: a label is empty.")
    if any(len(label) > 5000 for label in labels):
        raise InvalidTrainingDataError(f"{where}: a label is longer than 5000 characters.")
    if not text.strip():
        raise InvalidTrainingDataError(f"{where}: the document is empty.")
    if maximum_document_bytes is not None and len(text.encode()) > maximum_document_bytes:
        raise InvalidTrainingDataError(f"{where}: the document is larger than {maximum_document_bytes} bytes.")
    return labels, text
