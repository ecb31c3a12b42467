"""Puts a text into the queue, by one write. Whoever claims it finds out whether it was there before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flywheel.records.review import Lane, Place, WaitingItem
from flywheel.text.similarity import simhash

if TYPE_CHECKING:
    from flywheel.store.bucket import IntakeBucket


def add(item: WaitingItem, *, lane: Lane, rank: int, intake: IntakeBucket) -> Place:
    """The same text in the same lane with the same rank is the same place. `rank` is from 0 to 9999, such as
    `records.review.rank_of_margin`. Of feedback, see `propose`, which keeps what others proposed."""
    item = storable(item)
    place = place_for(item, lane=lane, rank=rank)
    intake.write(place.key, item)
    return place


def storable(item: WaitingItem) -> WaitingItem:
    """With the text as it is read again: UTF-8 cannot hold half a character (a lone surrogate)."""
    return item.model_copy(update={"text": item.text.encode(errors="replace").decode()})


def place_for(item: WaitingItem, *, lane: Lane, rank: int) -> Place:
    return Place(lane=lane, rank=rank, similarity=simhash(item.text), item=item.id)
