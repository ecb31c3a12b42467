"""Documents that a model can learn, as files and as the pipeline stores them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from flywheel.preparation.entities import from_line

LABELS = ("BUSINESS", "SPORTS")
DELIMITER = "|"

Document = tuple[str, str]
"""The labels, joined by the delimiter, and the text."""


def documents(*labels: str, start: int = 0, count: int = 10, words: str = "") -> list[Document]:
    """For each label (a combination is joined with `|`) documents that a model can learn it from."""
    return [
        (label, f"{words}{' and '.join(f'{word.lower()} news' for word in label.split('|'))}, told in document {n}")
        for n in range(start, start + count)
        for label in labels
    ]


def mislabelled(rows: list[Document]) -> list[Document]:
    """Each with the other label."""
    one, other = LABELS
    return [(other if label == one else one, text) for label, text in rows]


def as_csv(rows: Iterable[Document]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def read_stored(key: str, content: bytes) -> list[Document]:
    """Documents in either form: labels, or annotations as `Span.label` joined by spaces, and the text."""
    if key.endswith(".csv"):
        return [(row[0], row[1]) for row in csv.reader(io.StringIO(content.decode(), newline=""))]
    if key.endswith((".jsonl", ".manifest")):
        lines = map(from_line, content.decode().splitlines())
        return [(" ".join(span.label for span in spans), text) for text, spans in lines]
    return []
