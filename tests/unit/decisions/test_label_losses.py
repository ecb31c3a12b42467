"""Losses in single labels, as they are found in two models' answers to one hold-out."""

from __future__ import annotations

import pytest

from flywheel.comprehend.model_kind import ModelKind, Task
from flywheel.decisions.holdout_comparison import HoldoutScorer
from flywheel.document_classification import DOCUMENT_CLASSIFICATION
from flywheel.entity_recognition import ENTITY_RECOGNITION
from flywheel.evaluation import Metric, Predictions
from flywheel.records.decisions import LabelLoss
from flywheel.records.holdouts import FrozenHoldout

LABELS = ("A", "B", "C")


def losses(
    kind: ModelKind,
    truths: list[tuple[str, ...]],
    candidate: list[tuple[str, ...]],
    active: list[tuple[str, ...]],
    *,
    limit: float = 0.1,
) -> list[LabelLoss]:
    scorer = HoldoutScorer(
        holdout=FrozenHoldout(id="h", documents=len(truths), units=1, labels=tuple(truths)),
        kind=kind,
        task=Task(labels=LABELS),
        metric=Metric.F1_SCORE,
        confidence_level=0.95,
        maximum_label_regression=limit,
    )
    mine, theirs = (Predictions(by_line=tuple(map(frozenset, answers)), errors={}) for answers in (candidate, active))
    return list(scorer.label_losses(mine, theirs))


def documents(kind: ModelKind, labels: str) -> list[tuple[str, ...]]:
    return [(label if kind is DOCUMENT_CLASSIFICATION else f"0:5:{label}",) for label in labels]


@pytest.mark.parametrize("kind", [DOCUMENT_CLASSIFICATION, ENTITY_RECOGNITION], ids=["labels", "types"])
def test_only_labels_that_lost_more_than_is_allowed_are_named_the_worst_first(kind: ModelKind) -> None:
    truths = documents(kind, "A" * 50 + "B" * 50 + "C" * 50)
    active = truths
    candidate = documents(kind, "A" * 48 + "B" * 2 + "B" * 25 + "C" * 25 + "C" * 50)
    found = losses(kind, truths, candidate, active)
    assert [loss.label for loss in found] == ["B", "C"]
    worst = found[0]
    assert worst.difference == pytest.approx(2 * 25 / (27 + 50) - 1)
    assert worst.low <= worst.difference <= worst.high < 0
    assert (worst.support, worst.blocks) == (50, True)
    assert losses(kind, truths, candidate, active, limit=1) == []


def test_a_loss_in_few_documents_blocks_nothing() -> None:
    kind = DOCUMENT_CLASSIFICATION
    truths = documents(kind, "A" * 50 + "B" * 29)
    candidate = documents(kind, "A" * 79)
    (loss,) = [loss for loss in losses(kind, truths, candidate, truths) if loss.label == "B"]
    assert (loss.support, loss.high, loss.blocks) == (29, -1, False)
