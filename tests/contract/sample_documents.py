"""Small made-up documents in Comprehend's CSV form, easy to learn and free of anybody's rights."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterable

WORDS = {
    "SPORTS": ("goal", "match", "referee", "league", "striker", "penalty", "stadium", "coach"),
    "BUSINESS": ("shares", "profit", "merger", "dividend", "market", "revenue", "invoice", "audit"),
    "SCIENCE": ("telescope", "enzyme", "orbit", "genome", "particle", "fossil", "microscope", "theory"),
}
LABELS = tuple(WORDS)
FILLERS = ("today", "report", "people", "city", "week", "new", "says", "after")


def csv_of(rows: Iterable[tuple[str, str]]) -> bytes:
    """The rows (first column, text) as Comprehend CSV."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def text_about(*labels: str, seed: str) -> str:
    """A text with words of each label among fillers; equal arguments give an equal text."""
    chance = random.Random(f"{labels}{seed}")
    words = [chance.choice(WORDS[label]) for label in labels for _ in range(3)]
    words += [chance.choice(FILLERS) for _ in range(5)]
    chance.shuffle(words)
    return f"{' '.join(words)} number {seed}"


def rows(
    per_label: int = 50, *, labels: Iterable[str] = LABELS, tag: str = "a", mislabelled: bool = False
) -> list[tuple[str, str]]:
    """``per_label`` rows for each label. ``mislabelled``: each text is about the label after its own."""
    made = []
    for label in labels:
        about = LABELS[(LABELS.index(label) + 1) % len(LABELS)] if mislabelled else label
        made += [(label, text_about(about, seed=f"{tag}{number}")) for number in range(per_label)]
    return made


def documents(
    per_label: int = 50, *, labels: Iterable[str] = LABELS, tag: str = "a", mislabelled: bool = False
) -> bytes:
    """Comprehend CSV of :func:`rows`."""
    return csv_of(rows(per_label, labels=labels, tag=tag, mislabelled=mislabelled))


def multi_label_documents(per_pair: int, *, delimiter: str = "|", tag: str = "m") -> bytes:
    """Comprehend CSV with each label alone and each pair of labels, ``per_pair`` documents of each."""
    subjects = [(one,) for one in LABELS] + [(one, other) for one in LABELS for other in LABELS if one < other]
    return csv_of(
        (delimiter.join(subject), text_about(*subject, seed=f"{tag}{number}"))
        for subject in subjects
        for number in range(per_pair)
    )
