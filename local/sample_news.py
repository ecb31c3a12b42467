"""Made-up news for the demo: generated here, the same for the same seed, with a quality that can be turned down."""

from __future__ import annotations

import csv
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

LABELS = ("BUSINESS", "SCI_TECH", "SPORTS", "WORLD")

_TOPICS: dict[str, list[str]] = {
    "BUSINESS": (
        "profit shares bank merger retailer earnings investor oil price dollar quarter revenue stock bond "
        "factory wages inflation interest dividend supplier export tariff bankruptcy chairman audit insurer "
        "lender mortgage budget currency takeover airline carmaker freight grocery payroll surplus turnover "
        "venture wholesale"
    ).split(),
    "SCI_TECH": (
        "software satellite browser chip virus telescope genome server laser robot network probe battery "
        "sensor encryption protein comet physicist laboratory smartphone processor database molecule orbit "
        "spacecraft algorithm vaccine fossil quantum microscope patch hacker broadband wireless startup pixel "
        "reactor enzyme glacier"
    ).split(),
    "SPORTS": (
        "coach goal striker inning pitcher match tournament midfielder playoff quarterback marathon medal "
        "referee stadium injury season championship defender relay sprint tennis golf wicket batsman knockout "
        "rebound dribble goalkeeper captain fixture league hurdle podium rowing transfer umpire volley "
        "wrestler cyclist fencing"
    ).split(),
    "WORLD": (
        "minister election parliament ceasefire embassy refugee border treaty president rebel troops summit "
        "protest coup diplomat sanctions militia hostage earthquake ballot referendum envoy province "
        "peacekeeper monarch opposition constitution curfew delegation famine insurgent ambassador asylum "
        "cabinet convoy decree exile militant negotiator coalition"
    ).split(),
}
_EVERYWHERE = (
    "monday tuesday report said week officials new plan year city group people early late first second "
    "talks move country leader statement expected public major number three four morning evening time "
    "future question problem answer"
).split()


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How telling the documents are."""

    documents_per_label: int
    vocabulary: int
    """How many of a topic's words appear at all: a model trained on few does not know the rest."""
    topic_words: int = 4
    """How many of the document's twelve words belong to its topic."""
    foreign_words: int = 1
    """How many belong to other topics."""
    mislabelled: float = 0.0
    """Share of documents that carry the label of another topic."""


def documents(recipe: Recipe, *, seed: int) -> list[tuple[str, str]]:
    """Label and text of each document, shuffled."""
    chance = random.Random(seed)  # noqa: S311 - sample data, not secrets
    rows = [
        (_label(label, recipe, chance), _text(label, recipe, chance))
        for label in LABELS
        for _ in range(recipe.documents_per_label)
    ]
    chance.shuffle(rows)
    return rows


def _label(label: str, recipe: Recipe, chance: random.Random) -> str:
    if chance.random() >= recipe.mislabelled:
        return label
    return LABELS[(LABELS.index(label) + 1) % len(LABELS)]


def _text(label: str, recipe: Recipe, chance: random.Random) -> str:
    others = [topic for topic in LABELS if topic != label]
    words = chance.choices(_TOPICS[label][: recipe.vocabulary], k=recipe.topic_words)
    words += [chance.choice(_TOPICS[chance.choice(others)]) for _ in range(recipe.foreign_words)]
    words += chance.choices(_EVERYWHERE, k=12 - len(words))
    chance.shuffle(words)
    return f"{' '.join(words).capitalize()}, {chance.choice(_EVERYWHERE)} {chance.randrange(10_000)}."


def write_csv(path: Path, rows: Sequence[tuple[str, str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
    return path
