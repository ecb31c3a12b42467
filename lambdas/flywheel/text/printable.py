"""Makes text of others (keys, labels, reasons, excerpts) safe to show in a terminal, an e-mail or a page.

Control characters can control a terminal, direction marks can make one name look like another, and characters without
width are invisible.
"""

from __future__ import annotations

import re
import unicodedata

_CONTROL_PICTURES = 0x2400
_DELETE, _DELETE_PICTURE = 0x7F, "\u2421"
_INVISIBLE_CATEGORIES = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Controls (C0, C1), format characters (direction, zero width, tags), lone surrogates, line separators."""
_INVISIBLE_LETTERS = "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0\ufe00-\ufe0f\U000e0100-\U000e01ef"
"""Letters and marks that Unicode does not draw (Default_Ignorable_Code_Point)."""
_SUSPECT = re.compile(r"[^ -~]")
_INVISIBLE_LETTER = re.compile(f"[{_INVISIBLE_LETTERS}]")


def printable(text: str) -> str:
    """`text` in one line. ASCII control characters become their pictures (U+2400 and up), others escapes: `\\u202e`."""
    return _SUSPECT.sub(_shown, text)


def printable_lines(text: str) -> str:
    """As `printable`, but line feeds and tabs stay."""
    return "\n".join("\t".join(map(printable, line.split("\t"))) for line in text.split("\n"))


def _shown(match: re.Match[str]) -> str:
    character = match[0]
    code = ord(character)
    if code < ord(" "):
        return chr(_CONTROL_PICTURES + code)
    if code == _DELETE:
        return _DELETE_PICTURE
    if unicodedata.category(character) in _INVISIBLE_CATEGORIES or _INVISIBLE_LETTER.match(character):
        return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
    return character


_LINE_ENDS = re.compile("[\n\v\f\r\x1c-\x1e\x85\u2028\u2029]")
"""Those of `str.splitlines`."""


def on_one_line(text: str) -> str:
    """Replaces every character that ends a line by a space. Offsets in the text stay."""
    return _LINE_ENDS.sub(" ", text)


def in_one_line(text: str) -> str:
    return " ".join(text.split())
