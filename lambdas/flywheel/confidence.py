"""The labels and the confidence of a model's prediction."""

from __future__ import annotations

from collections.abc import Sequence

YES = 0.5
"""A multi-label model scores each label on its own. A document has the labels with at least this score."""

Scores = Sequence[tuple[str, float]]
"""Labels with their scores, best first."""


def labels_of(scores: Scores, *, multi_label: bool) -> list[str]:
    """The best class, or of a multi-label model every label with a score of YES or more. Empty without scores."""
    if multi_label:
        return [name for name, score in scores if score >= YES]
    return [scores[0][0]] if scores else []


def confidence_of(scores: Scores, *, multi_label: bool) -> float:
    """From 0 to 1: the score of the best class. Of a multi-label model that of its least certain label, where a score
    below 0.5 counts as 1 minus the score."""
    if multi_label:
        return min((max(score, 1 - score) for _, score in scores), default=0.0)
    return scores[0][1] if scores else 0.0
