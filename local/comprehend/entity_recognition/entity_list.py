"""A list of entities and where its entries stand in a text.

How the service matches is not documented. Here an entry matches where its characters are the same and neither end is in
the middle of a word; of entries that begin at one place, the longest.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property

from local.comprehend.entity_recognition.entities import Entity


class EntityList:
    def __init__(self) -> None:
        self._types: dict[str, str] = {}
        self._lengths: dict[str, set[int]] = defaultdict(set)

    def add(self, text: str, type_: str) -> None:
        """Of two types for one text, the first counts."""
        self._types.setdefault(text, type_)
        self._lengths[text[0]].add(len(text))

    def matches(self, text: str) -> tuple[Entity, ...]:
        """In the order of the text; none overlaps another."""
        found: list[Entity] = []
        at = 0
        while at < len(text):
            length = self._match(text, at, self._longest_first.get(text[at], []))
            if length:
                found.append(Entity(begin=at, end=at + length, type=self._types[text[at : at + length]]))
            at += length or 1
        return tuple(found)

    @cached_property
    def _longest_first(self) -> dict[str, list[int]]:
        """The lengths of the entries that begin with a character; the list is complete once it is looked for."""
        return {first: sorted(lengths, reverse=True) for first, lengths in self._lengths.items()}

    def _match(self, text: str, at: int, lengths: list[int]) -> int:
        if lengths and _whole(text, at):
            for length in lengths:
                if text[at : at + length] in self._types and _whole(text, at + length) and at + length <= len(text):
                    return length
        return 0


def _whole(text: str, at: int) -> bool:
    """Whether no word goes on over this place."""
    return not (0 < at < len(text) and text[at - 1].isalnum() and text[at].isalnum())
