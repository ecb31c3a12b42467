"""What the local Comprehend asks scikit-learn about a model's answers, worked out at once.

A schedule has dozens of documents and several models. scikit-learn takes fifteen milliseconds to look at what it is
given before it counts, a twentieth of a schedule's time. `test_scores.py` holds this to what scikit-learn says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy

from local.comprehend.document_classification import evaluation

Flags = Any
"""A row for each document, a column for each label."""


@contextmanager
def quick_scores() -> Iterator[None]:
    """While the block runs, the local Comprehend evaluates classifiers with these."""
    module: Any = evaluation
    ours: list[Any] = [accuracy_score, confusion_matrix, hamming_loss]
    ours += [multilabel_confusion_matrix, precision_recall_fscore_support]
    before = {one.__name__: getattr(module, one.__name__) for one in ours}
    for one in ours:
        setattr(module, one.__name__, one)
    try:
        yield
    finally:
        for name, one in before.items():
            setattr(module, name, one)


def accuracy_score(actual: Flags, predicted: Flags) -> float:
    return float((actual == predicted).all(axis=1).mean())


def hamming_loss(actual: Any, predicted: Any) -> float:
    """Of flags, or of one label for each document."""
    return float((numpy.asarray(actual) != numpy.asarray(predicted)).mean())


def confusion_matrix(actual: Sequence[str], predicted: Sequence[str], *, labels: Sequence[str]) -> Any:
    places = {label: place for place, label in enumerate(labels)}
    counts = numpy.zeros((len(labels), len(labels)), dtype=int)
    for one, other in zip(actual, predicted, strict=True):
        counts[places[one], places[other]] += 1
    return counts


def multilabel_confusion_matrix(actual: Flags, predicted: Flags) -> Any:
    right, given, wanted = _sums(actual, predicted)
    others = len(actual) - wanted - given + right
    return numpy.array([others, given - right, wanted - right, right]).T.reshape(-1, 2, 2)


def precision_recall_fscore_support(
    actual: Flags, predicted: Flags, *, average: str, zero_division: int
) -> tuple[float, float, float, None]:
    if zero_division != 0:
        raise NotImplementedError("The local Comprehend counts what is divided by zero as zero.")
    sums = _sums(actual, predicted)
    if average == "micro":
        sums = tuple(numpy.array([each.sum()]) for each in sums)
    right, given, wanted = sums
    found = (_share(right, given), _share(right, wanted), _share(2 * right, wanted + given))
    precision, recall, score = (float(each.mean()) for each in found)
    return precision, recall, score, None


def _sums(actual: Flags, predicted: Flags) -> tuple[Any, ...]:
    """By label: documents that have it and were given it, that were given it, and that have it."""
    return (actual * predicted).sum(axis=0), predicted.sum(axis=0), actual.sum(axis=0)


def _share(of: Any, all_: Any) -> Any:
    return numpy.divide(of, all_, out=numpy.zeros(len(of)), where=all_ != 0)
