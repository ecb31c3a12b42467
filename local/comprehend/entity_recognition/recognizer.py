"""The model itself: a conditional random field over the pieces of a text, tagged as begin or inside of an entity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pycrfsuite

from local.comprehend.entity_recognition.entities import Entity
from local.comprehend.entity_recognition.tokens import Place, features, places
from local.comprehend.entity_recognition.training_data import Document
from local.comprehend.training_data import InvalidTrainingDataError

_OUTSIDE = "O"
# A piece belongs to an entity once that has this probability: the harmonic mean of precision and recall is greatest not
# at a half but the lower, the harder the task is. Where a model is sure, it makes no difference.
_MINIMUM_INSIDE = 0.15
_MAXIMUM_ITERATIONS = 60


@dataclass(frozen=True, kw_only=True, order=True)
class Found:
    """An entity in a text, and from 0 to 1 how sure the model is of it: of each of its pieces."""

    entity: Entity
    score: float


class Recognizer:
    """A trained model; :func:`train` makes its file."""

    def __init__(self, path: Path) -> None:
        self._tagger = pycrfsuite.Tagger()
        self._tagger.open(str(path))
        self._tags = [tag for tag in self._tagger.labels() if tag != _OUTSIDE]

    def find(self, text: str) -> list[Found]:
        """The entities of the text, in its order."""
        pieces = places(text)
        if not pieces:
            return []
        self._tagger.set(list(features(text, pieces)))
        found: list[Found] = []
        type_ = ""
        for index, (begin, end) in enumerate(pieces):
            tag, probability = self._tag(index)
            if tag.startswith("I-") and tag[2:] == type_:
                last = found.pop()
                entity = Entity(begin=last.entity.begin, end=end, type=type_)
                found.append(Found(entity=entity, score=last.score * probability))
            elif tag != _OUTSIDE:
                found.append(Found(entity=Entity(begin=begin, end=end, type=tag[2:]), score=probability))
            type_ = tag[2:]
        return found

    def _tag(self, index: int) -> tuple[str, float]:
        """The tag of a piece and its probability."""
        outside = self._tagger.marginal(_OUTSIDE, index)
        if outside > 1 - _MINIMUM_INSIDE:
            return _OUTSIDE, outside
        probability, tag = max((self._tagger.marginal(tag, index), tag) for tag in self._tags)
        return tag, probability


def train(documents: Sequence[Document], path: Path) -> None:
    """Train on the documents and save the model; equal documents give an equal model, in whatever order they come.

    Raises InvalidTrainingDataError when there is nothing to learn.
    """
    trainer: Any = pycrfsuite.Trainer(verbose=False)
    trainer.select("lbfgs")
    trainer.set_params(
        {"c1": 0.1, "c2": 0.1, "max_iterations": _MAXIMUM_ITERATIONS, "feature.possible_transitions": True}
    )
    known = {_OUTSIDE}
    for document in sorted(documents):
        pieces = places(document.text)
        if pieces:
            tags = _tags(document, pieces)
            known.update(tags)
            trainer.append(list(features(document.text, pieces)), tags)
    if len(known) < 2:
        raise InvalidTrainingDataError("Training needs documents with entities.")
    path.parent.mkdir(parents=True, exist_ok=True)
    trainer.train(str(path))


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
