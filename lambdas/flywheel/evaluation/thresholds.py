"""From which score on a multi-label model's answer has a label: for each label the threshold with the best F1.

Thresholds flatter the documents that they were chosen on. So documents are scored by cross-fitting: they are dealt into
folds, and each fold is answered with the thresholds that the other folds choose. What is kept is chosen on all of them.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, replace

from flywheel.confidence import YES, certainty_of

from .label_places import LabelSet
from .predictions import NO_SCORE, Predictions

FOLDS = 5


@dataclass(frozen=True, kw_only=True)
class ChosenThresholds:
    by_label: dict[str, float]
    """For every label of the flywheel."""
    too_few: tuple[str, ...]
    """Labels that too few documents carry to choose by: they keep YES."""


def fit_thresholds(
    truths: Sequence[LabelSet], answers: Predictions, *, labels: Sequence[str], least_support: int
) -> tuple[Predictions, ChosenThresholds]:
    """The cross-fitted answers to documents whose labels are known, and the thresholds that all documents choose.

    Equal input gives an equal result. Two models that answer the same documents have the same folds.

    Args:
        answers: of a MULTI_LABEL model, with scores.
        labels: the flywheel's. Others, which a model of a former generation may give, stay as they are in `answers`.
        least_support: documents that a label needs for a threshold of its own.
    """
    scores = answers.scores
    if scores is None:
        raise ValueError("Thresholds are chosen by the scores of a multi-label model, and these answers have none.")
    folds = _folds(truths)
    known = frozenset(labels)
    others = [answer - known for answer in answers.by_line]
    found: list[list[str]] = [[] for _ in truths]
    least_certain = array("d", [1.0]) * len(truths)
    by_label: dict[str, float] = {}
    too_few = []
    for label in labels:
        column = scores.of(label)
        carries = bytearray(label in truth for truth in truths)
        by_fold = [YES] * FOLDS
        by_label[label] = YES
        if sum(carries) < least_support:
            too_few.append(label)
        else:
            ranked = sorted(range(len(column)), key=column.__getitem__, reverse=True)
            by_label[label] = best_threshold(ranked, column, carries)
            by_fold = [
                best_threshold([place for place in ranked if folds[place] != fold], column, carries)
                for fold in range(FOLDS)
            ]
        for place, score in enumerate(column):
            threshold = by_fold[folds[place]]
            if score >= threshold:
                found[place].append(label)
            if score != NO_SCORE:
                least_certain[place] = min(least_certain[place], certainty_of(score, threshold))
    same: dict[LabelSet, LabelSet] = {}
    crossed = (rest.union(mine) for rest, mine in zip(others, found, strict=True))
    fitted = replace(
        answers,
        by_line=tuple(same.setdefault(answer, answer) for answer in crossed),
        margins=array("d", (2 * certainty - 1 for certainty in least_certain)),
    )
    return fitted, ChosenThresholds(by_label=by_label, too_few=tuple(too_few))


def best_threshold(ranked: Sequence[int], scores: Sequence[float], carries: Sequence[int]) -> float:
    """The threshold with the best F1 on the documents `ranked`, which are places in descending order of `scores`.

    It lies midway between two scores, or between the lowest and 0. Of equally good ones it is the one nearest to YES,
    and of two as near the higher. YES if no document that carries the label has a score.
    """
    carriers = [number for number, place in enumerate(ranked) if carries[place]]
    support, last = len(carriers), len(ranked) - 1
    best, threshold = 0.0, YES
    # More answers without a further hit are never better, so that only cuts below one that carries the label count.
    for hits, number in enumerate(carriers, start=1):
        score = scores[ranked[number]]
        if score == NO_SCORE:
            break
        # Equal scores cannot be told apart.
        if hits < support and scores[ranked[carriers[hits]]] == score:
            continue
        while number < last and scores[ranked[number + 1]] == score:
            number += 1
        below = scores[ranked[number + 1]] if number < last else NO_SCORE
        f1 = 2 * hits / (number + 1 + support)
        between = _midway(score, max(below, 0.0))
        if f1 > best or (f1 == best and abs(between - YES) < abs(threshold - YES)):
            best, threshold = f1, between
    return threshold


def _midway(score: float, below: float) -> float:
    """Above `below`, at most `score`: neighbouring floating-point numbers have nothing between them."""
    middle = (score + below) / 2
    return middle if middle > below else score


def _folds(truths: Sequence[LabelSet]) -> array[int]:
    """The fold of each document. They are dealt in the order of their labels, so that each fold has its share of
    every combination, however the test data were ordered."""
    folds = array("b", bytes(len(truths)))
    # As many combinations as there are, not as there are documents, are put in order.
    names = {truth: sorted(truth) for truth in set(truths)}
    for number, place in enumerate(sorted(range(len(truths)), key=lambda place: names[truths[place]])):
        folds[place] = number % FOLDS
    return folds
