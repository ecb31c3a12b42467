"""Deleting a text on request."""

from __future__ import annotations

from datetime import UTC, datetime

from flywheel.review.forget import forget as forget_in_queue
from flywheel.store.record import Record
from ops.deployment.published import Deployment
from ops.verbs.exclude import documents_with, exclude_documents
from ops.verbs.review_queue import review_queue

REASON = "Its text was to be forgotten."


class Forgotten(Record):
    """What became of a text."""

    item: str
    deleted: int
    """Objects of the review queue: places, the item with its answers, pointers to it."""
    predictions: int
    """Kept predictions that were deleted."""
    excluded: int = 0
    """Documents that no later dataset and no later generation has."""
    waiting: int = 0
    """Documents of these that wait for a dataset."""
    in_datasets: dict[str, int] = {}
    """By dataset of the present generation: how many of these it has and keeps."""
    batches: tuple[str, ...] = ()
    """Uploads of answers that the text was in."""
    text_known: bool = True
    """False if only the id was given, and the text is nowhere in the queue any more: then documents that came by other
    uploads were not looked for."""


def forget(deployment: Deployment, text_or_id: str, *, now: datetime | None = None) -> Forgotten:
    """Delete a text from the queue, from answers and kept predictions, and exclude the documents that have it.

    `text_or_id` is the text itself, or the id of an item or of a prediction. Run again, it goes on. Whoever does it
    needs to be an operator and a reviewer.
    """
    now = now or datetime.now(UTC)
    found = forget_in_queue(review_queue(deployment), text_or_id, now=now)
    documents = set(found.documents)
    if found.text_digest is not None:
        documents |= documents_with(deployment, found.text_digest)
    change = exclude_documents(deployment, documents, reason=REASON, now=now)
    return Forgotten(
        item=found.item,
        deleted=found.objects,
        predictions=found.predictions,
        excluded=change.documents,
        waiting=change.waiting,
        in_datasets=change.in_datasets,
        batches=found.batches,
        text_known=found.text_digest is not None,
    )
