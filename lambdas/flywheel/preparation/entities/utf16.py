"""Offsets that count UTF-16 units, as JavaScript does: recognised only where the text proves it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .words import is_whole

if TYPE_CHECKING:
    from .annotations import Annotation

_LAST_OF_ONE_UNIT = "\uffff"


def in_code_points(text: str, annotations: Sequence[Annotation]) -> list[Annotation] | None:
    """The annotations with offsets in code points, if theirs provably count UTF-16 units; else None.

    Only offsets after a character of two units differ. Where entities come with their own texts, these decide: all of
    them stand where UTF-16 says, and not all where code points say. Otherwise an offset past the end proves it, or that
    entities cut words when code points are counted and none does in UTF-16; none may be whole in code points only.
    """
    units = _Units(text)
    if not units.wide:
        return None
    converted: list[Annotation] = []
    for annotation in annotations:
        begin, end = units.code_point(annotation.begin), units.code_point(annotation.end)
        if begin is None or end is None:
            return None
        converted.append(annotation._replace(begin=begin, end=end))
    moved = [(before, after) for before, after in zip(annotations, converted, strict=True) if before != after]
    return converted if moved and _proven(text, annotations, converted, moved) else None


def _proven(
    text: str,
    annotations: Sequence[Annotation],
    converted: Sequence[Annotation],
    moved: Sequence[tuple[Annotation, Annotation]],
) -> bool:
    if any(annotation.text is not None for annotation in annotations):
        return not _have_texts(text, annotations) and _have_texts(text, converted)
    whole = [
        (is_whole(text, before.begin, before.end), is_whole(text, after.begin, after.end)) for before, after in moved
    ]
    if any(before and not after for before, after in whole):
        return False
    if any(before.end > len(text) for before, _ in moved):
        return True
    return all(after for _, after in whole) and not all(before for before, _ in whole)


def _have_texts(text: str, annotations: Sequence[Annotation]) -> bool:
    return all(
        annotation.text is None or text[annotation.begin : annotation.end] == annotation.text
        for annotation in annotations
    )


class _Units:
    """The UTF-16 units of a text."""

    def __init__(self, text: str) -> None:
        places = [place for place, character in enumerate(text) if character > _LAST_OF_ONE_UNIT]
        self._length = len(text)
        # The units with which characters of two units begin.
        self.wide = [place + number for number, place in enumerate(places)]

    def code_point(self, unit: int) -> int | None:
        """None within a character, and outside the text."""
        before = bisect_left(self.wide, unit)
        if unit < 0 or (before and self.wide[before - 1] + 1 == unit) or unit - before > self._length:
            return None
        return unit - before
