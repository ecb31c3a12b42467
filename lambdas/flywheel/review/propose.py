"""Takes what somebody who uses the model says of a text: as a proposal for reviewers, or as an answer."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from flywheel.faults.errors import ServiceBusy
from flywheel.records.predictions import Suggestion
from flywheel.records.review import (
    ItemSource,
    Lane,
    Place,
    Proposal,
    ReviewAnswer,
    ReviewItem,
    WaitingItem,
    item_key,
)
from flywheel.review.add_item import place_for, storable
from flywheel.review.documents import check_answer
from flywheel.review.queue import AGREED, ReviewQueue, decided, held_by_another

_RANK_OF_OTHERS, _RANK_OF_THE_SAME = 0, 900
_ATTEMPTS = 20


class Trust(StrEnum):
    REVIEW = "review"
    ACCEPT = "accept"
    """It is as good as a reviewer's answer."""


class Taken(StrEnum):
    WAITS_FOR_REVIEW = "WAITS_FOR_REVIEW"
    ACCEPTED = "ACCEPTED"


def propose(
    queue: ReviewQueue,
    *,
    text: str,
    labels: tuple[str, ...],
    by: str,
    now: datetime,
    trust: Trust = Trust.REVIEW,
    source: ItemSource = ItemSource.FEEDBACK,
    suggestion: Suggestion | None = None,
) -> Taken:
    """`suggestion` is the prediction that it is about, if that is known. Said again, it changes nothing. What
    somebody else holds or has answered waits for review, whatever the trust. Raises InvalidAnswer, ServiceBusy."""
    labels = tuple(dict.fromkeys(labels))
    check_answer(text, labels, kind=queue.kind, task=queue.task)
    proposal = Proposal(by=by, at=now, labels=labels)
    waiting = storable(WaitingItem(text=text, source=source, suggestion=suggestion, proposals=(proposal,), at=now))
    same = suggestion is not None and frozenset(suggestion.labels) == frozenset(labels)
    place = place_for(waiting, lane=Lane.FEEDBACK, rank=_RANK_OF_THE_SAME if same else _RANK_OF_OTHERS)
    if trust is Trust.ACCEPT and _accepted(queue, waiting, proposal, place=place):
        return Taken.ACCEPTED
    _add(queue, waiting, place=place)
    return Taken.WAITS_FOR_REVIEW


def _accepted(queue: ReviewQueue, waiting: WaitingItem, proposal: Proposal, *, place: Place) -> bool:
    """Make it an item's answer, unless others had a say in it."""
    by, labels = proposal.by, proposal.labels
    answer = ReviewAnswer(by=by, at=proposal.at, labels=labels)

    def edit(item: ReviewItem) -> ReviewItem:
        former = item.answer_of(by)
        others = any(each.by != by for each in item.answers)
        if item.batch is not None or others or held_by_another(item, by, now=proposal.at):
            return item
        if former is not None and frozenset(former.labels) == frozenset(labels):
            return item
        # Trusted feedback needs no second opinion.
        return decided(item.model_copy(update={"answers": (answer,)}), reviewers_per_item=1)

    new = edit(ReviewItem(**dict(waiting), lane=Lane.FEEDBACK, rank=_RANK_OF_OTHERS))
    if not queue.intake.exists(item_key(waiting.id)):
        # Killed before anything points at the item, it would be found by nobody.
        _add(queue, waiting, place=place)
        if queue.intake.write_once(item_key(waiting.id), new):
            queue.point(new, instead_of=_own(queue, place, proposal))
            return True
    item = queue.change(waiting.id, edit)
    return item.state in AGREED and frozenset(item.labels or ()) == frozenset(labels)


def _own(queue: ReviewQueue, place: Place, proposal: Proposal) -> dict[str, str | None]:
    """The place, unless somebody else proposed something there: whoever claims it finds that."""
    found = queue.intake.read_with_version(place.key, WaitingItem)
    return {place.key: found[1]} if found is not None and found[0].proposals == (proposal,) else {}


def _add(queue: ReviewQueue, waiting: WaitingItem, *, place: Place) -> None:
    """Put it into the queue, beside what others proposed of the same text."""
    key = place.key
    (proposal,) = waiting.proposals
    for _ in range(_ATTEMPTS):
        found = queue.intake.read_with_etag(key, WaitingItem)
        if found is None:
            written = queue.intake.write_once(key, waiting)
        else:
            there, etag = found
            if any((each.by, each.labels) == (proposal.by, proposal.labels) for each in there.proposals):
                return
            both = there.model_copy(update={"proposals": (*there.proposals, proposal)})
            written = queue.intake.write_if_unchanged(key, both, etag)
        if written:
            return
    raise ServiceBusy("Others say something of the same text at this moment: try again.")
