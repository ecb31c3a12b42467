"""Which labels a flywheel can have: what Comprehend takes, and what people can tell apart."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from flywheel.text.look_alikes import LIKE_LATIN, as_seen, code_point

LONGEST_LABEL = 5000
"""Characters; Comprehend's limit."""
MOST_ENTITY_TYPES = 25
LONGEST_ENTITY_TYPE = 64
"""Characters; these two are Comprehend's limits, too."""


def check_labels(labels: Sequence[str]) -> None:
    """Raises ValueError with a sentence about the first label that is wrong."""
    for label in labels:
        _check(label)
    repeated = sorted({label for label in labels if labels.count(label) > 1})
    if repeated:
        raise ValueError(f"each label once; {', '.join(map(repr, repeated))} is there more than once")
    seen: dict[str, str] = {}
    for label in labels:
        twin = seen.setdefault(as_seen(label), label)
        if twin != label:
            raise ValueError(
                f"{twin!a} and {label!a} look alike, and nobody could tell which one a document has; rename one"
            )


def check_entity_types(types: Sequence[str]) -> None:
    """Raises ValueError as `check_labels`, which checks the rest."""
    for name in types:
        if len(name) > LONGEST_ENTITY_TYPE:
            raise ValueError(f"{name[:30]!r}... has {len(name)} characters; a type has at most {LONGEST_ENTITY_TYPE}")
        if "," in name or re.search(r"\\[nrt]", name):
            raise ValueError(f"{name!r}: an entity type has no comma, and no \\n, \\r or \\t")


def _check(label: str) -> None:
    if not label or label != label.strip():
        raise ValueError(f"{label!r}: a label is not empty and has no space at its ends")
    if len(label) > LONGEST_LABEL:
        raise ValueError(f"{label[:30]!r}... has {len(label)} characters; a label has at most {LONGEST_LABEL}")
    shown = f"{label!a}" if len(label) <= 60 else f"{label[:60]!a}..."
    for place, character in enumerate(label, 1):
        category = unicodedata.category(character)
        if category == "Cc":
            raise ValueError(f"{shown}: a label has no control characters")
        if category[0] in "CZ" and character != " ":
            raise ValueError(
                f"{shown}: its character {place} is {code_point(character)}, which nobody sees; leave it out, or "
                "write an ordinary space"
            )
    if not unicodedata.is_normalized("NFC", label):
        raise ValueError(
            f"{shown} is written with accents apart from their letters; write it as "
            f"{unicodedata.normalize('NFC', label)!r} (Unicode's form NFC)"
        )
    foreign = [character for character in label if ord(character) in LIKE_LATIN]
    if foreign and any(character.isascii() and character.isalpha() for character in label):
        raise ValueError(
            f"{shown}: its character {label.index(foreign[0]) + 1} is {code_point(foreign[0])}, which passes for "
            f"{foreign[0].translate(LIKE_LATIN)!r}; write the label in one alphabet"
        )
