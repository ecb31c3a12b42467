"""How well a recognizer finds entities: strict scores, where an entity is right if its span and its type both are.

Entities are strings, `begin:end:type` (`flywheel.spans`), so that equal strings are equal entities. Scores over all
types together are micro averages, the rule of CoNLL's `conlleval`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from operator import mul
from typing import NamedTuple, TypeAlias

from .bootstrap import DEFAULT_SEED, ROUNDING, DifferenceInterval, interval_of
from .errors import NothingToScore
from .label_places import LabelSet
from .metrics import Average, Confusion, Evaluation, Metric, label_score, macro_average, scores_of


def type_of(entity: str) -> str:
    return entity.split(":", 2)[2]


def _place_of(entity: str) -> tuple[str, ...]:
    return tuple(entity.split(":", 2)[:2])


def evaluate_entities(truths: Sequence[LabelSet], answers: Sequence[LabelSet], *, types: Sequence[str]) -> Evaluation:
    """Score answers to documents whose entities are known, one set for each document.

    `accuracy` is the share of documents whose entities are all right and no others. A type's `support` counts entities.
    `confusions` are of spans that have an entity in both: the type against the one given, None for one not found.

    Raises NothingToScore without documents.
    """
    if not truths:
        raise NothingToScore
    hits, predicted, support = (Counter[str]() for _ in range(3))
    pairs: Counter[tuple[str, str | None]] = Counter()
    right = 0
    for truth, answer in zip(truths, answers, strict=True):
        right += truth == answer
        hits.update(map(type_of, truth & answer))
        predicted.update(map(type_of, answer))
        support.update(map(type_of, truth))
        given = {_place_of(entity): type_of(entity) for entity in answer}
        for entity in truth:
            pairs[type_of(entity), given.get(_place_of(entity))] += 1
    by_type = tuple(label_score(name, hits[name], predicted[name], support[name]) for name in types)
    # A type outside the list is a wrong answer.
    together = scores_of(sum(hits.values()), sum(predicted.values()), sum(support.values()))
    return Evaluation(
        documents=len(truths),
        accuracy=right / len(truths),
        macro=macro_average(by_type),
        micro=together,
        labels=by_type,
        confusions=tuple(
            Confusion(true=true, predicted=answer, documents=count)
            for (true, answer), count in sorted(pairs.items(), key=lambda pair: _order(pair[0], types))
        ),
        average=Average.MICRO,
    )


def _order(pair: tuple[str, str | None], types: Sequence[str]) -> tuple[int, int]:
    places = {name: place for place, name in enumerate(types)}
    return places.get(pair[0], len(types)), len(types) + 1 if pair[1] is None else places.get(pair[1], len(types))


class _Counts(NamedTuple):
    """What makes a difference to a score, in one document: entities found, given by the model, and true."""

    hits: int
    given: int
    true: int
    right: bool


_Cell: TypeAlias = tuple[_Counts, _Counts]
"""The candidate's and the active model's."""


def entity_interval(
    truths: Sequence[LabelSet],
    *,
    candidate: Sequence[LabelSet],
    active: Sequence[LabelSet],
    metric: Metric,
    confidence_level: float = 0.95,
    resamples: int = 1_000,
    seed: int = DEFAULT_SEED,
) -> DifferenceInterval:
    """The paired bootstrap interval of the difference between two models over all types together.

    Documents are resampled, not entities: those of one text are hard or easy together. As with `difference_interval`,
    equal input gives an equal result, swapped models give the mirrored one, and the same errors are raised.
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
