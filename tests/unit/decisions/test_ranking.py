"""How well margins find errors on a hold-out, for each kind of model."""

from __future__ import annotations

import pytest

from flywheel.comprehend.model_kind import ModelKind, Task
from flywheel.decisions.holdout_comparison import HoldoutScorer
from flywheel.document_classification import DOCUMENT_CLASSIFICATION
from flywheel.entity_recognition import ENTITY_RECOGNITION
from flywheel.evaluation import LabelScores, Metric, Predictions
from flywheel.records.decisions import ErrorRanking
from flywheel.records.holdouts import FrozenHoldout

RIGHT: dict[ModelKind, list[tuple[str, ...]]] = {
    DOCUMENT_CLASSIFICATION: [("A",), ("B", "A"), (), ("B",)],
    ENTITY_RECOGNITION: [("0:5:A",), ("0:5:B", "6:9:A"), (), ("0:4:B",)],
}
WRONG: dict[ModelKind, list[tuple[str, ...]]] = {
    DOCUMENT_CLASSIFICATION: [("B",), ("B",), ("A",), ()],
    ENTITY_RECOGNITION: [("0:5:B",), ("0:5:B",), ("0:5:A",), ("0:5:B",)],
}
KINDS = pytest.mark.parametrize("kind", [DOCUMENT_CLASSIFICATION, ENTITY_RECOGNITION], ids=["labels", "spans"])


def scorer(kind: ModelKind, truths: list[tuple[str, ...]], *, multi_label: bool = False) -> HoldoutScorer:
    return HoldoutScorer(
        holdout=FrozenHoldout(id="h", documents=len(truths), units=1, labels=tuple(truths)),
        kind=kind,
        task=Task(labels=("A", "B"), multi_label=multi_label),
        metric=Metric.F1_SCORE,
        confidence_level=0.95,
        maximum_label_regression=1,
    )


@KINDS
def test_any_difference_from_the_truth_is_an_error(kind: ModelKind) -> None:
    """The four errors have the smallest margins, but for one."""
    truths = RIGHT[kind] * 5
    answers = [*WRONG[kind], *RIGHT[kind] * 4]
    margins = [0.1, 0.2, 0.3, 0.9, 0.25, *[0.8] * 15]
    found = scorer(kind, truths).ranking(
        Predictions(by_line=tuple(map(frozenset, answers)), errors={}, margins=margins)
    )
    assert found == ErrorRanking(documents=20, errors=4, area=(16 + 16 + 15) / 64, worst_10=0.5, worst_20=0.75)


@KINDS
def test_what_could_not_be_analysed_is_left_out(kind: ModelKind) -> None:
    answers = tuple(map(frozenset, [*WRONG[kind][:1], *RIGHT[kind][1:3], ()]))
    found = scorer(kind, RIGHT[kind]).ranking(
        Predictions(by_line=answers, errors={3: "INTERNAL_SERVER_ERROR"}, margins=[0.1, 0.5, 0.6, 0])
    )
    assert found is not None
    assert (found.documents, found.errors, found.area) == (3, 1, 1)


@KINDS
def test_without_an_error_or_without_margins_there_is_nothing_to_rank(kind: ModelKind) -> None:
    answers = tuple(map(frozenset, RIGHT[kind]))
    assert scorer(kind, RIGHT[kind]).ranking(Predictions(by_line=answers, errors={}, margins=[0.5] * 4)) is None
    assert scorer(kind, RIGHT[kind]).ranking(Predictions(by_line=answers, errors={})) is None


def test_a_multi_label_models_margins_are_at_the_thresholds_that_other_documents_chose() -> None:
    """B is always certain; A is said from 0.2 on, for which 0.3 is nearer than 0.9."""
    truths = [frozenset({"A"} if number % 2 else ()) for number in range(200)]
    scores = LabelScores(labels=("A", "B"), documents=200)
    for number in range(200):
        scores.note(number, [("A", (0.3 if number % 4 == 1 else 0.9) if number % 2 else 0.1), ("B", 0.01)])
    task = Task(labels=("A", "B"), multi_label=True)
    answers = Predictions(by_line=(frozenset(),) * 200, errors={}, scores=scores)
    fitted, chosen = DOCUMENT_CLASSIFICATION.fit([tuple(true) for true in truths], answers, task=task)
    assert chosen is not None
    assert chosen.by_label["A"] == pytest.approx(0.2)
    assert fitted.margins is not None
    found = [round(margin, 3) for margin in fitted.margins[:4]]
    assert found == [0.5, 0.125, 0.5, 0.875]
