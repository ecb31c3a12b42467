"""How much better a model gets by so many reviewed documents: by those that the queue serves first, and by as many that
are taken at random.

The classifier, the order and the share for test data are those of the local cloud. There is no cloud around them: the
iterations of five seeds would take a quarter of an hour.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from flywheel.document_classification.answer import Classification
from flywheel.evaluation import Tally
from flywheel.records.predictions import text_digest
from flywheel.records.review import Lane, Place, rank_of_margin, split_of_text
from flywheel.records.uploads import Split
from flywheel.review.choose_items import choose
from flywheel.text.similarity import simhash
from local.comprehend.document_classification.classifier import Classifier, train
from local.comprehend.document_classification.training_data import Document
from local.sample_news import LABELS, Recipe, documents

Row = tuple[str, str]
"""Label and text."""
REVIEWED = 300
STEP = 60
MISTAKES = 0.05
"""Share of answers that are wrong."""
THRESHOLD = 0.85
"""ReviewThreshold: texts with a lower confidence come up."""
TEST_PERCENT = 20.0
_KNOWN_SCENES = 2
"""The first model has seen so many of a topic's scenes; a fifth of the traffic speaks of the others."""
_BATCH = 10


def first_documents(seed: int) -> list[Row]:
    return documents(Recipe(documents_per_label=60, scenes=_KNOWN_SCENES, asides=1), seed=seed)


def traffic(seed: int) -> list[Row]:
    """What users send, 1,000 texts with what they really are about."""
    known = Recipe(documents_per_label=200, scenes=_KNOWN_SCENES, asides=1, vague=0.1)
    anything = Recipe(documents_per_label=50, asides=1, vague=0.1)
    return documents(known, seed=1_000 + seed) + documents(anything, seed=2_000 + seed)


def unseen(seed: int) -> list[Row]:
    """What the models are scored on. Nobody trains on it, and nobody reviews it."""
    return documents(Recipe(documents_per_label=100, asides=1, vague=0.25), seed=3_000 + seed)


class Mistakes:
    """A person's answers: the truth, but for some."""

    def __init__(self, seed: int, *, labels: Sequence[str] = LABELS) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - no secret
        self._labels = labels

    def answer(self, label: str) -> str:
        if self._chance.random() >= MISTAKES:
            return label
        return self._chance.choice([other for other in self._labels if other != label])


@dataclass(frozen=True, kw_only=True)
class Curves:
    """Macro F1 on unseen documents after 0, STEP, 2 * STEP, ... REVIEWED answers."""

    seed: int
    by_order: tuple[float, ...]
    at_random: tuple[float, ...]


def curves(seed: int, *, before: Sequence[Row], pool: Sequence[Row], test: Sequence[Row]) -> Curves:
    """`before` trains the first model, `pool` is the traffic, `test` what is unseen."""
    labels = sorted({label for label, _ in before})
    model = _trained(before)

    def after(rows: Iterable[Row]) -> tuple[float, ...]:
        person = Mistakes(seed, labels=labels)
        answered = [(person.answer(label), text) for label, text in rows]
        counts = range(STEP, REVIEWED + 1, STEP)
        models = (_trained([*before, *_training(answered[:count])]) for count in counts)
        return tuple(score(test, _predicted(each, test), labels=labels) for each in (model, *models))

    chance = random.Random(seed)  # noqa: S311 - no secret
    return Curves(
        seed=seed,
        by_order=after(_served(model, pool)[:REVIEWED]),
        at_random=after(chance.sample(pool, REVIEWED)),
    )


def demo_curves(seed: int) -> Curves:
    return curves(seed, before=first_documents(seed), pool=traffic(seed), test=unseen(seed))


def score(rows: Sequence[Row], predicted: Iterable[frozenset[str]], *, labels: Sequence[str]) -> float:
    """Macro F1."""
    tally = Tally(labels=labels, multi_label=False)
    for (label, _), answer in zip(rows, predicted, strict=True):
        tally.add(true=frozenset({label}), predicted=answer)
    return tally.evaluation().macro.f1


def _predicted(model: Classifier, rows: Sequence[Row]) -> list[frozenset[str]]:
    return [frozenset(labels) for labels in model.predict([text for _, text in rows])]


def _served(model: Classifier, pool: Sequence[Row]) -> list[Row]:
    """The rows that come up, in the order of the queue, as a reviewer gets them batch by batch."""
    rows = {text_digest(text): (label, text) for label, text in pool}
    waiting = sorted(_places(model, rows), key=lambda place: place.key)
    served: list[Place] = []
    while batch := choose({Lane.UNCERTAIN: waiting}, held=(), count=_BATCH):
        served += batch
        waiting = [place for place in waiting if place not in batch]
    return [rows[place.item] for place in served]


def _places(model: Classifier, rows: dict[str, Row]) -> Iterable[Place]:
    scored = model.scored([text for _, text in rows.values()])
    for (item, (_, text)), scores in zip(rows.items(), scored, strict=True):
        predicted = Classification.of(scores, multi_label=False)
        if predicted.confidence < THRESHOLD:
            rank = rank_of_margin(predicted.margin)
            yield Place(lane=Lane.UNCERTAIN, rank=rank, similarity=simhash(text), item=item)


def _training(rows: Iterable[Row]) -> list[Row]:
    """Without those that become test data."""
    return [
        (label, text)
        for label, text in rows
        if split_of_text(text_digest(text), test_percent=TEST_PERCENT) is Split.TRAIN
    ]


def _trained(rows: Iterable[Row]) -> Classifier:
    return train([Document(labels=(label,), text=text) for label, text in rows], multi_label=False)
