"""The simulation's figures about a classifier are scikit-learn's, to the last bit."""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import Any

import pytest

from local.comprehend.document_classification.evaluation import evaluate
from local.comprehend.document_classification.training_data import Document
from tests.simulation.services.scores import quick_scores


@pytest.mark.parametrize("multi_label", [False, True])
@pytest.mark.parametrize("seed", range(40))
def test_evaluations_are_those_of_scikit_learn(seed: int, multi_label: bool) -> None:
    draw = random.Random(seed)
    labels = tuple("ABCDE"[: draw.randint(2, 5)])

    def some() -> tuple[str, ...]:
        return tuple(sorted(draw.sample(labels, draw.randint(0, 2) if multi_label else 1)))

    documents = [Document(labels=some() or labels[:1], text=f"text {number}") for number in range(draw.randint(2, 70))]
    answers = {each.text: each.labels if draw.random() < 0.6 else some() for each in documents}
    model: Any = SimpleNamespace(
        labels=labels[: draw.choice((None, -1))],
        multi_label=multi_label,
        predict=lambda texts: [answers[text] for text in texts],
    )
    told = evaluate(model, documents)
    with quick_scores():
        assert evaluate(model, documents) == told
