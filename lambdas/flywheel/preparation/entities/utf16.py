"""Offsets that count UTF-16 units, as JavaScript does: recognised only where the text proves it."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from .proof import has_text, proves

if TYPE_CHECKING:
    from .annotations import Annotation

_OF_TWO_UNITS = re.compile("[\U00010000-\U0010ffff]")


class Utf16(NamedTuple):
    """The annotations of a document with their offsets read as UTF-16 units, and what the text says of this reading.

    Only offsets after a character of two units differ, and only those can prove anything.
    """

    converted: list[Annotation]
    example: Annotation
    """The first that is converted."""
    proven: bool
    refuted: bool


def as_utf16(text: str, annotations: Sequence[Annotation]) -> Utf16 | None:
    """None where it makes no difference, or no sense."""
    if _OF_TWO_UNITS.search(text) is None:
        return None
    units = _Units(text)
    converted: list[Annotation] = []
    for annotation in annotations:
        begin, end = units.code_point(annotation.begin), units.code_point(annotation.end)
        if begin is None or end is None:
            return None
        converted.append(annotation._replace(begin=begin, end=end))
    readings = [
        ((text, before), (text, after)) for before, after in zip(annotations, converted, strict=True) if before != after
    ]
    if not readings:
        return None
    refuted = proves([(after, before) for before, after in readings]) or all(has_text(before) for before, _ in readings)
    return Utf16(converted, readings[0][1][1], proves(readings), refuted)


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
