from __future__ import annotations

from pathlib import Path

import pytest

from local.comprehend.document_classification.classifier import Classifier, train
from local.comprehend.document_classification.training_data import Document
from local.comprehend.training_data import InvalidTrainingDataError
from tests.contract.sample_documents import rows, text_about

MULTI_CLASS = [Document(labels=(label,), text=text) for label, text in rows(30) + rows(10, tag="b", mislabelled=True)]
MULTI_LABEL = [
    Document(labels=labels, text=text_about(*labels, seed=str(number)))
    for labels in (("BUSINESS",), ("SCIENCE",), ("BUSINESS", "SCIENCE"))
    for number in range(20)
]


@pytest.mark.parametrize(("documents", "multi_label"), [(MULTI_CLASS, False), (MULTI_LABEL, True)])
def test_order_of_the_documents_changes_no_digit(documents: list[Document], multi_label: bool) -> None:
    texts = [document.text for document in documents]
    scores = [
        train(ordered, multi_label=multi_label).pipeline.predict_proba(texts).tolist()
        for ordered in (documents, documents[::-1])
    ]
    assert scores[0] == scores[1]


def test_one_label_a_document(tmp_path: Path) -> None:
    train(MULTI_CLASS, multi_label=False).save(tmp_path / "models" / "one")
    model = Classifier.load(tmp_path / "models" / "one")
    assert model.predict(["goal match stadium", "genome enzyme orbit"]) == [("SPORTS",), ("SCIENCE",)]


def test_any_number_of_labels_a_document() -> None:
    model = train(MULTI_LABEL, multi_label=True)
    texts = ["shares profit merger", "genome enzyme orbit", "shares profit merger genome enzyme orbit"]
    assert model.predict(texts) == [("BUSINESS",), ("SCIENCE",), ("BUSINESS", "SCIENCE")]


@pytest.mark.parametrize(
    ("documents", "reason"),
    [
        ([Document(labels=("A",), text=f"text {n}") for n in range(5)], "at least two different labels"),
        ([Document(labels=(label,), text="!?") for label in "AB"], "could not be trained"),
    ],
)
def test_what_nothing_can_be_learnt_from(documents: list[Document], reason: str) -> None:
    with pytest.raises(InvalidTrainingDataError, match=reason):
        train(documents, multi_label=False)
