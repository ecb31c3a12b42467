"""Takes back everything that a reviewer said."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from flywheel.records.exclusions import DocumentId
from flywheel.records.review import (
    ANSWERED,
    BATCHES,
    CLAIMED,
    OPEN_BATCHES,
    WAITING,
    Batch,
    ClaimPointer,
    ItemState,
    Lane,
    Place,
    ReviewItem,
    item_of_answered,
    reviewer_digest,
)
from flywheel.review.errors import ItemGone
from flywheel.review.queue import AGREED, REQUESTS_AT_ONCE, ReviewQueue, waits_again

_ANSWERED_BEFORE = (Lane.ADJUDICATE, Lane.AGAIN, Lane.PASSED)
"""Lanes of items that somebody may have answered."""


@dataclass(frozen=True, kw_only=True)
class Withdrawn:
    items: int
    """That lost an answer, and wait again."""
    documents: frozenset[DocumentId]
    """Published ones that rest on their answers, to be excluded."""


def find_reviewer(queue: ReviewQueue, named: str) -> frozenset[str]:
    """ARNs of those with this ARN, or with this name as its last part, whose answers were published or wait for it."""
    known = {by for batch in _batches(queue) for each in batch.items for by in each.by}
    with ThreadPoolExecutor(REQUESTS_AT_ONCE) as pool:
        items = pool.map(lambda item: _read(queue, item), sorted(_unpublished(queue, digest=None)))
        known |= {answer.by for item in items if item is not None for answer in item.answers}
    return frozenset(by for by in known if named in {by, by.rsplit("/", 1)[-1]})


def withdraw_reviewer(queue: ReviewQueue, *, by: str) -> Withdrawn:
    """Unpublished answers are taken out, and their items go back into the queue. Run again, it goes on."""
    with ThreadPoolExecutor(REQUESTS_AT_ONCE) as pool:
        items = sum(pool.map(lambda item: _withdraw(queue, item, by), _unpublished(queue, digest=reviewer_digest(by))))
    documents = frozenset(
        (int(text, 16), int(labels, 16))
        for batch in _batches(queue)
        for each in batch.items
        if by in each.by and each.document is not None
        for text, labels in [each.document]
    )
    return Withdrawn(items=items, documents=documents)


def _unpublished(queue: ReviewQueue, *, digest: str | None) -> set[str]:
    """Items that the reviewer with this digest may have answered, or that anybody has."""
    found = set()
    for lane in _ANSWERED_BEFORE:
        for key in queue.intake.keys(f"{WAITING}{lane}/"):
            place = Place.of_key(key)
            if place is not None and (digest in place.seen_by if digest else place.seen_by):
                found.add(place.item)
    for key in queue.intake.keys(ANSWERED):
        parsed = item_of_answered(key)
        if parsed is not None and (digest is None or digest in parsed[1]):
            found.add(parsed[0])
    pointers = map(ClaimPointer.of_key, queue.intake.keys(CLAIMED))
    return found | {pointer.item for pointer in pointers if pointer is not None}


def _withdraw(queue: ReviewQueue, item: str, by: str) -> bool:
    took = False

    def edit(item: ReviewItem) -> ReviewItem:
        nonlocal took
        answers = tuple(answer for answer in item.answers if answer.by != by)
        took = item.batch is None and len(answers) < len(item.answers)
        if not took:
            return item
        item = item.model_copy(update={"answers": answers})
        if item.state is ItemState.CLAIMED:
            return item
        note = "An answer to it was withdrawn." if item.state in AGREED else None
        return waits_again(item.model_copy(update={"lane": Lane.AGAIN}), note=note)

    try:
        queue.change(item, edit)
    except ItemGone:
        return False
    return took


def _batches(queue: ReviewQueue) -> Iterator[Batch]:
    """Those that are uploaded, or are about to be."""
    opened = {key.removeprefix(OPEN_BATCHES) for key in queue.intake.keys(OPEN_BATCHES)}
    batches = queue.intake.read_each(queue.intake.keys(BATCHES), Batch)
    return (batch for batch in batches if batch.uploaded or batch.id in opened)


def _read(queue: ReviewQueue, item: str) -> ReviewItem | None:
    try:
        return queue.read(item)
    except ItemGone:
        return None
