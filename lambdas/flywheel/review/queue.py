"""What all steps of review share: an item is changed by a conditional write, then the pointer to it is put right.

Killed between the two, the pointer says something that the item contradicts: whoever meets it puts it right. A pointer
is written before the one that it replaces is deleted, so an item that somebody has to do something about has one at
every moment.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from flywheel.faults.errors import ServiceBusy
from flywheel.records.review import (
    Claim,
    ClaimPointer,
    FormerReview,
    ItemState,
    Lane,
    Place,
    ReviewItem,
    Verdict,
    answered_key,
    item_key,
    reviewer_digest,
)
from flywheel.review.errors import ItemGone
from flywheel.store.record import Record
from flywheel.text.similarity import simhash

if TYPE_CHECKING:
    from flywheel.comprehend.model_kind import ModelKind, Task
    from flywheel.store.bucket import IntakeBucket

CLAIM_LASTS = timedelta(minutes=30)
MOST_PASSES = 3
"""After so many people skipped an item, or were not sure, nobody is asked any more."""
REQUESTS_AT_ONCE = 16
_ATTEMPTS = 20
AGREED = frozenset({ItemState.ANSWERED, ItemState.ADJUDICATED})


class Pointer(Record):
    """The body of a pointer: all that it says stands in its key."""


@dataclass(frozen=True, kw_only=True)
class ReviewQueue:
    intake: IntakeBucket
    kind: ModelKind
    task: Task
    """The flywheel's, with its labels."""
    reviewers_per_item: int = 1

    def read(self, item: str) -> ReviewItem:
        """Raises ItemGone."""
        return self._read(item)[0]

    def change(
        self,
        item: str,
        edit: Callable[[ReviewItem], ReviewItem],
        *,
        met: Mapping[str, str | None] | None = None,
    ) -> ReviewItem:
        """Change an item, as it is at that moment, and put its pointers right. `edit` may give it back as it is.

        `met` are other pointers to it that were met, each with the id of the version that was read, if one was: none
        is kept, except the one that the item wants. Raises ItemGone, and what `edit` raises.
        """
        for _ in range(_ATTEMPTS):
            before, etag = self._read(item)
            after = edit(before)
            if after == before or self.intake.write_if_unchanged(item_key(item), after, etag):
                former = pointer_key(before)
                stale = dict(met or {}) | ({former: None} if former and former not in (met or {}) else {})
                self.point(after, instead_of=stale)
                return after
        raise ServiceBusy(f"Item {item} changes all the time: try again.")

    def point(self, item: ReviewItem, *, instead_of: Mapping[str, str | None]) -> None:
        """Write the pointer that the item wants, then delete the others."""
        wanted = pointer_key(item)
        if wanted is not None:
            self.intake.write(wanted, item.waiting if item.state is ItemState.WAITING else Pointer())
        if (
            item.state is ItemState.WAITING
            and wanted is not None
            and self.intake.read_bytes_if_there(item_key(item.id)) is None
        ):
            # It was forgotten since: whoever did that may not have seen this pointer, which has the text.
            self.intake.delete_versions(wanted)
        for key, version in instead_of.items():
            if key != wanted:
                self.intake.delete_versions(key, before=version)

    def _read(self, item: str) -> tuple[ReviewItem, str]:
        found = self.intake.read_with_etag(item_key(item), ReviewItem)
        if found is None:
            raise ItemGone(item)
        return found


def place_of(item: ReviewItem) -> Place:
    """Its place when it waits again."""
    return Place(
        lane=item.lane,
        rank=item.rank,
        similarity=simhash(item.text),
        item=item.id,
        seen_by=frozenset(reviewer_digest(answer.by) for answer in item.answers),
    )


def pointer_key(item: ReviewItem) -> str | None:
    """The key of the pointer that an item wants; None if nobody has to do anything about it."""
    if item.state is ItemState.WAITING:
        return place_of(item).key
    if item.state is ItemState.CLAIMED and item.claim is not None:
        return claim_pointer(item.id, item.claim).key
    if item.state in AGREED and item.batch is None:
        return answered_key(item.id, reviewers=[answer.by for answer in item.answers])
    return None


def claim_pointer(item: str, claim: Claim) -> ClaimPointer:
    return ClaimPointer(until=claim.until, item=item, reviewer=reviewer_digest(claim.by))


def claim_of(by: str, *, now: datetime, lasts: timedelta = CLAIM_LASTS) -> Claim:
    """To the second, as in the key of its pointer."""
    return Claim(by=by, until=(now + lasts).replace(microsecond=0))


def held_by_another(item: ReviewItem, by: str, *, now: datetime) -> bool:
    return item.state is ItemState.CLAIMED and item.claim is not None and item.claim.by != by and item.claim.until > now


def waits_again(item: ReviewItem, *, note: str | None = None) -> ReviewItem:
    """The item without the claim that it had."""
    kept = item.lane in {Lane.ADJUDICATE, Lane.PASSED}
    lane = item.lane if kept else Lane.AGAIN
    return item.model_copy(
        update={"state": ItemState.WAITING, "claim": None, "labels": None, "lane": lane, "note": note or item.note}
    )


def reopened(item: ReviewItem, *, lane: Lane, note: str) -> ReviewItem:
    """An item that nobody was to be asked about any more, without its answers, which it remembers."""
    return item.model_copy(
        update={
            "former": (*item.former, FormerReview(labels=item.labels, answers=item.answers, batch=item.batch)),
            "answers": (),
            "labels": None,
            "batch": None,
            "lane": lane,
            "note": note,
        }
    )


def decided(item: ReviewItem, *, reviewers_per_item: int) -> ReviewItem:
    """What follows from an item's answers, when nobody holds it."""
    votes = [answer.labels for answer in item.answers if answer.verdict is Verdict.ANSWER]
    passes = len(item.answers) - len(votes)
    lane, labels, state = item.lane, None, ItemState.WAITING
    if len(votes) > reviewers_per_item:
        # It was served once more because they did not agree.
        labels, state = votes[-1], ItemState.ADJUDICATED
    elif len(votes) == reviewers_per_item:
        labels = majority(votes)
        state = ItemState.ANSWERED if labels is not None else state
        lane = lane if labels is not None else Lane.ADJUDICATE
    else:
        lane = Lane.PASSED if passes else Lane.AGAIN
    if labels is None and passes >= MOST_PASSES:
        state = ItemState.SKIPPED
    return item.model_copy(update={"claim": None, "lane": lane, "labels": labels, "state": state})


def majority(votes: Collection[tuple[str, ...]]) -> tuple[str, ...] | None:
    """What more than half of the answers say, whatever the order of the labels."""
    counts = Counter(map(frozenset, votes))
    best, count = counts.most_common(1)[0]
    return next(vote for vote in votes if frozenset(vote) == best) if 2 * count > len(votes) else None
