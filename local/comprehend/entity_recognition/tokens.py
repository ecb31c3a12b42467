# mypy: allow-untyped-calls
"""Texts in pieces that an entity begins and ends with, and what a model sees of each piece."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import regex

# Addresses, mentions and hashtags as a whole; words and numbers; any other character alone.
_TOKEN = regex.compile(r"https?://\S+|[@#][\p{L}\p{M}\p{N}_]+|[\p{L}\p{M}\p{N}_]+|\S")
_REPEATED = regex.compile(r"(.)\1+")
_WINDOW = (-2, -1, 1, 2)
# Of very long words the rest tells little and costs much.
_SHAPE = 12
_LETTERS = 30
_LOUD = 0.6
"""The share of words with a capital from which capitals say nothing."""

Place = tuple[int, int]


def places(text: str) -> list[Place]:
    """Begin and end of each piece, in code points."""
    return [match.span() for match in _TOKEN.finditer(text)]


def features(text: str, pieces: list[Place]) -> Iterator[list[str]]:
    """What a model sees of each piece: of itself most, of two on each side less, and how neighbours go together."""
    words = [text[begin:end] for begin, end in pieces]
    shapes = [_short_shape(word) for word in words]
    capitals = sum(word[0].isupper() for word in words)
    loud = capitals > _LOUD * max(1, sum(word[0].isalpha() for word in words))
    for index, word in enumerate(words):
        found = ["bias", *_of_itself(word), f"{loud}{shapes[index]}"]
        for distance in _WINDOW:
            other = index + distance
            if 0 <= other < len(words):
                found += [f"{distance}{feature}" for feature in _of_neighbour(words[other])]
            else:
                found.append(f"{distance}none")
        if index:
            found.append(f"-w={words[index - 1].lower()}|{word.lower()}")
            found.append(f"-h={shapes[index - 1]}|{shapes[index]}")
        if index + 1 < len(words):
            found.append(f"+w={word.lower()}|{words[index + 1].lower()}")
            found.append(f"+h={shapes[index]}|{shapes[index + 1]}")
        if 0 < index < len(words) - 1:
            found.append(f"h={'|'.join(shapes[index - 1 : index + 2])}")
        yield found


@lru_cache(maxsize=100_000)
def _of_itself(word: str) -> tuple[str, ...]:
    lower = word.lower()[:_LETTERS]
    bounded = f"^{lower}$"
    affixes = [f"{mark}{size}={part}" for size in (1, 2, 3, 4) for mark, part in _ends(lower, size)]
    grams = [f"g={bounded[at : at + 3]}" for at in range(len(bounded) - 2)]
    return (f"W={word}", f"w={lower}", f"s={_shape(word)}", f"h={_short_shape(word)}", *affixes, *grams)


@lru_cache(maxsize=100_000)
def _of_neighbour(word: str) -> tuple[str, ...]:
    lower = word.lower()[:_LETTERS]
    return f"w={lower}", f"h={_short_shape(word)}"


def _ends(word: str, size: int) -> list[tuple[str, str]]:
    return [("p", word[:size]), ("e", word[-size:])] if len(word) >= size else []


def _shape(word: str) -> str:
    """`Xxxx-dd` of `Word-12`."""
    return "".join(_sign(letter) for letter in word[:_SHAPE])


@lru_cache(maxsize=100_000)
def _short_shape(word: str) -> str:
    """`Xx-d` of `Word-12`."""
    short: str = _REPEATED.sub(r"\1", _shape(word))
    return short


def _sign(letter: str) -> str:
    if letter.isalpha():
        return "X" if letter.isupper() else "x"
    return "d" if letter.isdigit() else letter
