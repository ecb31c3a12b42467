# mypy: allow-untyped-calls
"""The figures of a model, against scikit-learn's on the same answers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    hamming_loss,
    precision_recall_fscore_support,
)
from sklearn.preprocessing import MultiLabelBinarizer

from flywheel.evaluation import Confusion, Evaluation, LabelSet, Metric, NothingToScore, Scores, Tally, UnusableLabels

LABELS = ("WORLD", "SPORTS", "BUSINESS", "SCI_TECH", "ARTS")
"""Not in alphabetical order, which is scikit-learn's own."""
ELSEWHERE = "no label of the flywheel"
TOLERANCE = 1e-9

Answers = list[tuple[LabelSet, LabelSet]]

one_label = st.sampled_from(LABELS).map(lambda label: frozenset((label,)))
one_answer = st.sampled_from((*LABELS, ELSEWHERE)).map(lambda label: frozenset((label,))) | st.just(frozenset[str]())
some_labels = st.frozensets(st.sampled_from(LABELS), min_size=1)
some_answers = st.frozensets(st.sampled_from((*LABELS, ELSEWHERE)))


def evaluated(answers: Answers, *, multi_label: bool) -> Evaluation:
    tally = Tally(labels=LABELS, multi_label=multi_label)
    for true, predicted in answers:
        tally.add(true=true, predicted=predicted)
    return tally.evaluation()


def confusions(evaluation: Evaluation) -> list[list[int]]:
    """Documents by true label (row) and predicted label (column), without those that no label was predicted for."""
    found = {(pair.true, pair.predicted): pair.documents for pair in evaluation.confusions or ()}
    return [[found.get((true, predicted), 0) for predicted in LABELS] for true in LABELS]


def assert_averages(evaluation: Evaluation, averages: dict[str, tuple[float, ...]]) -> None:
    for scores, name in ((evaluation.macro, "macro"), (evaluation.micro, "micro")):
        assert (scores.precision, scores.recall, scores.f1) == pytest.approx(averages[name][:3], abs=TOLERANCE)


def assert_labels(evaluation: Evaluation, by_label: tuple[np.ndarray, ...]) -> None:
    assert tuple(score.label for score in evaluation.labels) == LABELS
    ours = [[score.precision, score.recall, score.f1, score.support] for score in evaluation.labels]
    assert np.array(ours) == pytest.approx(np.array(by_label).T, abs=TOLERANCE)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(one_label, one_answer), min_size=1, max_size=60))
def test_one_label_a_document_equals_scikit_learn(answers: Answers) -> None:
    evaluation = evaluated(answers, multi_label=False)
    true = [next(iter(labels)) for labels, _ in answers]
    predicted = [next(iter(labels), ELSEWHERE) for _, labels in answers]

    assert evaluation.documents == len(answers)
    assert evaluation.accuracy == pytest.approx(accuracy_score(true, predicted), abs=TOLERANCE)
    averages = {
        name: precision_recall_fscore_support(true, predicted, labels=LABELS, average=name, zero_division=0)
        for name in ("macro", "micro")
    }
    assert_averages(evaluation, averages)
    assert_labels(evaluation, precision_recall_fscore_support(true, predicted, labels=LABELS, zero_division=0))
    assert evaluation.hamming_loss is None
    assert confusions(evaluation) == confusion_matrix(true, predicted, labels=LABELS).tolist()


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(some_labels, some_answers), min_size=1, max_size=60))
def test_several_labels_a_document_equal_scikit_learn(answers: Answers) -> None:
    evaluation = evaluated(answers, multi_label=True)
    binarizer = MultiLabelBinarizer(classes=(*LABELS, ELSEWHERE)).fit([])
    true, predicted = (binarizer.transform(column) for column in zip(*answers, strict=True))
    known = range(len(LABELS))

    assert evaluation.accuracy == pytest.approx(accuracy_score(true, predicted), abs=TOLERANCE)
    averages = {
        name: precision_recall_fscore_support(true, predicted, labels=known, average=name, zero_division=0)
        for name in ("macro", "micro")
    }
    assert_averages(evaluation, averages)
    assert_labels(evaluation, precision_recall_fscore_support(true, predicted, labels=known, zero_division=0))
    assert evaluation.hamming_loss == pytest.approx(
        hamming_loss(true[:, : len(LABELS)], predicted[:, : len(LABELS)]), abs=TOLERANCE
    )
    assert evaluation.confusions is None


def test_documents_counted_together_are_as_documents_counted_one_by_one() -> None:
    right, wrong = frozenset(("WORLD",)), frozenset(("SPORTS",))
    tally = Tally(labels=LABELS, multi_label=False)
    tally.add(true=right, predicted=right, documents=3)
    tally.add(true=right, predicted=wrong, documents=2)
    assert tally.evaluation() == evaluated([(right, right)] * 3 + [(right, wrong)] * 2, multi_label=False)


def test_a_document_without_an_answer_is_wrong_and_seen() -> None:
    world = frozenset(("WORLD",))
    evaluation = evaluated([(world, world), (world, frozenset()), (world, frozenset(("Weltall",)))], multi_label=False)
    assert evaluation.accuracy == pytest.approx(1 / 3)
    assert evaluation.micro == Scores(precision=1.0, recall=1 / 3, f1=0.5)
    assert evaluation.confusions == (
        Confusion(true="WORLD", predicted="WORLD", documents=1),
        Confusion(true="WORLD", predicted=None, documents=2),
    )


def test_the_score_of_a_metric_is_its_macro_average() -> None:
    world, sports = frozenset(("WORLD",)), frozenset(("SPORTS",))
    evaluation = evaluated([(world, world), (world, sports), (sports, sports)], multi_label=False)
    assert evaluation.score(Metric("Accuracy")) == pytest.approx(2 / 3)
    assert evaluation.score(Metric("Precision")) == pytest.approx((1 + 1 / 2) / 5)
    assert evaluation.score(Metric("Recall")) == pytest.approx((1 / 2 + 1) / 5)
    assert evaluation.score(Metric("F1Score")) == pytest.approx((2 / 3 + 2 / 3) / 5)


def test_no_documents_have_no_score() -> None:
    with pytest.raises(NothingToScore, match="upload test data"):
        Tally(labels=LABELS, multi_label=False).evaluation()


@pytest.mark.parametrize(
    ("true", "predicted", "sentence"),
    [
        (frozenset(("SCIENCE",)), frozenset[str](), "'SCIENCE' is not a label of the flywheel"),
        (frozenset[str](), frozenset(("WORLD",)), "it has no label"),
        (
            frozenset(("WORLD", "ARTS")),
            frozenset(("WORLD",)),
            "it has 2 labels, but the flywheel's mode is MULTI_CLASS",
        ),
        (frozenset(("WORLD",)), frozenset(("WORLD", "ARTS")), "a model predicts 2 labels"),
    ],
)
def test_labels_that_do_not_fit_the_flywheel_are_refused(true: LabelSet, predicted: LabelSet, sentence: str) -> None:
    with pytest.raises(UnusableLabels, match=sentence):
        Tally(labels=LABELS, multi_label=False).add(true=true, predicted=predicted)


@pytest.mark.parametrize("labels", [(), ("WORLD", "WORLD")])
def test_a_label_list_that_names_none_or_one_twice_is_refused(labels: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="at least one label, and each once"):
        Tally(labels=labels, multi_label=False)
