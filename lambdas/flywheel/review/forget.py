"""Deletes a text from the queue, from answers and from kept predictions, for good: every version of it.

A step that read the text before, and was held up, may write it once more. Mostly it notices; what it leaves otherwise,
`forget_what_came_back` deletes.
"""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from flywheel.faults.errors import InvalidRecord
from flywheel.records.exclusions import DocumentId
from flywheel.records.predictions import PREDICTIONS, text_digest
from flywheel.records.review import (
    ANSWERED,
    BATCHES,
    CLAIMED,
    FORGOTTEN,
    WAITING,
    Batch,
    ForgottenText,
    Place,
    ReviewItem,
    WaitingItem,
    forgotten_key,
    item_key,
)
from flywheel.review.documents import document_ids
from flywheel.review.queue import REQUESTS_AT_ONCE, ReviewQueue

if TYPE_CHECKING:
    from flywheel.store.bucket import IntakeBucket

_PASSES = 5
_ID = re.compile(r"(?:\d{8}-)?([0-9a-f]{32})")


@dataclass(frozen=True, kw_only=True)
class Forgotten:
    item: str
    objects: int
    """Objects of the queue that were deleted."""
    predictions: int
    """Kept predictions that were."""
    text_digest: int | None
    """By which documents with the text are found (`records.parts`); None if it is not known any more."""
    documents: frozenset[DocumentId]
    """That reviewers made of it."""
    batches: tuple[str, ...]
    """With which these were published."""


def item_of(text_or_id: str) -> str:
    """The item's id, of an item's or a prediction's id, or of a text."""
    match = _ID.fullmatch(text_or_id.strip())
    return match[1] if match else text_digest(text_or_id)


def forget(queue: ReviewQueue, text_or_id: str, *, now: datetime) -> Forgotten:
    """Run again, it deletes what is left. A text that arrives again is a new one."""
    intake, item = queue.intake, item_of(text_or_id)
    intake.write(forgotten_key(item), ForgottenText(at=now))
    text = None if _ID.fullmatch(text_or_id.strip()) else text_or_id
    if text is None:
        record = intake.read(item_key(item), ReviewItem)
        text = record.text if record is not None else None
    published = {
        batch.id: (int(each.document[0], 16), int(each.document[1], 16))
        for batch in intake.read_each(intake.keys(BATCHES), Batch)
        for each in batch.items
        if each.item == item and each.document
    }
    objects = predictions = 0
    for _ in range(_PASSES):
        # Somebody may take the item at this moment, and write its text once more.
        pointers = [key for folder in (WAITING, CLAIMED, ANSWERED) for key in intake.keys(folder) if item in key]
        days = [f"{PREDICTIONS}{day}/{item}.json" for day in intake.folders(PREDICTIONS)]
        with ThreadPoolExecutor(REQUESTS_AT_ONCE) as pool:
            deleted = sum(map(bool, pool.map(intake.delete_versions, [*pointers, item_key(item)])))
            of_predictions = sum(map(bool, pool.map(intake.delete_versions, days)))
        objects, predictions = objects + deleted, predictions + of_predictions
        if not deleted + of_predictions and not pointers:
            # A pointer that was there and is gone leads to a record that may have been written since.
            break
    digest = next((text for text, _ in published.values()), None)
    return Forgotten(
        item=item,
        objects=objects,
        predictions=predictions,
        text_digest=digest if digest is not None or text is None else _digest_of(queue, text),
        documents=frozenset(published.values()),
        batches=tuple(published),
    )


def forget_what_came_back(intake: IntakeBucket) -> int:
    """Delete forgotten texts that were written since by whoever had read them before; how many objects had one."""
    keys = {key.removeprefix(FORGOTTEN).removesuffix(".json"): key for key in intake.keys(FORGOTTEN)}
    if not keys:
        return 0
    found = sum(_delete_if_older(intake, item_key(item), ReviewItem, forgotten=key) for item, key in keys.items())
    for key in intake.keys(WAITING):
        place = Place.of_key(key)
        if place is not None and place.item in keys:
            found += _delete_if_older(intake, key, WaitingItem, forgotten=keys[place.item])
    return found


def _delete_if_older(intake: IntakeBucket, key: str, kind: type[WaitingItem], *, forgotten: str) -> bool:
    """Delete an object that has the text from before it was `forgotten`, by the record at that key; whether it had."""
    try:
        found = intake.read_with_version(key, kind)
    except InvalidRecord:
        # Whoever takes it next says so.
        return False
    if found is None:
        return False
    there, version = found
    if there.at > intake.require(forgotten, ForgottenText).at:
        return False
    intake.delete_versions(key, before=version)
    return True


def _digest_of(queue: ReviewQueue, text: str) -> int | None:
    """None of a text that can be in no dataset."""
    kind, task = queue.kind, queue.task
    # A document without a label, if there may be such, has the same text as one with any.
    for labels in (task.labels[:0], task.labels[:1]):
        try:
            line = kind.upload_line(text, labels, {})
        except ValueError:
            # An entity type is no entity. A recognizer's documents may have none.
            continue
        (found,) = document_ids([line], kind=kind, task=task)
        if found is not None:
            return found[0]
    return None
