"""What worker processes do: train a model, score one and answer with one."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local.comprehend.document_split import held_out
from local.comprehend.entity_recognition.answers import entities_of
from local.comprehend.entity_recognition.metrics import Evaluation, TrainedModel
from local.comprehend.entity_recognition.training_data import Document, documents
from local.comprehend.training_data import ModelData

if TYPE_CHECKING:
    from local.comprehend.entity_recognition.recognizer import Recognizer

# Every endpoint of an account's quota, in the middle of a change from one model to another.
LOADED_MODELS = 40


def train_model(data: ModelData, path: Path) -> TrainedModel:
    """Train on the training documents and save the model at ``path``; raises InvalidTrainingDataError."""
    # Only worker processes pay for loading the library.
    from local.comprehend.entity_recognition import recognizer

    training, _ = _split(data)
    recognizer.train(training).save(path)
    mentions = Counter(entity.type for document in training for entity in document.entities)
    return TrainedModel(documents=len(training), mentions=dict(mentions))


def evaluate_model(data: ModelData, path: Path) -> Evaluation:
    """Score the model at ``path`` on the test documents."""
    from local.comprehend.entity_recognition import evaluation, recognizer

    _, testing = _split(data)
    return evaluation.evaluate(recognizer.Recognizer.load(path), testing, types=data.task.types)


def load_model(path: Path) -> None:
    """Make the process ready to answer :func:`find_entities` with the model at ``path`` at once."""
    _loaded(path)


def find_entities(path: Path, text: str) -> list[dict[str, Any]]:
    """What the model at ``path`` finds in the text, as in the answer of DetectEntities."""
    return entities_of(_loaded(path).find(text), text=text)


def _split(data: ModelData) -> tuple[list[Document], list[Document]]:
    """``(training documents, test documents)``."""
    types = frozenset(data.task.types)
    training = [document for files in data.train for document in documents(files, types=types)]
    if not data.test:
        return held_out(training)
    return training, [document for files in data.test for document in documents(files, types=types)]


# A model's file never changes: each has a version, and with it a path, of its own.
@lru_cache(maxsize=LOADED_MODELS)
def _loaded(path: Path) -> Recognizer:
    from local.comprehend.entity_recognition import recognizer

    return recognizer.Recognizer.load(path)
