# mypy: allow-untyped-calls
"""The model itself: TF-IDF over words and word pairs, with logistic regression of each label against the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MultiLabelBinarizer

from local.comprehend.document_classification.training_data import Document
from local.comprehend.training_data import InvalidTrainingDataError

MULTI_LABEL_THRESHOLD = 0.5

# Words of one letter too: the default leaves them out, and with them whole documents.
WORD = r"(?u)\b\w+\b"


@dataclass(frozen=True, kw_only=True)
class Classifier:
    """A trained model and the labels it can answer, in the order of its scores."""

    labels: tuple[str, ...]
    multi_label: bool
    pipeline: Pipeline

    def predict(self, texts: Sequence[str]) -> list[tuple[str, ...]]:
        """The labels of each text, sorted: exactly one, or for MULTI_LABEL those that score at least 0.5."""
        scores = self.pipeline.predict_proba(list(texts))
        if not self.multi_label:
            return [(self.labels[best],) for best in scores.argmax(axis=1)]
        return [
            tuple(label for label, score in zip(self.labels, row, strict=True) if score >= MULTI_LABEL_THRESHOLD)
            for row in scores
        ]

    def scored(self, texts: Sequence[str]) -> list[list[tuple[str, float]]]:
        """Every label of the model with its score from 0 to 1, for each text, best first.

        The scores of a text add up to 1, or for MULTI_LABEL are independent of each other. Equal scores are in the
        order of the labels, so that the first one is what :meth:`predict` answers.
        """
        return [
            sorted(zip(self.labels, row, strict=True), key=lambda scored: -scored[1])
            for row in self.pipeline.predict_proba(list(texts)).tolist()
        ]

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        joblib.dump(self, path)

    @staticmethod
    def load(path: Path) -> Classifier:
        """The model saved at ``path`` by :meth:`save`; the file is trusted, it is this service's own."""
        loaded: Classifier = joblib.load(path)
        return loaded


def train(documents: Sequence[Document], *, multi_label: bool) -> Classifier:
    """Train on the documents; equal documents give an equal model, in whatever order they come.

    Raises InvalidTrainingDataError when there are no words to learn from or fewer than two classes.
    """
    ordered = sorted(documents)
    labels = tuple(sorted({label for document in ordered for label in document.labels}))
    if len(labels) < 2:
        raise InvalidTrainingDataError("Training needs documents of at least two different labels.")
    model = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=WORD),
        # The dual solver is an order of magnitude faster than the default on so many sparse columns.
        OneVsRestClassifier(LogisticRegression(C=10.0, solver="liblinear", dual=True, max_iter=1000, random_state=0)),
    )
    try:
        model.fit([document.text for document in ordered], _targets(ordered, labels, multi_label=multi_label))
    except ValueError as error:
        raise InvalidTrainingDataError(f"The model could not be trained on these documents: {error}") from error
    return Classifier(labels=labels, multi_label=multi_label, pipeline=model)


def _targets(documents: Sequence[Document], labels: tuple[str, ...], *, multi_label: bool) -> Any:
    if multi_label:
        return MultiLabelBinarizer(classes=labels).fit_transform([document.labels for document in documents])
    return [document.labels[0] for document in documents]
