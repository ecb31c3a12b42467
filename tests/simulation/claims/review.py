"""Claims about the review queue."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from flywheel.comprehend.model_kind import ModelType, Task
from flywheel.model_kinds import kind_of
from flywheel.records.exclusions import EXCLUDED_DOCUMENTS
from flywheel.records.predictions import PREDICTIONS, text_digest
from flywheel.records.review import (
    ANSWERED,
    BATCHES,
    CLAIMED,
    ITEMS,
    WAITING,
    Batch,
    ReviewItem,
    WaitingItem,
    batch_upload_key,
    item_key,
)
from flywheel.records.uploads import Split
from flywheel.review.documents import document_ids
from flywheel.review.queue import AGREED, pointer_key
from tests.simulation.acts.truth import truth
from tests.simulation.claims import records
from tests.simulation.claims.broken import require
from tests.simulation.schedule.documents import Document, File

if TYPE_CHECKING:
    from tests.simulation.simulation import Situation


_CLOCKS = 60.0
"""By so many seconds two clocks may differ, at most."""


def nobody_answers_an_item_twice(situation: Situation) -> None:
    """In no version of its record."""
    for version in situation.world.s3.versions(situation.app.intake, ITEMS):
        if not version.is_marker:
            item = ReviewItem.model_validate_json(version.body)
            by = [answer.by for answer in item.answers]
            require(len(by) == len(set(by)), f"{version.key} has two answers of one person: {sorted(by)}")


def no_answer_is_lost(situation: Situation) -> None:
    """What a reviewer was told to be taken stands in the item's record, unless somebody took it back."""
    heard = situation.people.heard
    forgotten = heard.forgotten_items
    for (item_id, by), (verdict, labels) in heard.answered.items():
        if by in heard.withdrawn or item_id in forgotten or (item_id, by) in heard.at_once:
            continue
        item = records.read(situation, item_key(item_id), ReviewItem)
        require(item is not None, f"item {item_id} is gone, which {by} answered")
        assert item is not None
        all_answers = (*item.answers, *(answer for former in item.former for answer in former.answers))
        given = [answer for answer in all_answers if answer.by == by]
        require(
            any((answer.verdict, frozenset(answer.labels)) == (verdict, labels) for answer in given),
            f"item {item_id} lacks the answer of {by}, {verdict} {sorted(labels)}: it has {given}",
        )


def no_proposal_is_lost(situation: Situation) -> None:
    """What somebody was told to be taken waits for reviewers, or stands in the item's record."""
    heard, intake = situation.people.heard, situation.app.intake
    forgotten = heard.forgotten_items
    waiting = [item for _, item in records.read_all(situation, WAITING, WaitingItem, ending="")]
    for (item_id, by), labels in heard.proposed.items():
        if by in heard.withdrawn or item_id in forgotten:
            continue
        record = records.read(situation, item_key(item_id), ReviewItem)
        places = [*(one for one in waiting if one.id == item_id), *([record] if record is not None else [])]
        said = {(each.by, frozenset(each.labels)) for place in places for each in place.proposals}
        require((by, labels) in said, f"{by} proposed {sorted(labels)} for item {item_id}: {intake} has {said}")


def no_item_is_lost_between_lanes(situation: Situation) -> None:
    """Whoever has to do something about it finds something that leads to it."""
    world, intake = situation.world, situation.app.intake
    pointers = [key for folder in (WAITING, CLAIMED, ANSWERED) for key in world.s3.keys(intake, folder)]
    for key, item in records.read_all(situation, ITEMS, ReviewItem):
        if pointer_key(item) is not None:
            require(any(item.id in pointer for pointer in pointers), f"nothing leads to {key}, which is {item.state}")


def what_was_agreed_on_is_published_once(situation: Situation) -> None:
    """In one batch, and again only after it was reviewed again; the batch's uploads were never another time others."""
    world, intake = situation.world, situation.app.intake
    batches = [batch for _, batch in records.read_all(situation, BATCHES, Batch) if batch.uploaded]
    having: dict[str, list[str]] = defaultdict(list)
    forgotten = situation.people.heard.forgotten_items
    for batch in batches:
        for split in Split:
            lines = {each.item: sorted(each.labels) for each in batch.items if each.split is split}
            key = batch_upload_key(split, batch.id)
            written = [one for one in world.s3.versions(intake, key) if not one.is_marker]
            require(bool(written) or not lines, f"batch {batch.id} has {len(lines)} documents, and no {key}")
            for version in written:
                found = {line["item"]: sorted(_labels(line)) for line in map(json.loads, version.body.splitlines())}
                # Killed after the upload; a text is forgotten; the function that finishes the batch leaves it out.
                found = {item: labels for item, labels in found.items() if item in lines or item not in forgotten}
                require(found == lines, f"{key} does not have what batch {batch.id} says")
        for each in batch.items:
            having[each.item].append(batch.id)
    for _, item in records.read_all(situation, ITEMS, ReviewItem):
        if item.id in forgotten:
            # What came after it is another item, with the same id.
            continue
        published = [batch for batch in (*(one.batch for one in item.former), item.batch) if batch is not None]
        require(
            sorted(having.get(item.id, [])) == sorted(published),
            f"item {item.id} was published with {published}, the batches {having.get(item.id)} have it",
        )
        # Whoever was killed in the middle has left a pointer behind that the next reviewer puts right.
        half_done = any(item.id in key for folder in (WAITING, CLAIMED) for key in world.s3.keys(intake, folder))
        waits = item.batch is None and item.state in AGREED and not _may_wait(situation, item)
        require(not waits or half_done, f"item {item.id} is {item.state}, not published")


def _may_wait(situation: Situation, item: ReviewItem) -> bool:
    """Too few for a file wait for ReviewPublishDays, and then for the schedule; or until somebody asks for them."""
    days = max(map(int, situation.app.ever["flywheel/ReviewPublishDays"]))
    newest = max(answer.at for answer in item.answers)
    asked = max(at for at, act in situation.people.done if act.kind == "look after the pipeline")
    now = datetime.fromtimestamp(situation.world.kernel.now, tz=UTC)
    return newest.timestamp() > asked - _CLOCKS and now - newest < timedelta(days=days, hours=7)


def what_is_forgotten_is_gone(situation: Situation) -> None:
    """Every version of it, unless it came again, or a function had it that was still at work."""
    heard = situation.people.heard
    for text, (began, ended) in heard.forgotten.items():
        if heard.sent[text] >= began:
            continue
        digest = text_digest(text)
        for prefix in (WAITING, ITEMS, PREDICTIONS):
            for version in situation.world.s3.versions(situation.app.intake, prefix):
                require(
                    version.is_marker or digest not in version.key,
                    f"{version.key} is there, written at {version.modified}, forgotten at {ended:.0f}",
                )


def published_files(situation: Situation) -> list[File]:
    """The uploads that were made of answers, for the claims on documents."""
    found = []
    world, intake, kind = situation.world, situation.app.intake, situation.plan.kind
    for _, batch in records.read_all(situation, BATCHES, Batch):
        for key in batch.keys:
            for version in world.s3.versions(intake, key)[-1:]:
                lines = map(json.loads, version.body.splitlines())
                documents = tuple(Document(text=line["text"], labels=truth(line["text"], kind=kind)) for line in lines)
                split, _, name = key.partition("/")
                found.append(File(split=split, name=name, content=version.body, documents=documents))
    return found


def is_excluded(situation: Situation, text: str) -> bool:
    """Whether a document with this text, and whatever labels, is."""
    plan = situation.plan
    recognizer = plan.kind == "ENTITIES"
    kind = kind_of(ModelType.ENTITY_RECOGNIZER if recognizer else ModelType.DOCUMENT_CLASSIFIER)
    task = Task(labels=plan.labels, multi_label=plan.kind == "MULTI_LABEL")
    (found,) = document_ids([kind.upload_line(text, truth(text, kind=plan.kind), {})], kind=kind, task=task)
    if found is None:
        return False
    return bool(situation.world.s3.keys(situation.app.intake, f"{EXCLUDED_DOCUMENTS}{found[0]:016x}"))


def _labels(line: dict[str, Any]) -> list[str]:
    if "entities" in line:
        return [f"{each['begin']}:{each['end']}:{each['type']}" for each in line["entities"]]
    return list(line["labels"])
