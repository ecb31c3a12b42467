"""Made-up letters with annotated people and places for the demo of a recognizer: the same for the same seed."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from flywheel.spans import Span

PERSON, PLACE = "PERSON", "PLACE"
TYPES = (PERSON, PLACE)
_FIRST = (
    *("Anna", "Boris", "Carla", "David", "Elena", "Frank", "Greta", "Hugo", "Irene", "Jonas", "Karin", "Lars"),
    *("Marta", "Nils", "Olga", "Pablo", "Rosa", "Stefan", "Teresa", "Ulrich", "Vera", "Walter", "Yusuf", "Zoe"),
)
# Some are places, too: only the words around them tell.
_LAST = (
    *("Albers", "Brandt", "Castro", "Dorn", "Egger", "Fuchs", "Gruber", "Hahn", "Ibsen", "Jensen", "Kranz", "Lopez"),
    *("Moser", "Novak", "Olsen", "Petrov", "Rossi", "Silva", "Aachen", "Essen", "Hamburg", "Dover", "Bergen", "Verona"),
)
_PLACES = (
    *("Aachen", "Bergen", "Cadiz", "Dover", "Essen", "Fulda", "Genoa", "Hamburg", "Iasi", "Jaca", "Kotor", "Lille"),
    *("Murcia", "Nantes", "Odense", "Porto", "Ravenna", "Split", "Trier", "Uppsala", "Verona", "Wexford", "York"),
    "New Harbour",
)
_FORMS = (
    "Yesterday {person} went to {place} by train.",
    "{person} lives in {place} with two cats.",
    "The mayor of {place} met {person} in the morning.",
    "In {place} nobody had heard of {person} before.",
    "My dear {person}, the weather in {place} is fine.",
    "Regards from {place}, yours {person}.",
    "{place} was too loud for {person}, who left on {day}.",
    "Did {person} write to you about {place}?",
    "On {day} the ferry to {place} was late, says {person}.",
    "We buried old {person} outside {place}.",
    "{person} sold the house near {place} to the {firm}.",
    "Nobody leaves {place} without a word from {person}.",
    "The {firm} sent {person} to {place} for a year.",
    "Ask {person}: the bread of {place} is the best.",
    "{place} has a new teacher, and her name is {person}.",
    "As {person} told the {firm}, {place} is under snow.",
    # Here only the name itself tells.
    "I often think of {place} and of {person}.",
    "I often think of {person} and of {place}.",
    "Nothing rhymes with {person} or {place}.",
    "Nothing rhymes with {place} or {person}.",
)
ALL = len(_FORMS)
_ASIDES = (
    "The {firm} opens again on {day}, with {number} new desks.",
    "Your parcel of {day} came with {number} stamps on it.",
    "Last {day} the Evening Post cost {number} cents more.",
    "There were {number} guests at the Summer Ball, and all of them danced.",
    "Please send {number} copies of the Great Atlas before {day}.",
    "The garden has {number} apple trees by now.",
)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_FIRMS = ("Harbour Bank", "Royal Mail", "Garden Club", "Ministry of Works", "Northern Railway", "Lopez Brothers")
_LAST_ONLY = 0.4
"""Share of people who are called by their last name."""
_TRIES = 200

Letter = tuple[str, tuple[Span, ...]]
"""A text, and what stands in it."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How telling the letters are."""

    letters: int
    forms: int = ALL
    """How many ways of speaking of people and places appear: a model trained on few does not know the rest."""
    names: int = len(_FIRST)
    """How many first names, last names and places appear."""
    mislabelled: float = 0.0
    """Share of letters in which people are annotated as places and places as people."""


def letters(recipe: Recipe, *, seed: int) -> list[Letter]:
    """No text twice."""
    chance = random.Random(seed)  # noqa: S311 - sample data, not secrets
    written: dict[str, Letter] = {}
    for _ in range(recipe.letters * _TRIES):
        if len(written) == recipe.letters:
            return list(written.values())
        letter = _letter(recipe, chance)
        written.setdefault(letter[0], letter)
    raise ValueError(f"{recipe} makes too few different texts.")


def write(path: Path, rows: Sequence[Letter]) -> Path:
    """JSON Lines, or, where the name has no ending, a folder: the letters in a file, annotations in another."""
    if path.suffix:
        path.write_text("".join(f"{_json(letter)}\n" for letter in rows), encoding="utf-8")
        return path
    path.mkdir()
    (path / "letters.txt").write_text("".join(f"{text}\n" for text, _ in rows), encoding="utf-8")
    with (path / "annotations.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(("File", "Line", "Begin Offset", "End Offset", "Type"))
        table.writerows(
            ("letters.txt", line, span.begin, span.end, span.type)
            for line, (_, spans) in enumerate(rows)
            for span in spans
        )
    return path


def _json(letter: Letter) -> str:
    text, spans = letter
    entities = [{"begin": span.begin, "end": span.end, "type": span.type} for span in spans]
    return json.dumps({"text": text, "entities": entities}, ensure_ascii=False)


def _letter(recipe: Recipe, chance: random.Random) -> Letter:
    names = {
        "person": _person(recipe, chance),
        "place": chance.choice(_PLACES[: recipe.names]),
    }
    types = {"person": PERSON, "place": PLACE}
    if chance.random() < recipe.mislabelled:
        types = {"person": PLACE, "place": PERSON}
    sentences = [chance.choice(_FORMS[: recipe.forms]), *chance.sample(_ASIDES, k=2)]
    chance.shuffle(sentences)
    text, spans = "", []
    for part in _parts(" ".join(sentences), chance):
        if part in names:
            spans.append(Span(len(text), len(text) + len(names[part]), types[part]))
        text += names.get(part, part)
    return text, tuple(spans)


def _person(recipe: Recipe, chance: random.Random) -> str:
    last = chance.choice(_LAST[: recipe.names])
    return last if chance.random() < _LAST_ONLY else f"{chance.choice(_FIRST[: recipe.names])} {last}"


def _parts(form: str, chance: random.Random) -> list[str]:
    """The text in pieces; where a name belongs, ``person`` or ``place``."""
    others = {
        "day": lambda: chance.choice(_DAYS),
        "firm": lambda: chance.choice(_FIRMS),
        "number": lambda: str(chance.randrange(2, 90)),
    }
    pieces = form.replace("{", "\0").replace("}", "\0").split("\0")
    return [others[piece]() if piece in others else piece for piece in pieces]
