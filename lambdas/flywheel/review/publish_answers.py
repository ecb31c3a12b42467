"""Publishes what reviewers agreed on: as uploads, that then go the way of all uploads."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from flywheel.faults.errors import InvalidRecord
from flywheel.records.exclusions import Exclusion, excluded_document_key
from flywheel.records.review import (
    ANSWERED,
    OPEN_BATCHES,
    UNPUBLISHED_KEY,
    Batch,
    BatchItem,
    ItemSource,
    ItemState,
    Lane,
    ReviewItem,
    Unpublished,
    Verdict,
    batch_key,
    batch_upload_key,
    item_of_answered,
    open_batch_key,
    split_of_text,
)
from flywheel.records.uploads import Split
from flywheel.review.documents import document_ids
from flywheel.review.errors import ItemGone
from flywheel.review.queue import AGREED, REQUESTS_AT_ONCE, Pointer, ReviewQueue, pointer_key, reopened

MOST_ITEMS = 5_000
MOST_CHARACTERS = 20_000_000
"""Of a batch, which is held in memory. What is left goes with the next one."""
_OF_DATA = {ItemSource.TEST_DATA: Split.TEST, ItemSource.TRAINING_DATA: Split.TRAIN}


@dataclass(frozen=True, kw_only=True)
class Publishing:
    """When answers are published, and as what."""

    minimum_per_label: int
    """They are as soon as a label of the training documents has so many."""
    longest: timedelta
    """They are when the oldest waits for so long."""
    test_percent: float


def publish_answers(
    queue: ReviewQueue, rules: Publishing, *, by: str, now: datetime, asked: bool = False
) -> tuple[Batch, ...]:
    """The batches that were published: those that an earlier run did not finish, and a new one if it is time for it,
    or if somebody asked for it.

    Answers that the flywheel cannot learn, because its labels changed since, go back into the queue.
    """
    unfinished = [key.removeprefix(OPEN_BATCHES) for key in queue.intake.keys(OPEN_BATCHES)]
    batches = [finish_batch(queue, batch) for batch in unfinished]
    new = _new_batch(queue, rules, by=by, now=now, asked=asked)
    if new is not None:
        # Nothing points at a batch before it is there, and a batch is nothing before something points at it.
        queue.intake.write_once(batch_key(new.id), new)
        queue.intake.write(open_batch_key(new.id), Pointer())
        batches.append(finish_batch(queue, new.id))
    return tuple(batch for batch in batches if batch and batch.items)


def is_time_to_look(queue: ReviewQueue, rules: Publishing) -> bool:
    """Whether enough answers wait that it is worth to read them all, which not every answer is."""
    waiting = sum(1 for _ in queue.intake.keys(ANSWERED))
    return waiting >= rules.minimum_per_label and waiting % max(1, rules.minimum_per_label // 5) == 0


def finish_batch(queue: ReviewQueue, batch_id: str) -> Batch | None:
    """Give its items to the batch that still can be, upload them, and say so. None if there is no such batch."""
    batch = queue.intake.read(batch_key(batch_id), Batch)
    if batch is not None and not batch.uploaded:
        with ThreadPoolExecutor(REQUESTS_AT_ONCE) as pool:
            found = list(pool.map(lambda each: _give(queue, each, batch_id), batch.items))
        pairs = [(each, item) for each, item in zip(batch.items, found, strict=True) if item is not None]
        _upload(queue, batch, pairs)
        batch = batch.model_copy(update={"items": tuple(each for each, _ in pairs), "uploaded": True})
        queue.intake.write(batch_key(batch_id), batch)
    queue.intake.delete_versions(open_batch_key(batch_id))
    return batch


def _new_batch(queue: ReviewQueue, rules: Publishing, *, by: str, now: datetime, asked: bool) -> Batch | None:
    items = list(_agreed(queue))
    documents = document_ids(
        [_line(queue, item, item.labels or ()) for item in items], kind=queue.kind, task=queue.task
    )
    taken = tuple(
        BatchItem(
            item=item.id,
            split=_OF_DATA.get(item.source) or split_of_text(item.id, test_percent=rules.test_percent),
            labels=item.labels or (),
            by=_who_agreed(item),
            model_arn=item.suggestion.model_arn if item.suggestion else None,
            document=(f"{document[0]:016x}", f"{document[1]:016x}"),
        )
        for item, document in zip(items, documents, strict=True)
        if document is not None
    )
    for item, document in zip(items, documents, strict=True):
        if document is None:
            _send_back(queue, item)
    training = Counter(
        queue.kind.label_of(label) for each in taken if each.split is Split.TRAIN for label in each.labels
    )
    oldest = min((answer.at for item in items for answer in item.answers), default=None)
    due = oldest is not None and oldest + rules.longest <= now
    enough = max(training.values(), default=0) >= rules.minimum_per_label
    published = bool(taken) and (asked or due or enough)
    queue.intake.write(
        UNPUBLISHED_KEY,
        Unpublished(
            at=now,
            answers=0 if published else len(taken),
            labels={} if published else dict(training.most_common()),
            minimum=rules.minimum_per_label,
            oldest=None if published else oldest,
            published_from=None if published or oldest is None else oldest + rules.longest,
        ),
    )
    if not published:
        return None
    return Batch(id=_batch_id(items, now=now), by=by, at=now, items=taken)


def _batch_id(items: Iterable[ReviewItem], *, now: datetime) -> str:
    """The same for the same answers, so that two who publish them at once write one batch; another one when an item
    that was published is answered again, also in the same way."""
    answers = sorted((item.id, len(item.former), sorted(item.labels or ())) for item in items)
    return f"{now:%Y%m%d}-{hashlib.sha256(json.dumps(answers).encode()).hexdigest()[:16]}"


def _agreed(queue: ReviewQueue) -> Iterator[ReviewItem]:
    """Items that are agreed on and not published. Pointers that are out of date are put right."""
    characters = count = 0
    keys = iter(queue.intake.keys(ANSWERED))
    with ThreadPoolExecutor(REQUESTS_AT_ONCE) as pool:
        while some := list(islice(keys, REQUESTS_AT_ONCE)):
            for item in pool.map(lambda key: _of_pointer(queue, key), some):
                if item is None:
                    continue
                yield item
                count += 1
                characters += len(item.text)
            if count >= MOST_ITEMS or characters >= MOST_CHARACTERS:
                return


def _of_pointer(queue: ReviewQueue, key: str) -> ReviewItem | None:
    parsed = item_of_answered(key)
    if parsed is None:
        return None
    try:
        item = queue.read(parsed[0])
        if pointer_key(item) != key:
            queue.change(item.id, lambda item: item, met={key: None})
            return None
    except ItemGone:
        queue.intake.delete_versions(key)
        return None
    except InvalidRecord:
        # It holds up no other answer.
        return None
    return item


def _send_back(queue: ReviewQueue, item: ReviewItem) -> None:
    """What no dataset would take: because of its labels to other reviewers, because of its text to nobody."""
    missing = {queue.kind.label_of(label) for label in item.labels or ()} - set(queue.task.labels)
    words = ", ".join(sorted(missing))

    def edit(now: ReviewItem) -> ReviewItem:
        if now.state not in AGREED or now.batch is not None or now.labels != item.labels:
            return now
        if missing:
            back = reopened(now, lane=Lane.AGAIN, note=f"It was answered with {words}, which the flywheel lacks now.")
            return back.model_copy(update={"state": ItemState.WAITING})
        return now.model_copy(update={"state": ItemState.SKIPPED, "note": "Its text cannot be a document."})

    try:
        queue.change(item.id, edit)
    except ItemGone:
        return


def _give(queue: ReviewQueue, each: BatchItem, batch: str) -> ReviewItem | None:
    """The item, if it is in this batch."""

    def edit(item: ReviewItem) -> ReviewItem:
        as_written = frozenset(item.labels or ()) == frozenset(each.labels)
        free = item.state in AGREED and item.batch is None and as_written
        return item.model_copy(update={"batch": batch}) if free else item

    try:
        item = queue.change(each.item, edit)
    except ItemGone:
        return None
    return item if batch in {item.batch, *(former.batch for former in item.former)} else None


def _upload(queue: ReviewQueue, batch: Batch, pairs: Sequence[tuple[BatchItem, ReviewItem]]) -> None:
    """Run again, it writes the same."""
    _supersede(queue, batch, pairs)
    for split in Split:
        lines = [_line(queue, item, each.labels, each) for each, item in pairs if each.split is split]
        if lines:
            queue.intake.write_text(
                batch_upload_key(split, batch.id), "".join(lines), content_type="application/x-ndjson; charset=utf-8"
            )


def _supersede(queue: ReviewQueue, batch: Batch, pairs: Sequence[tuple[BatchItem, ReviewItem]]) -> None:
    """Exclude documents with labels that reviewers found to be wrong, and take back an exclusion of what they say
    now."""
    wrong: list[str] = []
    right: list[str] = []
    for each, item in pairs:
        former = [former.labels or () for former in item.former if former.batch not in {None, batch.id}]
        if item.source in _OF_DATA:
            former += [proposal.labels for proposal in item.proposals]
        for labels in former:
            same = frozenset(labels) == frozenset(each.labels)
            (right if same else wrong).append(_line(queue, item, labels))
    record = Exclusion(reason=f"Reviewers say something else, in batch {batch.id}.", by=batch.by, at=batch.at)
    for document in document_ids(wrong, kind=queue.kind, task=queue.task):
        if document is not None:
            queue.intake.write_once(excluded_document_key(document), record)
    found = document_ids(right, kind=queue.kind, task=queue.task)
    queue.intake.delete(excluded_document_key(document) for document in found if document is not None)


def _line(queue: ReviewQueue, item: ReviewItem, labels: Sequence[str], each: BatchItem | None = None) -> str:
    members = {"item": item.id, "reviewers": each.by, "model": each.model_arn} if each else {}
    return queue.kind.upload_line(item.text, labels, members)


def _who_agreed(item: ReviewItem) -> tuple[str, ...]:
    agreed = frozenset(item.labels or ())
    return tuple(
        answer.by for answer in item.answers if answer.verdict is Verdict.ANSWER and frozenset(answer.labels) == agreed
    )
