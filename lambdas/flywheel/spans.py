"""Annotations of a text: where an entity begins and ends, and its type."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

BETWEEN_LABELS = "\x1f"
"""Joins the labels, or the entity types, of one document in a combination. No label can hold a control character
(reference 1.3)."""
BEFORE_COUNT = "\x1e"
"""Stands in a combination between an entity type and how often it is annotated in the document."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """An entity in a text: code points from `begin`, counted from zero, up to and without `end`."""

    begin: int
    end: int
    type: str

    @property
    def label(self) -> str:
        """As one string, such as `0:5:PERSON`: where a document classifier has a label, a recognizer has these."""
        return f"{self.begin}:{self.end}:{self.type}"

    @classmethod
    def of_label(cls, label: str) -> Self:
        """Raises ValueError."""
        begin, end, type_ = label.split(":", 2)
        return cls(int(begin), int(end), type_)


def labels_of_spans(spans: Iterable[Span]) -> tuple[str, ...]:
    """Each span as a label, in the order of the text."""
    return tuple(span.label for span in sorted(spans))
