"""Which of two readings of offsets is meant, where the text proves it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .words import cuts_word, is_whole

if TYPE_CHECKING:
    from .annotations import Annotation

    Reading = tuple[str, Annotation]
    """A text, and the place of an entity in it."""


def proves(readings: Sequence[tuple[Reading, Reading]]) -> bool:
    """Whether the second reading of all entities is meant and not the first.

    Where entities come with their own texts, these decide: all of them stand where the second reading says, and not all
    where the first does. Otherwise an offset past the end proves it, or that all entities are whole words in the second
    reading and one cuts a word in the first. None may be whole words in the first reading alone.
    """
    if not readings or not all(_is_inside(second) for _, second in readings):
        return False
    if any(annotation.text is not None for (_, annotation), _ in readings):
        return not all(_can_be(first) for first, _ in readings) and all(_can_be(second) for _, second in readings)
    whole = [(_is_whole(first), _is_whole(second)) for first, second in readings]
    if any(first and not second for first, second in whole):
        return False
    if not all(_is_inside(first) for first, _ in readings):
        return True
    return all(second for _, second in whole) and any(_is_cut(first) for first, _ in readings)


def _is_inside(reading: Reading) -> bool:
    text, annotation = reading
    return 0 <= annotation.begin < annotation.end <= len(text)


def has_text(reading: Reading) -> bool:
    """Whether an entity's own text stands at its place."""
    text, annotation = reading
    return text[annotation.begin : annotation.end] == annotation.text


def _can_be(reading: Reading) -> bool:
    return reading[1].text is None or has_text(reading)


def _is_cut(reading: Reading) -> bool:
    text, (begin, end, *_) = reading
    return cuts_word(text, begin) or cuts_word(text, end) or text[begin:end].isspace()


def _is_whole(reading: Reading) -> bool:
    text, annotation = reading
    return is_whole(text, annotation.begin, annotation.end)
