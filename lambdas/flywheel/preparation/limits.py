"""What the flywheel accepts: its labels and the service's limits."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from .label_forms import as_compared

BYTES_BESIDES_THE_TEXT = 1 << 16
"""What a record may have besides its text: the label column, quotes, JSON keys."""
_MEGABYTE = 1_000_000
_GIGABYTE = 1_000_000_000


@dataclass(frozen=True)
class LabelRules:
    """The flywheel's label list, its mode, and the delimiter between several labels of one document.

    Raises:
        ValueError: a label list that no document could be checked against.
    """

    labels: tuple[str, ...]
    multi_label: bool
    delimiter: str = "|"

    def __post_init__(self) -> None:
        if not self.labels:
            raise ValueError("Give at least one label: without labels no document can be checked.")
        if len(set(self.labels)) != len(self.labels):
            raise ValueError("A label stands twice in the label list: remove one of them.")
        if len(self.delimiter) != 1:
            raise ValueError(f"The label delimiter must be one character, not {self.delimiter!r}.")
        for label in self.labels:
            if not label or label != label.strip() or "\n" in label or "\r" in label:
                raise ValueError(f"Label {label!r} is empty, spans lines, or begins or ends with a space: correct it.")
            if self.multi_label and self.delimiter in label:
                raise ValueError(
                    f"Label {label!r} contains the label delimiter {self.delimiter!r}: change one of them."
                )
        twins = [form for form, count in Counter(map(as_compared, self.labels)).items() if count > 1]
        if twins:
            raise ValueError(
                f"Two labels look like {twins[0]!r} and differ in invisible characters or composed accents: rename one."
            )


@dataclass(frozen=True)
class AnyLabel:
    """The rules of a flywheel that is not there yet: every label will do, up to ``most`` different ones."""

    multi_label: bool
    delimiter: str = "|"
    most: int = 2000


class ConflictingLabels(StrEnum):
    """What becomes of a document whose text came before with other labels."""

    KEEP = "KEEP"
    REFUSE = "REFUSE"


class RepeatedDocuments(StrEnum):
    """What becomes of a document that stands in its upload before, with the same labels."""

    DROP = "DROP"
    KEEP = "KEEP"


@dataclass(frozen=True, kw_only=True)
class UploadOptions:
    """How an upload is read, whatever its kind of model."""

    maximum_bad_lines_percent: float = 5.0
    conflicting_labels: ConflictingLabels = ConflictingLabels.KEEP
    repeated_documents: RepeatedDocuments = RepeatedDocuments.DROP
    machine_labels: bool = True
    """Whether lines of a manifest are taken that no person labelled or annotated."""
    manifest_attribute: str | None = None
    """The one that counts in a manifest that has several."""


@dataclass(frozen=True, kw_only=True)
class Limits(UploadOptions):
    """Where a document or a file is too large, and how much of a file may be bad.

    The sizes are Comprehend's quotas for a flywheel's classification dataset ("Guidelines and quotas" in the
    developer guide): at most 1,000,000 documents, 5 GB, and 10 MB for a single document. The guide gives that last
    figure for one document per file and none for a document inside a CSV file, so it is the largest size known to be
    allowed. Units are decimal, the stricter reading. ``documents`` also bounds the memory that finding duplicates
    takes (24 bytes or more for each).

    The other limits are ours. ``rows`` (documents, duplicates and bad lines together) bounds the time that a file of
    very short lines takes, ``record_lines`` how far a quote that nobody closes can reach.
    """

    document_bytes: int = 10 * _MEGABYTE
    file_bytes: int = 5 * _GIGABYTE
    documents: int = 1_000_000
    rows: int = 2_000_000
    record_lines: int = 25_000
    examples: int = 100
    """Bad lines spelled out in all, and of those that are bad in the same way."""
    examples_of_a_kind: int = 3

    @classmethod
    def of(cls, options: UploadOptions) -> Self:
        return cls(**vars(options))
