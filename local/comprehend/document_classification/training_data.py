"""Documents with labels, in the forms that Comprehend takes for custom classification.

Sources: "Preparing classifier training data" of the developer guide, and the flywheel dataset quotas.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from local.comprehend.document_classification.csv_rows import csv_rows
from local.comprehend.document_classification.manifest_rows import manifest_rows
from local.comprehend.training_data import Contents, DataFile, InvalidTrainingDataError, Part

MAXIMUM_LABEL_CHARACTERS = 5000


@dataclass(frozen=True, kw_only=True)
class LabelRules:
    """How labels are read.

    ``known`` is the flywheel's label list (None: every label counts). When not ``multi_label``, the whole first column
    of a row is one label.
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
        for _, labels, text in _rows(file, rules):
            known = _known(labels, rules)
            if known:
                yield Document(labels=known, text=text)


def inspect(
    files: Sequence[DataFile], *, rules: LabelRules, maximum_documents: int, maximum_document_bytes: int
) -> Contents:
    """Read every row strictly and count.

    Raises InvalidTrainingDataError at the first row that cannot be read, has no text, or is over a limit. Unknown
    labels are dropped silently, as the service does, and counted.
    """
    contents = Contents()
    for file in files:
        for where, labels, text in _rows(file, rules):
            _check(where, labels, text, maximum_document_bytes)
            contents.documents += 1
            contents.bytes += len(text.encode())
            if contents.documents > maximum_documents:
                raise InvalidTrainingDataError(f"{where}: a dataset holds at most {maximum_documents} documents.")
            known = _known(labels, rules)
            contents.per_label.update(known)
            contents.unknown_labels.update(set(labels).difference(known))
            contents.dropped_documents += not known
    return contents


def _rows(file: DataFile, rules: LabelRules) -> Iterator[tuple[str, list[str], str]]:
    """Where each document is, for messages, its labels, and its text."""
    if file.source.part is Part.MANIFEST:
        return manifest_rows(file, multi_label=rules.multi_label)
    return csv_rows(file, delimiter=file.source.delimiter if rules.multi_label else None)


def _known(labels: list[str], rules: LabelRules) -> tuple[str, ...]:
    return tuple(sorted(label for label in set(labels) if rules.known is None or label in rules.known))


def _check(where: str, labels: list[str], text: str, maximum_document_bytes: int) -> None:
    if not all(labels):
        raise InvalidTrainingDataError(f"{where}: a label is empty.")
    if any(len(label) > MAXIMUM_LABEL_CHARACTERS for label in labels):
        raise InvalidTrainingDataError(f"{where}: a label is longer than {MAXIMUM_LABEL_CHARACTERS} characters.")
    if not text.strip():
        raise InvalidTrainingDataError(f"{where}: the document is empty.")
    if len(text.encode()) > maximum_document_bytes:
        raise InvalidTrainingDataError(f"{where}: the document is larger than {maximum_document_bytes} bytes.")
