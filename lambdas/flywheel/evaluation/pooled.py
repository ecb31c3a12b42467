"""Whether one model is better than another in micro-averaged scores, or in those of one label.

A label's own scores are such scores, of documents that have no other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from operator import mul
from typing import NamedTuple, TypeAlias

from .bootstrap import DEFAULT_SEED, ROUNDING, DifferenceInterval, interval_of
from .label_places import LabelSet
from .metrics import Metric


class _Counts(NamedTuple):
    """What makes a difference to a score, in one document: labels that are right, given by the model, and true."""

    hits: int
    given: int
    true: int
    right: bool


_Cell: TypeAlias = tuple[_Counts, _Counts]
"""The candidate's and the active model's."""


def pooled_interval(
    truths: Sequence[LabelSet],
    *,
    candidate: Sequence[LabelSet],
    active: Sequence[LabelSet],
    metric: Metric,
    confidence_level: float = 0.95,
    resamples: int = 1_000,
    seed: int = DEFAULT_SEED,
) -> DifferenceInterval:
    """The paired bootstrap interval of the difference between two models in scores over all that a document has.

    Of each document the labels, or the entities, that are true and those that each model gives. Documents are
    resampled, not labels: those of one text are hard or easy together. As with `difference_interval`, equal input gives
    an equal result, swapped models give the mirrored one, and the same errors are raised.
    """
    cells = Counter(
        (_counts(truth, mine), _counts(truth, theirs))
        for truth, mine, theirs in zip(truths, candidate, active, strict=True)
    )
    return interval_of(
        cells,
        mirror=lambda cell: (cell[1], cell[0]),
        measure=lambda ordered: _difference(ordered, metric),
        metric=metric,
        confidence_level=confidence_level,
        resamples=resamples,
        seed=seed,
    )


def _counts(truth: LabelSet, answer: LabelSet) -> _Counts:
    return _Counts(len(truth & answer), len(answer), len(truth), truth == answer)


def _difference(cells: Sequence[_Cell], metric: Metric) -> Callable[[Sequence[int]], float]:
    """As a function of the documents in each cell."""
    above, below = zip(*(_ratio_of(metric, [cell[model] for cell in cells]) for model in (0, 1)), strict=True)

    def difference(weights: Sequence[int]) -> float:
        mine, theirs = (
            _share(sum(map(mul, weights, right)), sum(map(mul, weights, whole)))
            for right, whole in zip(above, below, strict=True)
        )
        return round(mine - theirs, ROUNDING)

    return difference


def _ratio_of(metric: Metric, counts: Sequence[_Counts]) -> tuple[list[int], list[int]]:
    """What stands above and below the line of the metric, in each cell."""
    if metric is Metric.ACCURACY:
        return [int(one.right) for one in counts], [1] * len(counts)
    if metric is Metric.PRECISION:
        return [one.hits for one in counts], [one.given for one in counts]
    if metric is Metric.RECALL:
        return [one.hits for one in counts], [one.true for one in counts]
    return [2 * one.hits for one in counts], [one.given + one.true for one in counts]


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
