"""The labels, the confidence and the margin of a model's prediction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TypeAlias

YES = 0.5
"""A multi-label model scores each label on its own. A document has a label with at least this score, unless the model
has a threshold of its own for it."""

Scores: TypeAlias = Sequence[tuple[str, float]]
"""Labels with their scores, best first."""

Thresholds: TypeAlias = Mapping[str, float]
"""A multi-label model's thresholds by label. A label that is not in it has YES."""

NO_THRESHOLDS: Thresholds = MappingProxyType({})
"""Every label has YES."""


def labels_of(scores: Scores, *, multi_label: bool, thresholds: Thresholds = NO_THRESHOLDS) -> list[str]:
    """The best class, or of a multi-label model every label whose score reaches its threshold. Empty without scores."""
    if multi_label:
        return [name for name, score in scores if score >= thresholds.get(name, YES)]
    return [scores[0][0]] if scores else []


def confidence_of(scores: Scores, *, multi_label: bool, thresholds: Thresholds = NO_THRESHOLDS) -> float:
    """From 0 to 1: the score of the best class. Of a multi-label model the certainty of its least certain label."""
    if multi_label:
        return min((certainty_of(score, thresholds.get(name, YES)) for name, score in scores), default=0.0)
    return scores[0][1] if scores else 0.0


def margin_of(scores: Scores, *, multi_label: bool, thresholds: Thresholds = NO_THRESHOLDS) -> float:
    """From 0 (the model could as well have said something else) to 1: the best score minus the second. Of a multi-label
    model how far its least certain label is from its threshold, on the way to 0 or 1."""
    if multi_label:
        return max(0.0, 2 * confidence_of(scores, multi_label=True, thresholds=thresholds) - 1)
    best, second = (*(score for _, score in scores[:2]), 0.0, 0.0)[:2]
    return max(0.0, min(1.0, best) - min(1.0, second))


def certainty_of(score: float, threshold: float) -> float:
    """How certain the yes or no to one label is: 0.5 for a score at the threshold, 1 for a score of 0 or 1, and on a
    straight line between. At the threshold 0.5 that is the score, or 1 minus the score where that is below 0.5."""
    if score < 0 or score >= 1:
        return 1.0
    if score < threshold:
        return 1 - 0.5 * score / threshold
    room = 1 - threshold
    return 0.5 + 0.5 * (score - threshold) / room if room > 0 else 1.0
