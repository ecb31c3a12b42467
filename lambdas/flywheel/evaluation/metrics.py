"""How well a model answers documents whose labels are known: scikit-learn's figures in plain Python.

The definitions are those of scikit-learn's `accuracy_score`, `precision_recall_fscore_support`, `confusion_matrix` and
`hamming_loss` with `labels` set to the flywheel's whole list and `zero_division=0`: a label that no test document
carries and no model predicts counts as 0 in the macro averages. The tests compare with scikit-learn.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from .errors import NothingToScore
from .label_places import LabelPlaces, LabelSet


class Metric(StrEnum):
    """What models are compared by; the values are those of the parameter SelectionMetric."""

    F1_SCORE = "F1Score"
    PRECISION = "Precision"
    RECALL = "Recall"
    ACCURACY = "Accuracy"


class Average(StrEnum):
    """How scores of several labels become one."""

    MACRO = "macro"
    """The unweighted mean over labels."""
    MICRO = "micro"
    """Of the counts of all labels together."""


@dataclass(frozen=True, kw_only=True)
class Scores:
    """From 0 to 1."""

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, kw_only=True)
class LabelScore:
    """One label against all others. Scores are from 0 to 1."""

    label: str
    precision: float
    recall: float
    f1: float
    support: int
    """Documents that carry the label."""


@dataclass(frozen=True, kw_only=True)
class Confusion:
    """How many documents of one label were given another, or the same."""

    true: str
    predicted: str | None
    """None: no label at all, or one that is not the flywheel's."""
    documents: int


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """A model's scores on `documents` documents."""

    documents: int
    accuracy: float
    """The share of documents whose labels are all right and no others: the exact match ratio in MULTI_LABEL mode."""
    macro: Scores
    """Unweighted means over the flywheel's labels."""
    micro: Scores
    """Of the counts of all labels together."""
    labels: tuple[LabelScore, ...]
    """In the order of the flywheel's list."""
    confusions: tuple[Confusion, ...] | None
    """In label order, without zeros, predicted None last; None in MULTI_LABEL mode, where labels do not exclude."""
    average: Average = Average.MACRO
    """The one that models are compared by."""
    hamming_loss: float | None = None
    """In MULTI_LABEL mode the share of all decisions about a document and a label that are wrong."""

    def score(self, metric: Metric) -> float:
        """The figure that `metric` names."""
        if metric is Metric.ACCURACY:
            return self.accuracy
        compared = self.macro if self.average is Average.MACRO else self.micro
        if metric is Metric.PRECISION:
            return compared.precision
        return compared.recall if metric is Metric.RECALL else compared.f1


class Tally:
    """Counts answers as they pass by; holds counts by label, and by pair of labels in MULTI_CLASS mode.

    Raises:
        ValueError: the label list is empty or names a label twice.
    """

    def __init__(self, *, labels: Sequence[str], multi_label: bool) -> None:
        self._places = LabelPlaces(labels=labels, multi_label=multi_label)
        size = len(labels) + 1  # the last one counts what is outside the list
        self._documents = 0
        self._right = 0
        self._support = [0] * size
        self._predicted = [0] * size
        self._hits = [0] * size
        self._pairs: dict[tuple[int, int], int] = {}

    def add(self, *, true: LabelSet, predicted: LabelSet, documents: int = 1) -> None:
        """Count `documents` documents with labels `true` for which the model said `predicted`; nothing is wrong.

        Raises:
            UnusableLabels: true labels that are not the flywheel's, or several labels in MULTI_CLASS mode.
        """
        truth = self._places.of_true(true)
        answer = self._places.of_predicted(predicted)
        self._documents += documents
        if answer == truth:
            self._right += documents
        for place in truth:
            self._support[place] += documents
        for place in answer:
            self._predicted[place] += documents
            if place in truth:
                self._hits[place] += documents
        if not self._places.multi_label:
            pair = (truth[0], answer[0] if answer else len(self._places.labels))
            self._pairs[pair] = self._pairs.get(pair, 0) + documents

    def evaluation(self) -> Evaluation:
        """The scores of everything counted so far.

        Raises:
            NothingToScore: nothing was counted.
        """
        if not self._documents:
            raise NothingToScore
        names = self._places.labels
        counts = zip(names, self._hits, self._predicted, self._support, strict=False)
        labels = tuple(label_score(label, hits, predicted, support) for label, hits, predicted, support in counts)
        hits, predicted, support = (
            sum(column[: len(names)]) for column in (self._hits, self._predicted, self._support)
        )
        multi_label = self._places.multi_label
        return Evaluation(
            documents=self._documents,
            accuracy=self._right / self._documents,
            macro=macro_average(labels),
            micro=scores_of(hits, predicted, support),
            labels=labels,
            confusions=None if multi_label else self._confusions(),
            hamming_loss=(predicted + support - 2 * hits) / (self._documents * len(names)) if multi_label else None,
        )

    def _confusions(self) -> tuple[Confusion, ...]:
        names = (*self._places.labels, None)
        return tuple(
            Confusion(true=self._places.labels[true], predicted=names[predicted], documents=documents)
            for (true, predicted), documents in sorted(self._pairs.items())
        )


def macro_average(labels: Sequence[LabelScore]) -> Scores:
    return Scores(
        precision=_mean(score.precision for score in labels),
        recall=_mean(score.recall for score in labels),
        f1=_mean(score.f1 for score in labels),
    )


def label_score(label: str, hits: int, predicted: int, support: int) -> LabelScore:
    scores = scores_of(hits, predicted, support)
    return LabelScore(
        label=label,
        precision=scores.precision,
        recall=scores.recall,
        f1=scores.f1,
        support=support,
    )


def scores_of(hits: int, predicted: int, support: int) -> Scores:
    return Scores(
        precision=_ratio(hits, predicted), recall=_ratio(hits, support), f1=_ratio(2 * hits, predicted + support)
    )


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _mean(values: Iterable[float]) -> float:
    listed = list(values)
    return sum(listed) / len(listed)
