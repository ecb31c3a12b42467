"""Where the entities of an endpoint's answer stand in the text."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from flywheel.faults.errors import FlywheelError

_LAST_OF_ONE_UNIT = "\uffff"


class EntityOutsideText(FlywheelError):
    """An entity of Comprehend's answer cannot be found in the text."""


class Utf16:
    """Offsets in a text as JavaScript counts them. `text` has no lone surrogates."""

    def __init__(self, text: str) -> None:
        self._wide = [place for place, character in enumerate(text) if character > _LAST_OF_ONE_UNIT]

    def offset(self, code_points: int) -> int:
        return code_points + bisect_left(self._wide, code_points)


def place_of(text: str, *, begin: int, end: int, found: str | None) -> tuple[int, int]:
    """`begin` and `end`, in code points, of an entity in `text`, which `found` is as Comprehend quotes it.

    That Comprehend counts code points is not documented (reference 2.9), so its own quotation decides: if other text
    stands at the offsets, the entity is where its quotation stands in the text, nearest to `begin`. A quotation that
    stands nowhere was changed by Comprehend, and the offsets count if they are inside the text.

    Raises EntityOutsideText. Then the document has no answer: one that lacks an entity would look complete.
    """
    inside = 0 <= begin < end <= len(text)
    if inside and found in (None, text[begin:end]):
        return begin, end
    if found:
        nearest = min(_places(text, found), key=lambda place: abs(place - begin), default=None)
        if nearest is not None:
            return nearest, nearest + len(found)
    if inside:
        return begin, end
    raise EntityOutsideText(
        f"Comprehend answered with an entity from {begin} to {end}, but the text has {len(text)} characters."
    )


def _places(text: str, found: str) -> Iterator[int]:
    place = text.find(found)
    while place >= 0:
        yield place
        place = text.find(found, place + 1)
