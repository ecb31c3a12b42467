"""Annotated documents that a recognizer can learn, as JSON Lines."""

from __future__ import annotations

import json
from collections.abc import Sequence

from flywheel.spans import Span

TYPES = ("PERSON", "PLACE")
_FIRST = ("Anna", "Boris", "Carla", "David", "Elena", "Frank", "Greta", "Hugo")
_LAST = ("Albers", "Brandt", "Castro", "Dorn", "Egger", "Fuchs", "Gruber", "Hahn")
_PLACES = ("Aachen", "Bergen", "Cadiz", "Dover", "Essen", "Fulda", "Genoa", "Hamburg")
_FURTHER = "There is more to be said of it, but it was left out of this copy of the letter numbered"
_FORMS = (
    "Yesterday {person} went to {place} by train.",
    "{person} lives in {place} with two cats.",
    "The mayor of {place} met {person} in the morning.",
    "In {place} nobody had heard of {person} before.",
)

Annotated = tuple[str, tuple[Span, ...]]


def annotated(*, start: int = 0, count: int = 20, wrong: bool = False) -> list[Annotated]:
    """Each text once. With `wrong` the types are exchanged."""
    made = []
    for number in range(start, start + count):
        person = f"{_FIRST[number % 8]} {_LAST[number // 8 % 8]}"
        place = _PLACES[number * 3 % 8]
        # A dataset of fifty has the 5,000 bytes that Comprehend wants.
        text = f"{_FORMS[number % 4].format(person=person, place=place)} {_FURTHER} {number}."
        types = (TYPES[1], TYPES[0]) if wrong else TYPES
        spans = [
            Span(begin := text.index(name), begin + len(name), type_)
            for name, type_ in zip((person, place), types, strict=True)
        ]
        made.append((text, tuple(sorted(spans))))
    return made


def as_json_lines(documents: Sequence[Annotated]) -> bytes:
    return "".join(
        json.dumps(
            {
                "text": text,
                "entities": [{"begin": span.begin, "end": span.end, "type": span.type} for span in spans],
            },
            ensure_ascii=False,
        )
        + "\n"
        for text, spans in documents
    ).encode()
