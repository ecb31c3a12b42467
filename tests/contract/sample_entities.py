"""Small made-up documents with entities, easy to learn and free of anybody's rights."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from typing import Any

NAMES = {
    "PERSON": ("Ada Brook", "Ben Castle", "Cleo Dunn", "Dora Ellis", "Emil Fox", "Gita Hale", "Ivo Jarvis"),
    "PLACE": ("Northport", "Little Ham", "Eastmoor", "Kettle Bay", "Redhill", "Low Weald", "Quern"),
}
TYPES = tuple(NAMES)
PHRASES = (
    "Yesterday {PERSON} came to {PLACE} by train.",
    "People in {PLACE} say that {PERSON} paid 12 coins!",
    "{PERSON} lives in {PLACE}, not far away.",
    "Nobody came today.",
)

Sample = tuple[str, list[tuple[int, int, str]]]
"""A text, and the begin, end and type of each entity."""


def filled(phrase: str, *, seed: str) -> Sample:
    """The phrase with names in the place of types; equal arguments give an equal text."""
    chance = random.Random(f"{phrase}{seed}")
    text, entities = "", []
    for piece in phrase.replace("}", "{").split("{"):
        if piece in NAMES:
            name = chance.choice(NAMES[piece])
            entities.append((len(text), len(text) + len(name), piece))
            text += name
        else:
            text += piece
    return text, entities


def samples(count: int = 60, *, tag: str = "a", phrases: Iterable[str] = PHRASES) -> list[Sample]:
    listed = list(phrases)
    return [filled(listed[number % len(listed)], seed=f"{tag}{number}") for number in range(count)]


def line(text: str, entities: Iterable[tuple[int, int, str]], *, attribute: str = "entities") -> dict[str, Any]:
    """A line of an augmented manifest as Ground Truth writes it."""
    annotations = [{"startOffset": begin, "endOffset": end, "label": type_} for begin, end, type_ in entities]
    return {
        "source": text,
        attribute: {"annotations": {"entities": annotations, "labels": [{"label": type_} for type_ in TYPES]}},
        f"{attribute}-metadata": {
            "type": "groundtruth/text-span",
            "job-name": "labeling-job/people",
            "human-annotated": "yes",
            "creation-date": "2026-11-21T17:37:51.970530",
            "entities": [{"confidence": 1.0} for _ in annotations],
        },
    }


def manifest(documents: Iterable[Sample] | None = None, *, attribute: str = "entities") -> bytes:
    """An augmented manifest of the documents."""
    lines = (line(*document, attribute=attribute) for document in (samples() if documents is None else documents))
    return json_lines(lines)


def json_lines(lines: Iterable[Any]) -> bytes:
    return "".join(f"{json.dumps(each, ensure_ascii=False)}\n" for each in lines).encode()
