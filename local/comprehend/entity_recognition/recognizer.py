# mypy: allow-untyped-calls
"""The model itself: a conditional random field over the pieces of a text, tagged as begin or inside of an entity."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import joblib
import pycrfsuite

from local.comprehend.entity_recognition.entities import Entity
from local.comprehend.entity_recognition.tokens import Place, features, places
from local.comprehend.entity_recognition.training_data import Document
from local.comprehend.training_data import InvalidTrainingDataError

_OUTSIDE = "O"
_ITERATIONS = 60
# A piece belongs to an entity from a probability on that is the lower, the less sure the model is of its own training
# data: the harder the task, the sooner a find does more good for recall than harm for precision. The power is fitted
# on four public sets of data.
_HARDSHIP = 6.5
_LEAST, _MOST = 0.05, 0.5
_LOOKED_AT = 1000
"""Documents of the training data that a trained model is held against."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """An entity in a text, and from 0 to 1 how sure the model is of all of its pieces."""

    entity: Entity
    score: float


@dataclass(frozen=True, kw_only=True)
class Recognizer:
    """A trained model: crfsuite's file, and the probability from which a piece is taken for one of an entity."""

    crf: bytes
    minimum: float

    def find(self, text: str) -> list[Found]:
        """The entities of the text, in its order."""
        found: list[Found] = []
        type_ = ""
        for (begin, end), tag, probability in self._tagged(text):
            if tag.startswith("I-") and tag[2:] == type_:
                last = found.pop()
                entity = Entity(begin=last.entity.begin, end=end, type=type_)
                found.append(Found(entity=entity, score=last.score * probability))
            elif tag != _OUTSIDE:
                found.append(Found(entity=Entity(begin=begin, end=end, type=tag[2:]), score=probability))
            type_ = tag[2:]
        return found

    def probabilities(self, document: Document) -> Iterator[float]:
        """How likely the model thinks the tag of each piece of the document's entities."""
        pieces = places(document.text)
        self._tagger.set(list(features(document.text, pieces)))
        for index, tag in enumerate(_tags(document, pieces)):
            if tag != _OUTSIDE:
                yield self._tagger.marginal(tag, index)

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        joblib.dump(self, path)

    @staticmethod
    def load(path: Path) -> Recognizer:
        """The model saved at ``path`` by :meth:`save`; the file is trusted, it is this service's own."""
        loaded: Recognizer = joblib.load(path)
        return loaded

    def _tagged(self, text: str) -> Iterator[tuple[Place, str, float]]:
        """Each piece with its tag and the probability of that."""
        pieces = places(text)
        if not pieces:
            return
        tagger = self._tagger
        inside = [tag for tag in tagger.labels() if tag != _OUTSIDE]
        tagger.set(list(features(text, pieces)))
        for index, piece in enumerate(pieces):
            outside = tagger.marginal(_OUTSIDE, index)
            if 1 - outside < self.minimum:
                yield piece, _OUTSIDE, outside
            else:
                probability, tag = max((tagger.marginal(tag, index), tag) for tag in inside)
                yield piece, tag, probability

    @cached_property
    def _tagger(self) -> Any:
        tagger = pycrfsuite.Tagger()
        tagger.open_inmemory(self.crf)
        return tagger


def train(documents: Sequence[Document]) -> Recognizer:
    """Train on the documents; equal documents give an equal model, in whatever order they come.

    Raises InvalidTrainingDataError when there is nothing to learn.
    """
    trainer: Any = pycrfsuite.Trainer(verbose=False)
    trainer.select("lbfgs")
    trainer.set_params({"c1": 0.1, "c2": 1.0, "max_iterations": _ITERATIONS, "feature.possible_transitions": True})
    ordered = sorted(documents)
    known: set[str] = set()
    for document in ordered:
        pieces = places(document.text)
        if pieces:
            tags = _tags(document, pieces)
            known.update(tags)
            trainer.append(list(features(document.text, pieces)), tags)
    if _OUTSIDE not in known or len(known) == 1:
        raise InvalidTrainingDataError("Training needs documents with entities among other words.")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.crf"
        trainer.train(str(path))
        model = Recognizer(crf=path.read_bytes(), minimum=_MOST)
    return replace(model, minimum=max(_LEAST, _MOST * _sureness(model, ordered) ** _HARDSHIP))


def _sureness(model: Recognizer, documents: list[Document]) -> float:
    """The mean probability that the model gives the tags of entities in its training data."""
    telling = [document for document in documents if document.entities]
    probabilities = [
        probability
        for document in telling[:: len(telling) // _LOOKED_AT + 1]
        for probability in model.probabilities(document)
    ]
    return sum(probabilities) / len(probabilities)


def _tags(document: Document, pieces: list[Place]) -> list[str]:
    """A piece that an entity covers in part is its, too."""
    tags: list[str] = []
    entities = iter(document.entities)
    entity = next(entities, None)
    inside = False
    for begin, end in pieces:
        while entity and entity.end <= begin:
            entity, inside = next(entities, None), False
        if entity and entity.begin < end:
            tags.append(f"{'I' if inside else 'B'}-{entity.type}")
            inside = True
        else:
            tags.append(_OUTSIDE)
    return tags
