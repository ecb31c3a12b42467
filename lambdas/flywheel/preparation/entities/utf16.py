"""Offsets that count UTF-16 units, as JavaScript does: recognised only where the text proves it."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .proof import proves

if TYPE_CHECKING:
    from .annotations import Annotation

_OF_TWO_UNITS = re.compile("[\U00010000-\U0010ffff]")


def in_code_points(text: str, annotations: Sequence[Annotation]) -> list[Annotation] | None:
    """The annotations with offsets in code points, if theirs provably count UTF-16 units; else None.

    Only offsets after a character of two units differ, and only those can prove it.
    """
    if _OF_TWO_UNITS.search(text) is None:
        return None
    units = _Units(text)
    converted: list[Annotation] = []
    for annotation in annotations:
        begin, end = units.code_point(annotation.begin), units.code_point(annotation.end)
        if begin is None or end is None:
            return None
        converted.append(annotation._replace(begin=begin, end=end))
    moved = [(before, after) for before, after in zip(annotations, converted, strict=True) if before != after]
    return converted if moved and proves([((text, before), (text, after)) for before, after in moved]) else None


class _Units:
    """The UTF-16 units of a text."""

    def __init__(self, text: str) -> None:
        self._length = len(text)
        # The units with which characters of two units begin.
        self._wide = [found.start() + number for number, found in enumerate(_OF_TWO_UNITS.finditer(text))]

    def code_point(self, unit: int) -> int | None:
        """None within a character, and outside the text."""
        before = bisect_left(self._wide, unit)
        if unit < 0 or (before and self._wide[before - 1] + 1 == unit) or unit - before > self._length:
            return None
        return unit - before
