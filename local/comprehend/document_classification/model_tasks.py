"""What worker processes do: train a model, score one and answer with one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from local.comprehend.document_classification.document_split import held_out
from local.comprehend.document_classification.metrics import Evaluation, TrainedModel
from local.comprehend.document_classification.training_data import Document, DocumentFile, LabelRules, documents

if TYPE_CHECKING:
    from local.comprehend.document_classification.classifier import Classifier

# Every endpoint of an account's quota, in the middle of a change from one model to another.
LOADED_MODELS = 40


@dataclass(frozen=True, kw_only=True)
class ModelData:
    """The documents of an iteration. Without test files, one training document in ten is held out for testing."""

    train: tuple[DocumentFile, ...]
    test: tuple[DocumentFile, ...]
    rules: LabelRules

    def split(self) -> tuple[list[Document], list[Document]]:
        """``(training documents, test documents)``."""
        training = list(documents(self.train, rules=self.rules))
        if not self.test:
            return held_out(training)
        return training, list(documents(self.test, rules=self.rules))


def train_model(data: ModelData, path: Path) -> TrainedModel:
    """Train on the training documents and save the model at ``path``; raises InvalidTrainingDataError."""
    # Only worker processes pay for loading scikit-learn.
    from local.comprehend.document_classification import classifier

    training, _ = data.split()
    model = classifier.train(training, multi_label=data.rules.multi_label)
    model.save(path)
    return TrainedModel(labels=model.labels, documents=len(training))


def evaluate_model(data: ModelData, path: Path) -> Evaluation:
    """Score the model at ``path`` on the test documents."""
    from local.comprehend.document_classification import classifier, evaluation

    _, testing = data.split()
    return evaluation.evaluate(classifier.Classifier.load(path), testing)


def load_model(path: Path) -> None:
    """Make the process ready to answer :func:`classify_text` with the model at ``path`` at once."""
    _loaded(path)


def classify_text(path: Path, text: str) -> list[tuple[str, float]]:
    """Every label of the model at ``path`` with its score for the text, best first."""
    return _loaded(path).scored([text])[0]


# A model's file never changes: each has a version, and with it a path, of its own.
@lru_cache(maxsize=LOADED_MODELS)
def _loaded(path: Path) -> Classifier:
    from local.comprehend.document_classification import classifier

    return classifier.Classifier.load(path)
