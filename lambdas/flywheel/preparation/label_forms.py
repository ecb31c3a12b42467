"""Labels that look alike: how they are compared, and which character makes two of them differ."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from flywheel.text.look_alikes import INVISIBLE, as_seen, code_point

_SPACES = "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)
_PADDING = _SPACES + INVISIBLE
_CHARACTERS_NAMED = 3


def as_compared(label: str) -> str:
    """The form in which labels are compared: without padding, seen or not, and with composed accents (NFC)."""
    label = label.strip(_PADDING)
    return label if label.isascii() else unicodedata.normalize("NFC", label)


def as_meant(label: str) -> str:
    """Equal for labels that differ in case, spaces, hyphens and underscores only."""
    return re.sub(r"[\s_-]+", "", as_seen(label)).casefold()


def twins(labels: Iterable[str]) -> list[tuple[str, str]]:
    """Pairs of labels that are probably meant to be one."""
    first: dict[str, str] = {}
    return [(first[form], label) for label in labels if first.setdefault(form := as_meant(label), label) != label]


def printable(text: str) -> str:
    """Every character that cannot be seen as its escape."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def odd_characters(label: str, known: Sequence[str]) -> str:
    """A sentence that names what a person does not see in an unknown label; empty if there is nothing of the kind."""
    ordinary = set("".join(known))
    odd = [
        f"its character {place} is {code_point(character)}"
        for place, character in enumerate(label, 1)
        if character not in ordinary and (not character.isprintable() or _passes_for_another(character))
    ]
    if not odd:
        return ""
    more = f" and {len(odd) - _CHARACTERS_NAMED} more" if len(odd) > _CHARACTERS_NAMED else ""
    return " Mind that " + ", ".join(odd[:_CHARACTERS_NAMED]) + more + "."


def different_characters(label: str, other: str) -> str:
    """As `odd_characters`, for a label that looks like ``other``, whose characters are the odd ones."""
    for place, (left, right) in enumerate(zip(label, other, strict=False), 1):
        if left != right:
            return f" Mind that its character {place} is {code_point(left)} and that of the label {code_point(right)}."
    return ""


def _passes_for_another(character: str) -> bool:
    return not character.isascii() and (
        unicodedata.combining(character) != 0 or as_seen(character) != unicodedata.normalize("NFC", character)
    )
