"""Takes a reviewer's answer, and takes it back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from flywheel.records.review import ItemState, ReviewAnswer, ReviewItem, Verdict
from flywheel.review.documents import check_answer
from flywheel.review.errors import ClaimLost, InvalidAnswer, Published
from flywheel.review.queue import AGREED, ReviewQueue, claim_of, decided, held_by_another


def answer(
    queue: ReviewQueue,
    *,
    item: str,
    by: str,
    now: datetime,
    verdict: Verdict = Verdict.ANSWER,
    labels: Sequence[str] = (),
) -> ReviewItem:
    """The item as it is then. The same answer again changes nothing; another one replaces it until it is published.

    An answer that comes after its claim expired is taken as long as nobody else has the item. Raises InvalidAnswer,
    ItemGone, ClaimLost, Published.
    """
    labels = tuple(dict.fromkeys(labels))
    if verdict is not Verdict.ANSWER and labels:
        raise InvalidAnswer(f"The verdict {verdict} takes no labels: leave them out, or answer with {Verdict.ANSWER}.")
    if verdict is Verdict.ANSWER:
        check_answer(queue.read(item).text, labels, kind=queue.kind, task=queue.task)
    new = ReviewAnswer(by=by, at=now, verdict=verdict, labels=labels)

    def edit(item: ReviewItem) -> ReviewItem:
        former = item.answer_of(by)
        if former is not None and (former.verdict, frozenset(former.labels)) == (verdict, frozenset(labels)):
            return item
        if item.batch is not None:
            raise Published
        held = held_by_another(item, by, now=now)
        if former is None and (held or item.state in AGREED):
            raise ClaimLost("Somebody else has this item, or has answered it, because your time for it was over.")
        answers = tuple(new if each is former else each for each in item.answers)
        answers = answers if former is not None else (*answers, new)
        item = item.model_copy(update={"answers": answers, "note": None})
        return item if held else decided(item, reviewers_per_item=queue.reviewers_per_item)

    return queue.change(item, edit)


def undo(queue: ReviewQueue, *, item: str, by: str, now: datetime) -> ReviewItem:
    """Take a reviewer's answer back: they hold the item again. Raises ItemGone, ClaimLost, Published."""

    def edit(item: ReviewItem) -> ReviewItem:
        former = item.answer_of(by)
        if former is None and item.claim is not None and item.claim.by == by:
            return item
        if item.batch is not None:
            raise Published
        if former is None or held_by_another(item, by, now=now):
            raise ClaimLost("Somebody else has this item: your answer to it cannot be taken back here.")
        if item.state is ItemState.ADJUDICATED and former is not item.answers[-1]:
            raise ClaimLost("Somebody else has decided on this item, because its reviewers did not agree.")
        # No pointer has the key that the former claim's had.
        claim = claim_of(by, now=max(now, former.at + timedelta(seconds=1)))
        return item.model_copy(
            update={
                "answers": tuple(each for each in item.answers if each is not former),
                "labels": None,
                "state": ItemState.CLAIMED,
                "claim": claim,
            }
        )

    return queue.change(item, edit)
