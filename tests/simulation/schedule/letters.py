"""Texts that nobody has labelled: what users of the API send, and files of analysis jobs."""

from __future__ import annotations

import random
from dataclasses import dataclass

_LETTERS = "bcdfghjklmnprstvwz"
_VOWELS = "aeiou"
_WORDS = 12


class Texts(tuple[str, ...]):
    """Short in a story."""

    __slots__ = ()

    def __repr__(self) -> str:
        first = " ".join(self[0].split()[:2]) if self else ""
        return f"<{len(self)}, first {first!r}>"


class Files(dict[str, bytes]):
    """Contents by name."""

    def __repr__(self) -> str:
        return f"<{', '.join(f'{name} of {len(content)} bytes' for name, content in self.items())}>"


@dataclass(kw_only=True)
class Letters:
    """For one wing of one schedule. No two texts are alike enough that the review queue takes them for near-duplicates,
    unless `near` says so."""

    random: random.Random
    kind: str
    labels: tuple[str, ...]
    word: str
    """With which the texts begin."""
    count: int = 0

    def texts(self, number: int, *, near: bool = False) -> Texts:
        found = []
        rest = self._rest()
        for _ in range(number):
            self.count += 1
            about = self.random.choice(self.labels)
            named = f"{about}_{self._word()}" if self.kind == "ENTITIES" else f"about:{about}"
            rest = rest if near else self._rest()
            found.append(f"{self.word} {self.count:06d} says {named} and {rest}")
        return Texts(found)

    def _rest(self) -> str:
        return " ".join(self._word() for _ in range(_WORDS))

    def _word(self) -> str:
        return "".join(self.random.choice(_LETTERS) + self.random.choice(_VOWELS) for _ in range(3))
