"""Made-up news for the demo: headlines and leads, the same for the same seed, as telling as a recipe says."""

from __future__ import annotations

import csv
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from local.news_phrases import CITIES, DAYS, DESKS, GENERAL, VAGUE, Scene

LABELS = tuple(DESKS)
ALL = min(len(scenes) for scenes in DESKS.values())
"""So many scenes a topic has."""
_TRIES = 200


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How telling the documents are."""

    documents_per_label: int
    scenes: int = ALL
    """How many of a topic's scenes appear at all: a model trained on few does not know the rest."""
    asides: int = 0
    """How many sentences speak of something else in the news."""
    headline_only: bool = False
    vague: float = 0.0
    """Share of documents whose headline tells nothing of its topic."""
    mislabelled: float = 0.0
    """Share of documents that carry the label of another topic."""


def documents(recipe: Recipe, *, seed: int) -> list[tuple[str, str]]:
    """Label and text of each document, shuffled, no text twice."""
    chance = random.Random(seed)  # noqa: S311 - sample data, not secrets
    written: set[str] = set()
    rows = [
        (_label(label, recipe, chance), _new_text(label, recipe, chance, written))
        for label in LABELS
        for _ in range(recipe.documents_per_label)
    ]
    chance.shuffle(rows)
    return rows


def write_csv(path: Path, rows: Sequence[tuple[str, str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
    return path


def _label(label: str, recipe: Recipe, chance: random.Random) -> str:
    if chance.random() >= recipe.mislabelled:
        return label
    return LABELS[(LABELS.index(label) + 1) % len(LABELS)]


def _new_text(label: str, recipe: Recipe, chance: random.Random, written: set[str]) -> str:
    for _ in range(_TRIES):
        text = _text(label, recipe, chance)
        if text not in written:
            written.add(text)
            return text
    raise ValueError(f"{recipe} makes too few different texts.")


def _text(label: str, recipe: Recipe, chance: random.Random) -> str:
    scene = chance.choice(DESKS[label][: recipe.scenes])
    headline = chance.choice(VAGUE) if chance.random() < recipe.vague else _headline(scene, chance)
    if recipe.headline_only:
        return _sentence(headline, chance)
    # One sentence of the topic, and one that could stand under any headline.
    lead = chance.sample(scene.details, k=1) + chance.sample(GENERAL, k=1)
    chance.shuffle(lead)
    lead += [_aside(label, chance) for _ in range(recipe.asides)]
    return " ".join(_sentence(each, chance) for each in (headline, *lead))


def _headline(scene: Scene, chance: random.Random) -> str:
    return f"{chance.choice(scene.who)} {chance.choice(scene.does)} {chance.choice(scene.when)}"


def _aside(label: str, chance: random.Random) -> str:
    scene = chance.choice(DESKS[chance.choice([other for other in LABELS if other != label])])
    return f"elsewhere, {chance.choice(scene.who)} {chance.choice(scene.does)}"


def _sentence(phrase: str, chance: random.Random) -> str:
    filled = phrase.format(
        number=chance.randrange(2, 10),
        many=chance.randrange(20, 900),
        day=chance.choice(DAYS),
        city=chance.choice(CITIES),
    )
    return f"{filled[0].upper()}{filled[1:]}."
