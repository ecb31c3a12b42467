"""What reviewers agreed on becomes uploads."""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest

from flywheel.comprehend.model_kind import ModelKind, Task
from flywheel.document_classification import DOCUMENT_CLASSIFICATION
from flywheel.entity_recognition import ENTITY_RECOGNITION
from flywheel.preparation import SourceFile, UploadOptions
from flywheel.records.exclusions import DocumentId, read_exclusions
from flywheel.records.predictions import text_digest
from flywheel.records.review import (
    ANSWERED,
    BATCHES,
    ITEMS,
    OPEN_BATCHES,
    UNPUBLISHED_KEY,
    WAITING,
    Batch,
    ItemSource,
    ItemState,
    Lane,
    Proposal,
    Unpublished,
    WaitingItem,
    batch_key,
    forgotten_key,
    split_of_text,
)
from flywheel.records.uploads import Split
from flywheel.review.add_item import add
from flywheel.review.errors import ReviewError
from flywheel.review.forget import forget, forget_what_came_back
from flywheel.review.propose import Taken, Trust, propose
from flywheel.review.withdraw_reviewer import find_reviewer, withdraw_reviewer
from tests.pipeline.review.world import ANNA, BERT, DORA, WORDS, Person, World, between

A, B, C = WORDS[:3]
PARTS = 3
"""Kills are a few tests, so that processes can share them."""


def document_of(batch: Batch) -> DocumentId:
    """Of its only item."""
    text, labels = batch.items[0].document or ("", "")
    return int(text, 16), int(labels, 16)


def answered(at: World, texts: tuple[str, ...] = WORDS, label: str = "SPORTS", person: Person | None = None) -> None:
    person = person or at.anna
    for text in texts:
        at.add(text)
    while items := person.claim(10).items:
        for item in items:
            person.answer(item.text, label)


def lines(at: World) -> list[dict[str, object]]:
    keys = [key for split in Split for key in at.bucket.keys(f"{split}/review/")]
    return [json.loads(line) for key in keys for line in at.bucket.read_bytes(key).decode().splitlines()]


def test_answers_wait_until_a_label_has_enough_or_the_oldest_waited_for_long_or_somebody_asks() -> None:
    at = World()
    answered(at, WORDS[:2])
    assert at.publish() == ()
    state = at.bucket.require(UNPUBLISHED_KEY, Unpublished)
    assert (state.answers, state.minimum, state.published_from) == (2, 5, at.now + timedelta(days=7))
    assert at.publish(asked=True)[0].by == "tests"
    assert at.publish(asked=True) == ()
    assert at.bucket.require(UNPUBLISHED_KEY, Unpublished).answers == 0
    answered(at, WORDS[2:3])
    at.later(7 * 24 * 60)
    assert len(at.publish()[0].items) == 1
    answered(at, WORDS[3:])
    assert len(at.publish()[0].items) == len(WORDS) - 3
    at.check_pointers()


def test_an_upload_says_what_the_answers_were_and_from_whom() -> None:
    at = World()
    answered(at)
    (batch,) = at.publish()
    found = {str(line["text"]): line for line in lines(at)}
    assert set(found) == set(WORDS)
    assert found[A] == {"text": A, "labels": ["SPORTS"], "item": text_digest(A), "reviewers": [ANNA], "model": None}
    for key in batch.keys:
        for line in at.bucket.read_bytes(key).decode().splitlines():
            split = split_of_text(json.loads(line)["item"], test_percent=20)
            assert key.startswith(f"{split}/review/")
    assert {each.split for each in batch.items} == set(Split)
    assert list(at.bucket.keys(OPEN_BATCHES)) == []
    assert at.bucket.require(batch_key(batch.id), Batch) == batch
    assert all(item.batch == batch.id for item in at.items())


def test_a_fifth_of_all_texts_becomes_test_data_for_ever() -> None:
    ids = [text_digest(str(number)) for number in range(5000)]
    test = [each for each in ids if split_of_text(each, test_percent=20) is Split.TEST]
    assert 900 < len(test) < 1100
    assert all(split_of_text(each, test_percent=30) is Split.TEST for each in test)
    assert not any(split_of_text(each, test_percent=0) is Split.TEST for each in ids)


@pytest.mark.parametrize("part", range(PARTS))
def test_killed_anywhere_and_run_again_each_answer_is_published_once(part: int) -> None:
    for changes in itertools.count(part, PARTS):
        at = World()
        answered(at, WORDS[:5])
        queue = at.bert.queue
        struck = at.bert.killed_after(changes, lambda: at.publish(asked=True, queue=queue))  # noqa: B023 - at once
        at.publish(asked=True)
        at.publish(asked=True)
        assert sorted(str(line["text"]) for line in lines(at)) == sorted(WORDS[:5])
        at.check_pointers()
        batches = [batch for batch in at.bucket.read_all(at.bucket.keys(BATCHES), Batch) if batch.uploaded]
        assert sorted(each.item for batch in batches for each in batch.items) == sorted(map(text_digest, WORDS[:5]))
        if not struck:
            assert changes > 15, "it was hardly killed"
            return


@pytest.mark.parametrize("other", ["undone", "answered otherwise", "published too", "forgotten"])
def test_somebody_else_acts_at_any_moment(other: str) -> None:
    acts: dict[str, Callable[[World], object]] = {
        "undone": lambda at: _unless_published(lambda: at.anna.undo(A)),
        "answered otherwise": lambda at: _unless_published(lambda: at.anna.answer(A, "BUSINESS")),
        "published too": lambda at: at.publish(asked=True),
        "forgotten": lambda at: forget(at.queue, A, now=at.now),
    }
    for place in itertools.count(0, 3):
        at = World()
        answered(at, WORDS[:3])
        with between(at.bert, place, lambda: acts[other](at)) as requests:  # noqa: B023 - it is called at once
            at.publish(asked=True, queue=at.bert.queue)
        at.anna.claim(1)
        if other == "undone" and at.item(A).state is ItemState.CLAIMED:
            at.anna.answer(A, "SPORTS")
        at.publish(asked=True)
        found = {str(line["text"]): line["labels"] for line in lines(at)}
        if other != "forgotten":
            assert len(lines(at)) == 3
            assert found == {item.text: list(item.labels or ()) for item in at.items()}, f"at request {place}"
        at.check_pointers()
        if len(requests) <= place:
            assert place > 10
            return


def _unless_published(act: Callable[[], object]) -> None:
    try:
        act()
    except ReviewError:
        return


def test_answers_with_labels_that_the_flywheel_lost_go_back_to_reviewers() -> None:
    at = World()
    answered(at, WORDS[:2], label="SPORTS")
    answered(at, WORDS[2:3], label="BUSINESS")
    at.task = Task(labels=("BUSINESS", "SCIENCE"))
    (batch,) = at.publish(asked=True)
    assert [each.item for each in batch.items] == [text_digest(C)]
    item = at.anna.claim(1).items[0]
    assert (item.lane, item.answers) == (Lane.AGAIN, ())
    assert "SPORTS, which the flywheel lacks now" in str(item.note)
    assert at.anna.answer(item.text, "SCIENCE") is ItemState.ANSWERED
    at.check_pointers()


def test_a_text_that_cannot_be_a_document_holds_nothing_up() -> None:
    at = World(kind=ENTITY_RECOGNITION, task=Task(labels=("PERSON",)))
    for text in (A, "long " * 1500):
        at.add(text, suggested=None)
    for item in at.anna.claim(2).items:
        item = item.model_copy(update={"state": ItemState.ANSWERED, "labels": (), "claim": None})
        at.bucket.write(f"review/items/{item.id}.json", item)
    at.anna.claim(2)
    (batch,) = at.publish(asked=True)
    assert [each.item for each in batch.items] == [text_digest(A)]
    assert at.item("long " * 1500).state is ItemState.SKIPPED
    at.check_pointers()


@pytest.mark.parametrize(
    ("kind", "task", "labels"),
    [
        (DOCUMENT_CLASSIFICATION, Task(labels=("A, b", 'c "d"')), [("A, b",), ('c "d"',)]),
        (DOCUMENT_CLASSIFICATION, Task(labels=("A", "B"), multi_label=True), [("A", "B"), ("B",)]),
        (ENTITY_RECOGNITION, Task(labels=("PER", "LOC")), [("0:3:PER", "4:9:LOC"), ()]),
    ],
)
def test_what_is_uploaded_is_prepared_without_a_bad_line(
    kind: ModelKind, task: Task, labels: list[tuple[str, ...]]
) -> None:
    at = World(kind=kind, task=task)
    texts = ["a \U0001f600b \u202e\x07 <script>", '  two\r\nlines, "quoted" \u00e9e\u0301 ']
    for text, answer in zip(texts, labels, strict=True):
        at.add(text, suggested=None)
        assert at.anna.claim_texts() == [text]
        at.anna.answer(text, *answer)
    (batch,) = at.publish(asked=True)
    for key in batch.keys:
        content = at.bucket.read_bytes(key)
        prepared = kind.prepare(
            files=[SourceFile("a.jsonl", len(content), partial(io.BytesIO, content))],
            name="a.jsonl",
            sink=io.BytesIO(),
            hashes=io.BytesIO(),
            label_hashes=io.BytesIO(),
            bad_lines=io.BytesIO(),
            task=task,
            delimiter="|",
            options=UploadOptions(),
        )
        assert prepared.accepted
        assert prepared.bad_lines == {}
        assert prepared.documents == content.count(b"\n")


def test_what_was_published_and_is_answered_otherwise_replaces_the_former_document() -> None:
    at = World()
    answered(at, (A,), label="SPORTS")
    (first,) = at.publish(asked=True)
    for label, proposer in (("BUSINESS", DORA), ("SPORTS", BERT)):
        at.later(1)
        proposal = Proposal(by=proposer, at=at.now, labels=(label,))
        at.add(A, lane=Lane.FEEDBACK, proposals=(proposal,))
        at.anna.claim()
        at.anna.answer(A, label)
        at.publish(asked=True)
        excluded = read_exclusions(at.bucket).documents
        assert len(excluded) == 1
        assert (document_of(first) in excluded) is (label == "BUSINESS")
    at.check_pointers()


def test_a_label_error_is_corrected_where_the_document_is() -> None:
    at = World()
    item = WaitingItem(
        text=A,
        source=ItemSource.TEST_DATA,
        proposals=(Proposal(by="test/a.csv", at=at.now, labels=("SPORTS",)),),
        at=at.now,
    )
    add(item, lane=Lane.CONTRADICTED, rank=0, intake=at.bucket)
    at.anna.claim()
    at.anna.answer(A, "BUSINESS")
    (batch,) = at.publish(asked=True)
    assert batch.items[0].split is Split.TEST
    assert len(read_exclusions(at.bucket).documents) == 1


def test_feedback_waits_for_review_beside_that_of_others() -> None:
    at = World()
    for by, label in ((DORA, "SPORTS"), (BERT, "BUSINESS"), (DORA, "SPORTS")):
        at.later(1)
        assert propose(at.queue, text=A, labels=(label,), by=by, now=at.now) is Taken.WAITS_FOR_REVIEW
    (item,) = at.anna.claim(5).items
    assert [(each.by, each.labels) for each in item.proposals] == [(DORA, ("SPORTS",)), (BERT, ("BUSINESS",))]


def test_trusted_feedback_is_an_answer_unless_somebody_reviews_it() -> None:
    at = World(reviewers_per_item=2)
    at.add(A)
    for _ in range(2):
        assert propose(at.queue, text=A, labels=("SPORTS",), by=DORA, now=at.now, trust=Trust.ACCEPT) is Taken.ACCEPTED
    assert at.anna.claim_texts() == []
    assert at.agreed() == {A: ("SPORTS",)}
    at.check_pointers()
    at.add(B)
    at.anna.claim()
    waits = propose(at.queue, text=B, labels=("SPORTS",), by=DORA, now=at.now, trust=Trust.ACCEPT)
    assert waits is Taken.WAITS_FOR_REVIEW
    at.bert.claim()
    assert [each.by for each in at.item(B).proposals] == [DORA]


@pytest.mark.parametrize("trust", Trust)
def test_feedback_that_is_killed_and_said_again(trust: Trust) -> None:
    for changes in itertools.count():
        at = World()
        at.add(A)

        def say() -> None:
            queue = at.dora.queue  # noqa: B023 - it is called at once
            propose(queue, text=A, labels=("SPORTS",), by=DORA, now=at.now, trust=trust)  # noqa: B023 - as above

        struck = at.dora.killed_after(changes, say)
        say()
        at.check_found()
        assert at.anna.claim_texts() == ([] if trust is Trust.ACCEPT else [A])
        if not struck:
            return


def test_a_reviewer_is_withdrawn() -> None:
    at = World(reviewers_per_item=2)
    answered(at, WORDS[:2], person=at.anna)
    for text in WORDS[:2]:
        at.bert.claim(5)
        at.bert.answer(text, "SPORTS")
    (batch,) = at.publish(asked=True)
    answered(at, WORDS[2:4], person=at.anna)
    at.bert.claim(5)
    at.bert.answer(WORDS[2], "SPORTS")
    assert find_reviewer(at.queue, "anna") == find_reviewer(at.queue, ANNA) == {ANNA}
    assert find_reviewer(at.queue, "nobody") == frozenset()
    found = withdraw_reviewer(at.queue, by=ANNA)
    assert found.items == 2
    assert found.documents == {
        (int(each.document[0], 16), int(each.document[1], 16)) for each in batch.items if each.document
    }
    assert len(found.documents) == 2
    assert all(answer.by != ANNA for item in at.items() if item.batch is None for answer in item.answers)
    assert list(at.bucket.keys(ANSWERED)) == []
    assert sorted(at.cara.claim_texts(5)) == [WORDS[2]]
    assert withdraw_reviewer(at.queue, by=ANNA).items == 0
    at.check_found()


@pytest.mark.parametrize("by_id", [False, True])
def test_a_text_is_forgotten_wherever_it_is(by_id: bool) -> None:
    at = World()
    for text in WORDS[:4]:
        at.add(text)
    at.add(A, lane=Lane.FEEDBACK)
    at.anna.claim(4)
    at.anna.answer(A, "SPORTS")
    at.anna.answer(B, "SPORTS")
    at.publish(asked=True)
    at.anna.answer(C, "SPORTS")
    for day in ("2026-03-01", "2026-03-02"):
        for text in WORDS[:4]:
            at.bucket.write_text(f"predictions/{day}/{text_digest(text)}.json", text)
    for text in WORDS[:4]:
        found = forget(at.queue, f"20260301-{text_digest(text)}" if by_id else text, now=at.now)
        assert (found.predictions, bool(found.documents)) == (2, text in {A, B})
        assert found.text_digest is not None
        if found.documents:
            assert {found.text_digest} == {each for each, _ in found.documents}
    versions = at.s3.list_object_versions(Bucket=at.name)
    left = {version["Key"].split("/")[0] for version in versions.get("Versions", [])}
    assert left <= {"review", "train", "test"}
    assert [key for key in at.bucket.keys("review/") if text_digest(A) in key] == [forgotten_key(text_digest(A))]
    assert at.items() == []
    assert at.anna.claim(5).items == ()


def test_what_a_step_that_was_held_up_writes_of_a_forgotten_text_goes() -> None:
    """The place and the record that it read before; what arrives afterwards is a new text."""
    at = World()
    for text in (A, B, C):
        at.add(text)
    at.anna.claim(1)
    held = {key: at.bucket.read_bytes(key) for folder in (ITEMS, WAITING) for key in at.bucket.keys(folder)}
    at.later(1)
    for text in (A, B):
        forget(at.queue, text, now=at.now)
    assert not at.stored(A)
    assert not at.stored(B)
    for key, content in held.items():
        at.bucket.write_bytes(key, content)
    at.later(1)
    at.add(B, lane=Lane.FEEDBACK)
    assert forget_what_came_back(at.bucket) == 2
    assert forget_what_came_back(at.bucket) == 0
    assert not at.stored(A)
    assert sorted(at.anna.claim_texts(3)) == sorted([B, C])


def test_a_text_that_no_dataset_can_have_is_forgotten() -> None:
    at = World(kind=ENTITY_RECOGNITION, task=Task(labels=("PERSON", "PLACE")))
    at.add(" ", suggested=None)
    assert forget(at.queue, " ", now=at.now).text_digest is None
    assert not list(at.bucket.keys(WAITING))
