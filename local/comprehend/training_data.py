"""Training data of any kind of model: where they are read from, and what is counted of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import groupby
from pathlib import Path
from typing import Any

DEFAULT_DELIMITER = "|"


class InvalidTrainingDataError(Exception):
    """The data cannot be used; the message names the file and the line and says what to correct."""


class Part(StrEnum):
    """What stands in the objects of a source."""

    ROWS = "rows"
    """CSV of labels and documents."""
    MANIFEST = "manifest"
    """An augmented manifest: documents with what was said of them."""
    DOCUMENTS = "documents"
    """Documents alone."""
    ANNOTATIONS = "annotations"
    """CSV of the places of entities in documents."""
    ENTITY_LIST = "entity-list"
    """CSV of entities, wherever they stand."""


@dataclass(frozen=True, kw_only=True)
class DataSource:
    """An object or a prefix, and how to read it.

    Sources of one ``group`` belong together: annotations and the documents that they speak of. ``delimiter`` separates
    labels in ROWS, ``attributes`` are those of a MANIFEST that count, ``one_per_file`` is of DOCUMENTS.
    """

    uri: str
    part: Part
    group: int = 0
    delimiter: str = DEFAULT_DELIMITER
    attributes: tuple[str, ...] = ()
    one_per_file: bool = False


@dataclass(frozen=True, kw_only=True)
class DataFile:
    """A local copy of an object, its name below the source that it was read from, and that source."""

    path: Path
    name: str
    source: DataSource


@dataclass(kw_only=True)
class Contents:
    """What a dataset holds. ``documents`` counts every one; ``per_label`` only what the flywheel knows: documents with
    a label, or annotations of an entity type. ``bytes`` are those of their texts."""

    documents: int = 0
    per_label: Counter[str] = field(default_factory=Counter)
    dropped_documents: int = 0
    unknown_labels: Counter[str] = field(default_factory=Counter)
    bytes: int = 0

    def add(self, other: Contents) -> None:
        self.documents += other.documents
        self.bytes += other.bytes
        self.dropped_documents += other.dropped_documents
        self.per_label.update(other.per_label)
        self.unknown_labels.update(other.unknown_labels)


@dataclass(frozen=True, kw_only=True)
class ModelData:
    """What a model is trained and tested on: files of each dataset, for a task of the model's kind.

    Without test files, one training document in ten is held out for testing.
    """

    train: tuple[tuple[DataFile, ...], ...]
    test: tuple[tuple[DataFile, ...], ...]
    task: Any


def data_format(sources: Sequence[DataSource]) -> str:
    """The DataFormat that the sources are of."""
    manifests = any(source.part is Part.MANIFEST for source in sources)
    return "AUGMENTED_MANIFEST" if manifests else "COMPREHEND_CSV"


def require_all_labels(training: Contents, testing: Contents) -> None:
    """Raise InvalidTrainingDataError unless the test data have each label or entity type of the training data."""
    missing = sorted(set(training.per_label) - set(testing.per_label))
    if missing:
        raise InvalidTrainingDataError(f"The TEST data have no document of these labels: {', '.join(missing)}.")


def groups(files: Sequence[DataFile]) -> Iterator[list[DataFile]]:
    """The files that belong together."""
    for _, members in groupby(files, key=lambda file: file.source.group):
        yield list(members)
