"""Whether one model is better than another by more than chance: a paired bootstrap of the difference in a metric.

Both models answered the same documents, so documents are resampled, each with both answers: what makes a document
hard for both cancels out. The interval is the percentile interval (Efron and Tibshirani, "An Introduction to the
Bootstrap", chapter 13), because

- macro averages of ratios have no closed form for their variance, and near 0 or 1 they are far from normal;
- it never leaves the range a difference can have, and swapping the models exactly mirrors it;
- unlike BCa it is defined where all resamples agree, for example for two models with the same answers.

What it gives up for that, a correction of bias, is small beside the interval's width at the hundreds of documents a
hold-out has. A label with a handful of documents is left out of some resamples and counts as 0 for both models there:
a gain on so few documents is rightly not certain.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, NamedTuple, TypeAlias, TypeVar

from .errors import NothingToScore
from .label_places import LabelPlaces, LabelSet, Places
from .metrics import Metric

DEFAULT_SEED = 20_240_229
ROUNDING = 12
"""Decimal places of differences, as in the gate: a difference beyond is floating-point noise, not evidence."""

Cell = TypeVar("Cell", bound=tuple[Any, ...])
_Cell: TypeAlias = tuple[Places, Places, Places]
_Picker: TypeAlias = Callable[[Sequence[int]], tuple[int, ...]]
_Ratio: TypeAlias = tuple[_Picker, _Picker]
"""What stands above and below the line of one label's score."""


class Outcome(NamedTuple):
    """What both models said of a document; nothing is an empty set."""

    true: LabelSet
    candidate: LabelSet
    active: LabelSet


@dataclass(frozen=True, kw_only=True)
class DifferenceInterval:
    """The candidate's metric less the active model's, from -1 to 1, and where it lies at `confidence_level`."""

    metric: Metric
    difference: float
    low: float
    high: float
    confidence_level: float
    resamples: int


def difference_interval(
    outcomes: Mapping[Outcome, int],
    *,
    labels: Sequence[str],
    multi_label: bool,
    metric: Metric,
    confidence_level: float = 0.95,
    resamples: int = 1_000,
    seed: int = DEFAULT_SEED,
) -> DifferenceInterval:
    """The paired bootstrap interval of the difference between two models.

    Equal input gives an equal result in every process, whatever the order of documents, and swapped models give the
    mirrored result.

    Args:
        outcomes: documents by what the two models said of them, as from `collections.Counter`.
        labels: the flywheel's labels.
        confidence_level: the share of resamples inside the interval, between 0 and 1.
        resamples: how often the documents are drawn again; at least 2.

    Raises:
        NothingToScore: no documents.
        UnusableLabels: true labels that are not the flywheel's, or several labels in MULTI_CLASS mode.
        ValueError: a confidence level or a number of resamples out of range.
    """
    places = LabelPlaces(labels=labels, multi_label=multi_label)
    return interval_of(
        _cells(outcomes, places),
        mirror=lambda cell: (cell[0], cell[2], cell[1]),
        measure=lambda cells: _Difference(cells=cells, labels=len(labels), metric=metric).of,
        metric=metric,
        confidence_level=confidence_level,
        resamples=resamples,
        seed=seed,
    )


def interval_of(
    documents: Mapping[Cell, int],
    *,
    mirror: Callable[[Cell], Cell],
    measure: Callable[[Sequence[Cell]], Callable[[Sequence[int]], float]],
    metric: Metric,
    confidence_level: float,
    resamples: int,
    seed: int,
) -> DifferenceInterval:
    """The interval of a difference that is a function of the documents in each cell.

    A cell is what makes a difference to a score, and can be ordered; `mirror` swaps the models in it. `measure` gives,
    for cells in an order, the difference as a function of the documents in them. Raises as `difference_interval`.
    """
    if not 0 < confidence_level < 1:
        raise ValueError(f"ConfidenceLevel must lie between 0 and 1, both excluded, not {confidence_level}.")
    if resamples < 2:
        raise ValueError(f"An interval needs at least 2 resamples, not {resamples}.")
    if not documents:
        raise NothingToScore
    cells = sorted(documents.items())
    mirrored = sorted((mirror(cell), count) for cell, count in cells)
    # Swapped models must see the same draws, or the interval would not mirror: draw from one of the two orders always.
    swapped = mirrored < cells
    counts = mirrored if swapped else cells
    difference_of = measure([cell for cell, _ in counts])
    difference = difference_of([count for _, count in counts])
    differences = [difference_of(weights) for weights in _resampled([n for _, n in counts], resamples, seed)]
    if mirrored == cells:
        differences += [-value for value in differences]
    low, high = _percentiles(sorted(differences), confidence_level)
    if swapped:
        difference, low, high = -difference, -high, -low
    return DifferenceInterval(
        metric=metric,
        difference=difference + 0.0,
        low=low + 0.0,
        high=high + 0.0,
        confidence_level=confidence_level,
        resamples=resamples,
    )


def _cells(outcomes: Mapping[Outcome, int], places: LabelPlaces) -> dict[_Cell, int]:
    """Documents by what makes a difference to a score."""
    cells: dict[_Cell, int] = {}
    for outcome, documents in outcomes.items():
        if documents > 0:
            cell = (
                places.of_true(outcome.true),
                places.of_predicted(outcome.candidate),
                places.of_predicted(outcome.active),
            )
            cells[cell] = cells.get(cell, 0) + documents
    return cells


def _resampled(counts: Sequence[int], resamples: int, seed: int) -> Iterable[list[int]]:
    """As many documents as there are, drawn with replacement, as counts by cell: a multinomial draw.

    Only `random()` is used, the one method whose sequence Python promises to keep for a seed.
    """
    cell_of_document = [cell for cell, count in enumerate(counts) for _ in range(count)]
    documents = len(cell_of_document)
    cells = range(len(counts))
    draw, floor = random.Random(seed).random, math.floor  # noqa: S311 (statistics, not secrets)
    for _ in range(resamples):
        drawn = Counter([cell_of_document[floor(draw() * documents)] for _ in cell_of_document])
        yield [drawn.get(cell, 0) for cell in cells]


class _Difference:
    """The difference in a metric as a function of the documents in each cell.

    A label's score is a ratio of two sums over cells. A cell may stand in a sum twice.
    """

    def __init__(self, *, cells: Sequence[_Cell], labels: int, metric: Metric) -> None:
        truths = [cell[0] for cell in cells]
        self._candidate = _ratios(truths, [cell[1] for cell in cells], labels, metric)
        self._active = _ratios(truths, [cell[2] for cell in cells], labels, metric)
        if metric is Metric.ACCURACY:
            self._scale = 1.0
        else:
            self._scale = (2.0 if metric is Metric.F1_SCORE else 1.0) / labels

    def of(self, weights: Sequence[int]) -> float:
        padded = (*weights, 0)
        gain = _total(self._candidate, padded) - _total(self._active, padded)
        return round(gain * self._scale, ROUNDING)


def _ratios(truths: Sequence[Places], answers: Sequence[Places], labels: int, metric: Metric) -> list[_Ratio]:
    """What is right and what it is divided by: one ratio for accuracy, otherwise one for each label."""
    both = list(enumerate(zip(truths, answers, strict=True)))
    padding = len(truths)
    if metric is Metric.ACCURACY:
        right = [cell for cell, (truth, answer) in both if truth == answer]
        return [(_picker(right, padding), _picker(range(len(truths)), padding))]
    hits: list[list[int]] = [[] for _ in range(labels)]
    bases: list[list[int]] = [[] for _ in range(labels)]
    for cell, (truth, answer) in both:
        for place in truth:
            if place in answer:
                hits[place].append(cell)
            if metric is not Metric.PRECISION:
                bases[place].append(cell)
        if metric is not Metric.RECALL:
            for place in answer:
                if place < labels:
                    bases[place].append(cell)
    return [(_picker(hit, padding), _picker(base, padding)) for hit, base in zip(hits, bases, strict=True) if hit]


def _picker(cells: Iterable[int], padding: int) -> _Picker:
    """`itemgetter` is several times faster than a loop, but of one item alone it gives no tuple: pad with a zero."""
    return itemgetter(*cells, padding, padding)


def _total(ratios: Iterable[_Ratio], padded: Sequence[int]) -> float:
    scores = []
    for hits, base in ratios:
        right = sum(hits(padded))
        if right:
            scores.append(right / sum(base(padded)))
    return math.fsum(scores)


def _percentiles(ordered: Sequence[float], confidence_level: float) -> tuple[float, float]:
    """The ends that leave half of the rest on each side, interpolated, counted alike from both ends."""
    position = (1 - confidence_level) / 2 * (len(ordered) - 1)
    below = int(position)
    part = position - below
    low = ordered[below] * (1 - part) + ordered[below + 1] * part
    high = ordered[-1 - below] * (1 - part) + ordered[-2 - below] * part
    return round(low, ROUNDING), round(high, ROUNDING)
