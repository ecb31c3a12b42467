"""Where words begin and end: between two letters or digits is no boundary, but in scripts without spaces."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

# Scripts that put no spaces between words: Thai, Lao, Myanmar, Khmer, kana, Chinese characters, and their like.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u1950-\u19df\u2e80-\u2fdf\u3005-\u3007\u3021-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\ua9e0-\ua9ff\uaa60-\uaa7f\uf900-\ufaff\uff66-\uff9f\U0001b000-\U0001b16f"
    "\U00020000-\U0003ffff]"
)
_NO_SPACES = re.compile(r"\S+")
# Latin, Greek and Cyrillic letters and common signs: no marks, and no script without spaces.
_ONLY_SIMPLE = re.compile("[\0-\u02ff\u0370-\u0482\u048a-\u052f\u1e00-\u200a\u2010-\u2029\u202f-\u205f\u20a0-\u20bf]*+")
_UNIT = re.compile(r"[^\W_]++|\S")
_JOINER = "\u200d"
# What Unicode does not call a mark and draws with the character before: joiners, and the skin tones of emoji.
_LIKE_MARKS = "\u200c" + _JOINER + "\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"


def cuts_word(text: str, place: int) -> bool:
    """Whether a word goes on from before ``place`` to after it, or a character with its marks does."""
    if not 0 < place < len(text):
        return False
    before, after = text[place - 1], text[place]
    if before.isascii() and after.isascii():
        return before.isalnum() and after.isalnum()
    if _is_mark(after) or before == _JOINER:
        return not before.isspace() and not after.isspace()
    return _is_of_word(before) and _is_of_word(after)


def is_whole(text: str, begin: int, end: int) -> bool:
    """Whether a stretch of the text begins and ends where words do, without white space at its ends."""
    return (
        0 <= begin < end <= len(text)
        and not text[begin].isspace()
        and not text[end - 1].isspace()
        and not cuts_word(text, begin)
        and not cuts_word(text, end)
    )


def _is_mark(character: str) -> bool:
    return unicodedata.category(character)[0] == "M" or character in _LIKE_MARKS


def _is_of_word(character: str) -> bool:
    return (character.isalnum() and _UNSPACED.match(character) is None) or _is_mark(character)


def units(text: str) -> Iterator[tuple[int, str]]:
    """The words of a text, and each character besides that belongs to none, with the places where they begin."""
    if _ONLY_SIMPLE.fullmatch(text):
        for unit in _UNIT.finditer(text):
            yield unit.start(), unit[0]
        return
    for stretch in _NO_SPACES.finditer(text):
        begin = stretch.start()
        for place in range(begin + 1, stretch.end() + 1):
            if place == stretch.end() or not cuts_word(text, place):
                yield begin, text[begin:place]
                begin = place
