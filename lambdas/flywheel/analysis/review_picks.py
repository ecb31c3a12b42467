"""Chooses the documents of an analysis job that reviewers should see: the least certain, and a random share for audit.

Each part chooses among its own documents; `queue_for_review` chooses among those of all parts. Equal input gives an
equal choice, so a repeated step changes nothing.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from math import ceil
from typing import TYPE_CHECKING, BinaryIO

from flywheel.records.analyses import ReviewCandidate, ReviewCandidates
from flywheel.records.predictions import Suggestion
from flywheel.records.review import ItemSource, Lane, WaitingItem
from flywheel.review.add_item import add
from flywheel.store.stream import buffered
from flywheel.text.byte_limits import size_of

if TYPE_CHECKING:
    from datetime import datetime

    from flywheel.records.analyses import PartFolder
    from flywheel.store.bucket import IntakeBucket

MOST_BYTES = 100 * 1024
"""Of a text, in UTF-8: nobody reads more to give it a label."""
_SPARE = 4
"""A part looks at so many times the documents that it may choose, because equal texts are one item, and too long ones
none."""
_AT_ONCE = 16
_Entry = tuple[float, int]
"""The order, lowest first, and the document's number."""


def most_of(lane: Lane, *, most: int) -> int:
    """Of a job, where `most` documents of low confidence may be reviewed."""
    return ceil(most / 10) if lane is Lane.AUDIT else most


class Picks:
    """Of a part, before the texts are known. Takes memory for some times `most` documents, however many there are."""

    def __init__(self, *, most: int, audit_percent: float, part: str) -> None:
        self.most = most
        self._audit_percent = audit_percent
        self._part = part
        # Negative, because the first of a heap is its smallest.
        self._heaps: dict[Lane, list[_Entry]] = {Lane.UNCERTAIN: [], Lane.AUDIT: []}

    def take(self, document: int, *, margin: float, low_confidence: bool) -> bool:
        """Whether the document is among the first of those that were seen until now."""
        lane, order = Lane.UNCERTAIN, margin
        if not low_confidence:
            share = self._audit_percent / 100
            draw = self._draw(document)
            if draw >= share:
                return False
            lane, order = Lane.AUDIT, draw / share
        heap, entry = self._heaps[lane], (-order, -document)
        if len(heap) < _SPARE * most_of(lane, most=self.most):
            heapq.heappush(heap, entry)
            return True
        return bool(heap) and heapq.heappushpop(heap, entry) != entry

    def taken(self) -> dict[int, tuple[Lane, float]]:
        """By document its lane and its order in it."""
        return {-document: (lane, -order) for lane, heap in self._heaps.items() for order, document in heap}

    def _draw(self, document: int) -> float:
        """At random, from 0 to 1, and always the same."""
        digest = hashlib.sha256(f"{self._part} {document}".encode()).digest()
        return int.from_bytes(digest[:4]) / 2**32


class CandidateWriter:
    """Writes a part's candidates, each text once."""

    def __init__(self, spool: BinaryIO, *, most: int, at: datetime) -> None:
        """`spool` is a file in which they are kept until all are known."""
        self._spool = spool
        self._most = most
        self._at = at
        self._found: dict[str, tuple[Lane, float, int]] = {}
        self._places: list[int] = []
        self.too_long = 0

    def note(self, text: str, suggestion: str, *, lane: Lane, order: float) -> None:
        """`suggestion` as JSON."""
        if size_of(text) > MOST_BYTES:
            self.too_long += 1
            return
        item = WaitingItem(
            text=text,
            source=ItemSource.ANALYSIS,
            suggestion=Suggestion.model_validate_json(suggestion),
            at=self._at,
        )
        known = self._found.get(item.id)
        if known is not None and known[:2] <= (lane, order):
            return
        self._found[item.id] = (lane, order, len(self._places))
        self._places.append(self._spool.tell())
        self._spool.write(item.model_dump_json().encode() + b"\n")

    def write(self, target: BinaryIO) -> ReviewCandidates:
        """Write a WaitingItem a line, in the order of the index."""
        chosen = []
        for lane in (Lane.UNCERTAIN, Lane.AUDIT):
            of_lane = sorted((order, digest) for digest, (its, order, _) in self._found.items() if its is lane)
            chosen += [(lane, *entry) for entry in of_lane[: most_of(lane, most=self._most)]]
        for _, _, digest in chosen:
            self._spool.seek(self._places[self._found[digest][2]])
            target.write(self._spool.readline())
        return ReviewCandidates(
            candidates=tuple(ReviewCandidate(item=digest, lane=lane, order=order) for lane, order, digest in chosen)
        )


def queue_for_review(places: Sequence[PartFolder], *, most: int, intake: IntakeBucket) -> int:
    """Put the first of all parts' candidates into the review queue. `places` are those of parts that have some.

    Returns how many there are. The texts of two parts are never in memory together.
    """
    best: dict[Lane, dict[str, _Entry]] = {Lane.UNCERTAIN: {}, Lane.AUDIT: {}}
    for number, place in enumerate(places):
        for candidate in intake.require(place.review_index, ReviewCandidates).candidates:
            of_lane = best[candidate.lane]
            entry = (candidate.order, number)
            of_lane[candidate.item] = min(of_lane.get(candidate.item, entry), entry)
        for lane, of_lane in best.items():
            first = heapq.nsmallest(most_of(lane, most=most), ((entry, item) for item, entry in of_lane.items()))
            best[lane] = {item: entry for entry, item in first}
    chosen = {(number, item): lane for lane, of_lane in best.items() for item, (_, number) in of_lane.items()}
    for number in sorted({number for number, _ in chosen}):
        _queue(number, places[number], chosen, intake)
    return len(chosen)


def _queue(number: int, place: PartFolder, chosen: dict[tuple[int, str], Lane], intake: IntakeBucket) -> None:
    def wanted() -> Iterator[tuple[ReviewCandidate, bytes]]:
        index = intake.require(place.review_index, ReviewCandidates).candidates
        with intake.open(place.review) as stream:
            for candidate, line in zip(index, buffered(stream), strict=True):
                if chosen.get((number, candidate.item)) is candidate.lane:
                    yield candidate, line

    def put(one: tuple[ReviewCandidate, bytes]) -> None:
        candidate, line = one
        add(WaitingItem.model_validate_json(line), lane=candidate.lane, rank=candidate.rank, intake=intake)

    found = wanted()
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        while some := list(islice(found, _AT_ONCE)):
            list(pool.map(put, some))
