"""Gives a reviewer the next items, and keeps others from getting them for CLAIM_LASTS."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from flywheel.faults.errors import InvalidRecord
from flywheel.records.review import (
    ANSWERED,
    CLAIMED,
    WAITING,
    Claim,
    ClaimPointer,
    ItemState,
    Lane,
    Place,
    Proposal,
    ReviewItem,
    WaitingItem,
    item_key,
    item_of_answered,
    reviewer_digest,
)
from flywheel.review.choose_items import choose
from flywheel.review.errors import ItemGone
from flywheel.review.queue import (
    AGREED,
    CLAIM_LASTS,
    REQUESTS_AT_ONCE,
    ReviewQueue,
    claim_of,
    claim_pointer,
    held_by_another,
    reopened,
    waits_again,
)
from flywheel.text.similarity import simhash

_RENEWED = CLAIM_LASTS / 2
"""A claim is renewed when so much of its time is left, or less."""
_MOST_EXPIRED = 100
"""So many expired claims at most are taken back on the way."""
T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, kw_only=True)
class Claimed:
    items: tuple[ReviewItem, ...]
    """Those that the reviewer held before come first."""
    until: datetime
    """When the first of the claims ends; without any, when one made now would."""
    waiting: int
    """Items that wait for this reviewer, at most 1,000 of each lane."""
    more: bool
    """Whether a lane has more than that."""
    answered: int
    """Items that they answered today (UTC) and that are agreed on and not published yet."""


def claim(queue: ReviewQueue, *, by: str, count: int, now: datetime, lasts: timedelta = CLAIM_LASTS) -> Claimed:
    """The items that a reviewer holds, and new ones, until there are `count`. Claims that are half over are renewed;
    those of others that expired go back into the queue."""
    new = claim_of(by, now=now, lasts=lasts)
    held = _held(queue, by=by, count=count, now=now)
    lanes, more = _first_pages(queue, by=by)
    seen = sum(map(len, lanes.values()))
    lost: set[str] = set()
    won: list[ReviewItem] = []
    while missing := count - len(held) - len(won):
        mine = [*held, *won]
        chosen = choose(
            lanes,
            held=[(item.lane, simhash(item.text)) for item in mine],
            count=missing,
            taken={item.id for item in mine} | lost,
        )
        if not chosen:
            break
        found = _at_once(lambda place: _take(queue, place, new=new, now=now), chosen)
        won += [item for item in found if item is not None]
        lost |= {place.item for place, item in zip(chosen, found, strict=True) if item is None}
    items = (*held, *won)
    return Claimed(
        items=items,
        until=min((item.claim.until for item in items if item.claim), default=new.until),
        waiting=seen - len(won) - len(lost),
        more=more,
        answered=_answered(queue, by=by, now=now),
    )


def _held(queue: ReviewQueue, *, by: str, count: int, now: datetime) -> list[ReviewItem]:
    mine, expired = [], []
    for key in queue.intake.keys(CLAIMED):
        pointer = ClaimPointer.of_key(key)
        if pointer is None:
            continue
        if pointer.reviewer == reviewer_digest(by):
            mine.append(pointer)
        elif pointer.until <= now:
            expired.append(pointer)
    _at_once(lambda pointer: _met(queue, pointer, by=by, now=now), expired[:_MOST_EXPIRED])
    found = _at_once(lambda pointer: _met(queue, pointer, by=by, now=now), mine)
    kept = {item.id: item for item in found if item is not None}
    return list(kept.values())[:count]


def _met(queue: ReviewQueue, pointer: ClaimPointer, *, by: str, now: datetime) -> ReviewItem | None:
    """The item of a pointer that may be out of date, if the reviewer holds it."""

    def edit(item: ReviewItem) -> ReviewItem:
        if item.state is not ItemState.CLAIMED or item.claim is None:
            return item
        if item.claim.by == by:
            renewed = claim_of(by, now=now)
            return item if item.claim.until - now > _RENEWED else item.model_copy(update={"claim": renewed})
        return waits_again(item) if item.claim.until <= now else item

    item = _read(queue, pointer.item)
    if item is None:
        queue.intake.delete_versions(pointer.key)
        return None
    if item.claim is not None and item.claim.by == by and item.claim.until == pointer.until and edit(item) == item:
        return item
    try:
        item = queue.change(pointer.item, edit, met={pointer.key: None})
    except ItemGone:
        return None
    return item if item.claim is not None and item.claim.by == by else None


def _first_pages(queue: ReviewQueue, *, by: str) -> tuple[dict[Lane, list[Place]], bool]:
    """By one request for each lane: the first places that the reviewer may have, and whether there are more."""
    digest = reviewer_digest(by)
    pages = _at_once(lambda lane: queue.intake.first_page(f"{WAITING}{lane}/"), tuple(Lane))
    places = {
        lane: [
            place for found in page if (place := Place.of_key(found["Key"])) is not None and digest not in place.seen_by
        ]
        for lane, (page, _) in zip(Lane, pages, strict=True)
    }
    return places, any(more for _, more in pages)


def _take(queue: ReviewQueue, place: Place, *, new: Claim, now: datetime) -> ReviewItem | None:
    """The item at a place, if the reviewer gets it; otherwise the place is put right. One that cannot be read keeps
    nobody from the others."""
    try:
        found = queue.intake.read_with_version(place.key, WaitingItem)
        return _take_found(queue, place, *found, claim=new, now=now) if found else None
    except InvalidRecord:
        return None


def _take_found(
    queue: ReviewQueue, place: Place, waiting: WaitingItem, version: str, *, claim: Claim, now: datetime
) -> ReviewItem | None:
    new = ReviewItem(**dict(waiting), lane=place.lane, rank=place.rank, state=ItemState.CLAIMED, claim=claim)
    if queue.intake.write_once(item_key(place.item), new):
        if _is_gone(queue, place.key) and _is_gone(queue, claim_pointer(new.id, claim).key):
            # It was forgotten since: whoever did that may not have seen this record, which has the text. Whoever only
            # met it has written the pointer to it before deleting the place, and has changed it if that one is gone.
            if _read(queue, place.item) == new:
                queue.intake.delete_versions(item_key(place.item))
            return None
        queue.point(new, instead_of={place.key: version})
        return new
    try:
        item = queue.change(
            place.item, lambda item: _met_again(item, place, waiting, new, now=now), met={place.key: version}
        )
    except ItemGone:
        # Its text was deleted at this moment.
        queue.intake.delete_versions(place.key, before=version)
        return None
    return item if item.claim is not None and item.claim.by == claim.by else None


def _is_gone(queue: ReviewQueue, key: str) -> bool:
    return queue.intake.read_bytes_if_there(key) is None


def _met_again(item: ReviewItem, place: Place, waiting: WaitingItem, new: ReviewItem, *, now: datetime) -> ReviewItem:
    """An item that has a record, and a place that somebody added, or that is a rest of an earlier step."""
    known = {(each.by, each.labels) for each in item.proposals}
    proposals = (*item.proposals, *(each for each in waiting.proposals if (each.by, each.labels) not in known))
    if item.state in AGREED or item.state is ItemState.SKIPPED:
        return _reopened(item, proposals, lane=place.lane, new=new)
    item = item.model_copy(update={"proposals": proposals})
    by = new.claim.by if new.claim else ""
    if held_by_another(item, by, now=now) or (item.claim is not None and item.claim.by == by):
        return item
    if item.state is ItemState.CLAIMED:
        item = waits_again(item)
    return item if item.answer_of(by) else item.model_copy(update={"state": ItemState.CLAIMED, "claim": new.claim})


def _reopened(item: ReviewItem, proposals: tuple[Proposal, ...], *, lane: Lane, new: ReviewItem) -> ReviewItem:
    """An item that nobody was to be asked about any more, if somebody proposed what is not agreed on."""
    agreed = frozenset(item.labels) if item.labels is not None else None
    if all(frozenset(each.labels) == agreed for each in proposals[len(item.proposals) :]):
        return item.model_copy(update={"proposals": proposals})
    return reopened(
        item, lane=lane, note="It was reviewed before, and somebody proposed something else since."
    ).model_copy(
        update={
            "proposals": proposals,
            "suggestion": new.suggestion or item.suggestion,
            "state": ItemState.CLAIMED,
            "claim": new.claim,
        }
    )


def _answered(queue: ReviewQueue, *, by: str, now: datetime) -> int:
    digest = reviewer_digest(by)
    count = 0
    for found in queue.intake.list(ANSWERED):
        parsed = item_of_answered(found["Key"])
        count += parsed is not None and digest in parsed[1] and found["LastModified"].date() == now.date()
    return count


def _read(queue: ReviewQueue, item: str) -> ReviewItem | None:
    try:
        return queue.read(item)
    except ItemGone:
        return None


def _at_once(work: Callable[[T], R], given: Iterable[T]) -> list[R]:
    with ThreadPoolExecutor(REQUESTS_AT_ONCE) as pool:
        return list(pool.map(work, given))
