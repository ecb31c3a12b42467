"""The hold-out: a stratified sample of the test documents that stays what it is while they stay what they are.

A stratum is a combination of labels (one label in MULTI_CLASS mode). Of each stratum the documents with the smallest
text hashes are taken, which is a random choice that every run makes alike. How many is settled by giving seats to
strata one by one, each to the stratum that is furthest below its share, which is the apportionment of Webster and
Sainte-Laguë: a stratum never loses a seat because it grew. So a new document changes the sample by one document, and
by one more for each of its labels of which it now has the smallest hash.

Shares are rounded at one half where a stratum is one label, and at a fixed number made of the labels where it is a
combination: rounded at one half, all combinations too rare for half a document would be left out, and in MULTI_LABEL
mode those can be most documents.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from hashlib import blake2b
from itertools import islice
from typing import NamedTuple

from .errors import NothingToScore, SampleTooSmall
from .label_places import LabelSet

UNIT_PRICE_DOLLARS = Decimal("0.0005")
"""Asynchronous custom classification, a unit, us-east-1, aws.amazon.com/comprehend/pricing as of 2026-09-20."""
UNIT_CHARACTERS = 100
MINIMUM_UNITS = 3
"""Charged for a document at least (same page)."""


class HoldoutDocument(NamedTuple):
    """A test document, by its labels and the number its text hashes to (`flywheel.preparation.text_hash`)."""

    labels: LabelSet
    text_hash: int


@dataclass(frozen=True, kw_only=True)
class Stratum:
    """One combination of labels: how many documents have it, and how many of those were taken."""

    labels: LabelSet
    available: int
    taken: int


@dataclass(frozen=True, kw_only=True)
class Holdout:
    """The documents to score models on. Whoever reads the data again for their texts takes each of them once."""

    documents: frozenset[HoldoutDocument]
    strata: tuple[Stratum, ...]

    @property
    def id(self) -> str:
        """Names the sample by its content, 16 hexadecimal digits: predictions are kept under it."""
        digest = blake2b(digest_size=8)
        for text_hash, labels in sorted((document.text_hash, sorted(document.labels)) for document in self.documents):
            digest.update(f"{text_hash}\x1f{chr(31).join(labels)}\n".encode())
        return digest.hexdigest()


def sample_holdout(documents: Iterable[HoldoutDocument], *, at_most: int) -> Holdout:
    """Take at most `at_most` documents: one of each label at least where there is one, otherwise in proportion.

    The order of `documents` does not matter. One that comes twice can be taken only once; it counts twice for its
    stratum's share. Memory: 2 x `at_most` hashes for each stratum at most, however many documents pass by.

    Raises:
        NothingToScore: no documents.
        SampleTooSmall: `at_most` is too small for one of each label.
        ValueError: `at_most` is less than 1.
    """
    if at_most < 1:
        raise ValueError(f"A hold-out needs at least 1 document, not {at_most}.")
    smallest: dict[LabelSet, _Smallest] = {}
    for labels, text_hash in documents:
        stratum = smallest.get(labels)
        if stratum is None:
            stratum = smallest[labels] = _Smallest(at_most)
        stratum.add(text_hash)
    if not smallest:
        raise NothingToScore
    hashes = {labels: smallest[labels].ascending() for labels in sorted(smallest, key=sorted)}
    seats = _seats(
        available={labels: smallest[labels].seen for labels in hashes},
        distinct={labels: len(ordered) for labels, ordered in hashes.items()},
        required=_one_of_each_label({labels: ordered[0] for labels, ordered in hashes.items()}),
        at_most=at_most,
    )
    return Holdout(
        documents=frozenset(
            HoldoutDocument(labels, text_hash)
            for labels, ordered in hashes.items()
            for text_hash in islice(ordered, seats[labels])
        ),
        strata=tuple(Stratum(labels=labels, available=smallest[labels].seen, taken=seats[labels]) for labels in hashes),
    )


def units_of(characters: int) -> int:
    """What a document of `characters` characters is charged as."""
    return max(MINIMUM_UNITS, -(-characters // UNIT_CHARACTERS))


def holdout_cost(*, documents: int, models: int, units: int = MINIMUM_UNITS) -> Decimal:
    """Dollars for asking `models` models about `documents` documents of `units` units each (`UNIT_PRICE_DOLLARS`).

    2,000 documents of up to 300 characters and two models cost $6.00.
    """
    return documents * models * units * UNIT_PRICE_DOLLARS


class _Smallest:
    """The `capacity` smallest different numbers of a stream; `seen` counts all."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._kept: list[int] = []
        self._bound: int | None = None
        self.seen = 0

    def add(self, number: int) -> None:
        self.seen += 1
        if self._bound is not None and number >= self._bound:
            return
        self._kept.append(number)
        if len(self._kept) >= 2 * self._capacity:
            self._kept = self.ascending()
            if len(self._kept) == self._capacity:
                self._bound = self._kept[-1]

    def ascending(self) -> list[int]:
        return sorted(set(self._kept))[: self._capacity]


def _one_of_each_label(heads: Mapping[LabelSet, int]) -> frozenset[LabelSet]:
    """The strata that hold each label's smallest hash: it is the smallest of its stratum too, so one seat takes it."""
    best: dict[str, tuple[int, list[str], LabelSet]] = {}
    for labels, head in heads.items():
        candidate = (head, sorted(labels), labels)
        for label in labels:
            if label not in best or candidate[:2] < best[label][:2]:
                best[label] = candidate
    return frozenset(labels for _, _, labels in best.values())


def _seats(
    *,
    available: Mapping[LabelSet, int],
    distinct: Mapping[LabelSet, int],
    required: frozenset[LabelSet],
    at_most: int,
) -> dict[LabelSet, int]:
    if len(required) > at_most:
        raise SampleTooSmall(at_most=at_most, needed=len(required))
    seats = {labels: int(labels in required) for labels in available}
    offsets = {labels: _offset(labels) for labels in available}

    def turn(labels: LabelSet) -> tuple[float, list[str], LabelSet]:
        return (seats[labels] + offsets[labels]) / available[labels], sorted(labels), labels

    waiting = [turn(labels) for labels in available if seats[labels] < distinct[labels]]
    heapq.heapify(waiting)
    for _ in range(at_most - len(required)):
        if not waiting:
            break
        labels = waiting[0][2]
        seats[labels] += 1
        if seats[labels] < distinct[labels]:
            heapq.heapreplace(waiting, turn(labels))
        else:
            heapq.heappop(waiting)
    return seats


def _offset(labels: LabelSet) -> float:
    """Where a share is rounded up, from 0 to 1: for a combination as good as random, and always the same."""
    if len(labels) == 1:
        return 0.5
    digest = blake2b("\x1f".join(sorted(labels)).encode(), digest_size=4).digest()
    return int.from_bytes(digest, "little") / 2**32
