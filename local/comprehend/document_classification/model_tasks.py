"""What worker processes do: train a model, score one and answer with one."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from local.comprehend.document_classification.metrics import Evaluation, TrainedModel
from local.comprehend.document_classification.training_data import Document, documents
from local.comprehend.document_split import held_out
from local.comprehend.training_data import ModelData

if TYPE_CHECKING:
    from local.comprehend.document_classification.classifier import Classifier

# Every endpoint of an account's quota, in the middle of a change from one model to another.
LOADED_MODELS = 40


def train_model(data: ModelData, path: Path) -> TrainedModel:
    """Train on the training documents and save the model at ``path``; raises InvalidTrainingDataError."""
    # Only worker processes pay for loading scikit-learn.
    from local.comprehend.document_classification import classifier

    training, _ = _split(data)
    model = classifier.train(training, multi_label=data.task.multi_label)
    model.save(path)
    return TrainedModel(labels=model.labels, documents=len(training))


def evaluate_model(data: ModelData, path: Path) -> Evaluation:
    """Score the model at ``path`` on the test documents."""
    from local.comprehend.document_classification import classifier, evaluation

    _, testing = _split(data)
    return evaluation.evaluate(classifier.Classifier.load(path), testing)


def load_model(path: Path) -> None:
    """Make the process ready to answer :func:`classify_text` with the model at ``path`` at once."""
    _loaded(path)


def classify_text(path: Path, text: str) -> list[tuple[str, float]]:
    """Every label of the model at ``path`` with its score for the text, best first."""
    return _loaded(path).scored([text])[0]


def _split(data: ModelData) -> tuple[list[Document], list[Document]]:
    """``(training documents, test documents)``."""
    rules = data.task.rules
    training = [document for files in data.train for document in documents(files, rules=rules)]
    if not data.test:
        return held_out(training)
    return training, [document for files in data.test for document in documents(files, rules=rules)]


# A model's file never changes: each has a version, and with it a path, of its own.
@lru_cache(maxsize=LOADED_MODELS)
def _loaded(path: Path) -> Classifier:
    from local.comprehend.document_classification import classifier

    return classifier.Classifier.load(path)
