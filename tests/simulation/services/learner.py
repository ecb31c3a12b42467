# mypy: allow-untyped-calls
"""Models whose quality is drawn instead of trained: what they get right is what a hash says.

A text names what is in it: `about:BUSINESS` for a label, `PERSON_ada` for an entity. A model of quality q sees it with
probability q. Everything around the model is the local Comprehend's own: reading data, evaluation, jobs, answers.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy

from local.comprehend.document_classification import classifier, model_tasks
from local.comprehend.entity_recognition import model_tasks as entity_tasks
from local.comprehend.entity_recognition import recognizer
from local.comprehend.entity_recognition.entities import Entity
from local.comprehend.entity_recognition.recognizer import Found
from local.comprehend.training_data import InvalidTrainingDataError
from tests.simulation.services.scores import quick_scores

_ABOUT = re.compile(r"about:(\w+)")
_ENTITY = re.compile(r"\b([A-Z]+)_\w+")


@dataclass(frozen=True, kw_only=True)
class Talent:
    """What a training gave: `seed` says which texts the model gets wrong."""

    quality: float
    seed: int

    def sees(self, what: str) -> bool:
        return self.chance(what) < self.quality

    def chance(self, what: str) -> float:
        digest = hashlib.blake2b(f"{self.seed}/{what}".encode(), digest_size=6).digest()
        return int.from_bytes(digest) / 2**48


class _Scorer:
    """In the place of scikit-learn's pipeline."""

    def __init__(self, talent: Talent) -> None:
        self._talent = talent
        self._labels: tuple[str, ...] = ()
        self._multi_label = False

    def fit(self, texts: Sequence[str], targets: Any) -> None:
        self._multi_label = not isinstance(targets, list)
        self._labels = _columns(texts, targets) if self._multi_label else tuple(sorted(set(targets)))

    def predict_proba(self, texts: list[str]) -> Any:
        return numpy.array([self._scores(text) for text in texts])

    def _scores(self, text: str) -> list[float]:
        told = set(_ABOUT.findall(text))
        if self._multi_label:
            return [self._score(label in told, f"{label}/{text}") for label in self._labels]
        right = next((label for label in self._labels if label in told), self._labels[0])
        others = [label for label in self._labels if label != right] or [right]
        answered = right
        if not self._talent.sees(text):
            answered = others[int(self._talent.chance(f"which/{text}") * len(others))]
        sure = 0.5 + self._talent.chance(f"sure/{text}") / 2.01
        return [sure if label == answered else (1 - sure) / max(1, len(self._labels) - 1) for label in self._labels]

    def _score(self, told: bool, what: str) -> float:
        seen = told if self._talent.sees(what) else not told
        return 0.5 + self._talent.chance(f"sure/{what}") / 2.01 * (1 if seen else -1)


def _columns(texts: Sequence[str], targets: Any) -> tuple[str, ...]:
    """The label of each column: what is told by the texts that have it. People make mistakes, so some texts tell of
    labels that no document has."""
    told = [set(_ABOUT.findall(text)) for text in texts]
    known = sorted(set().union(*told))

    def right(label: str, column: int) -> int:
        return sum((label in labels) == bool(row[column]) for labels, row in zip(told, targets, strict=True))

    return tuple(max(known, key=lambda label: right(label, column)) for column in range(targets.shape[1]))


class _Recognizer:
    """In the place of the conditional random field."""

    def __init__(self, talent: Talent, types: frozenset[str]) -> None:
        self._talent = talent
        self._types = types

    def find(self, text: str) -> list[Found]:
        return [
            Found(
                entity=Entity(begin=match.start(), end=match.end(), type=match[1]),
                score=0.5 + self._talent.chance(match[0]) / 2.01,
            )
            for match in _ENTITY.finditer(text)
            if match[1] in self._types and self._talent.sees(f"{match.start()}/{text}")
        ]

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        joblib.dump(self, path)

    @staticmethod
    def load(path: Path) -> _Recognizer:
        loaded: _Recognizer = joblib.load(path)
        return loaded


class InThisProcess:
    """In the place of worker processes: what they are asked to do, at once."""

    def run(self, task: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return task(*args, **kwargs)

    def prepare(self) -> None:
        pass

    def close(self) -> None:
        pass


@contextmanager
def talents(draw: Callable[[], Talent]) -> Iterator[None]:
    """While the block runs, each training of the local Comprehend gives a model with the next talent."""

    def train(documents: Sequence[Any]) -> _Recognizer:
        types = frozenset(entity.type for document in documents for entity in document.entities)
        if not types:
            raise InvalidTrainingDataError("Training needs annotated entities.")
        return _Recognizer(draw(), types)

    changed: Any = classifier, recognizer
    before = (changed[0].make_pipeline, recognizer.train, recognizer.Recognizer)
    changed[0].make_pipeline = lambda *_: _Scorer(draw())
    changed[1].train, changed[1].Recognizer = train, _Recognizer
    try:
        with quick_scores():
            yield
    finally:
        changed[0].make_pipeline, changed[1].train, changed[1].Recognizer = before
        model_tasks._loaded.cache_clear()
        entity_tasks._loaded.cache_clear()
