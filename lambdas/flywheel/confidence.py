"""How sure a model is of its answer, and which labels it says yes to."""

from __future__ import annotations

from collections.abc import Sequence

YES = 0.5
"""From this score on a label of a multi-label model counts as one of the document's: its labels are decisions of their
own, each yes or no."""

Scores = Sequence[tuple[str, float]]
"""Labels with their scores, the best first."""


def labels_of(scores: Scores, *, multi_label: bool) -> list[str]:
    """The best of exclusive classes, or every label that the model says yes to; none where it said nothing."""
    if multi_label:
        return [name for name, score in scores if score >= YES]
    return [scores[0][0]] if scores else []


def confidence_of(scores: Scores, *, multi_label: bool) -> float:
    """From 0 to 1: the score of the best of exclusive classes. Of several labels, each yes or no, the least certain one
    counts: a label is as certain as its score, or as 1 minus its score where that is below 0.5."""
    if multi_label:
        return min((max(score, 1 - score) for _, score in scores), default=0.0)
    return scores[0][1] if scores else 0.0
