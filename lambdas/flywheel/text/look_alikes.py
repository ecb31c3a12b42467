"""Finds texts that a person cannot tell apart: labels in settings, and labels in files."""

from __future__ import annotations

import unicodedata

INVISIBLE = "\xad\u061c\u180e\u2060\ufeff" + "".join(
    map(chr, [*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2066, 0x206A)])
)
# Letters of other scripts that print like Latin ones: Cyrillic, then Greek.
LIKE_LATIN = str.maketrans(
    "АВЕЅІЈКМНОРСТУХаеорсухѕіјԁһ" + "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧον",  # noqa: RUF001  # they are the point
    "ABESIJKMHOPCTYXaeopcyxsijdh" + "ABEZHIKMNOPTYXov",
)
_WITHOUT_INVISIBLE = dict.fromkeys(map(ord, INVISIBLE))


def as_seen(label: str) -> str:
    """Equal for labels that a person cannot tell apart."""
    if not label.isascii():
        label = unicodedata.normalize("NFKC", label).translate(_WITHOUT_INVISIBLE).translate(LIKE_LATIN)
    return " ".join(label.split())


def code_point(character: str) -> str:
    name = unicodedata.name(character, "a control character" if ord(character) < 160 else "unnamed")
    return f"U+{ord(character):04X} ({name})"
