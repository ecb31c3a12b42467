"""Answers, and what follows from them."""

from __future__ import annotations

import pytest

from flywheel.comprehend.model_kind import Task
from flywheel.entity_recognition import ENTITY_RECOGNITION
from flywheel.records.predictions import text_digest
from flywheel.records.review import ANSWERED, ITEMS, ItemState, Lane, Verdict, item_key
from flywheel.review.errors import ClaimLost, InvalidAnswer, ItemGone, Published
from tests.pipeline.review.world import WORDS, World

A, B = WORDS[:2]


def test_an_answer_is_agreed_on_and_waits_to_be_published() -> None:
    at = World()
    at.add(A)
    at.anna.claim()
    assert at.anna.answer(A, "BUSINESS") is ItemState.ANSWERED
    assert at.agreed() == {A: ("BUSINESS",)}
    assert [key.startswith(ANSWERED) for key in at.pointers()] == [True]
    assert at.bert.claim_texts() == []


def test_the_same_answer_again_is_no_error_and_another_one_replaces_it() -> None:
    at = World()
    at.add(A)
    at.anna.claim()
    at.anna.answer(A, "BUSINESS")
    before = at.item(A)
    at.later(1)
    assert at.anna.answer(A, "BUSINESS") is ItemState.ANSWERED
    assert at.item(A) == before
    at.anna.answer(A, "SPORTS")
    assert at.agreed() == {A: ("SPORTS",)}
    at.check_pointers()


def test_an_answer_after_its_time_is_taken_as_long_as_nobody_else_has_the_item() -> None:
    at = World()
    at.add(A)
    at.add(B, margin=0.5)
    at.anna.claim(2)
    at.later(31)
    assert at.anna.answer(A, "BUSINESS") is ItemState.ANSWERED
    at.check_pointers()
    # It is in the queue again.
    at.bert.claim(0)
    at.later(1)
    assert at.item(B).state is ItemState.WAITING
    at.anna.answer(B, "SPORTS")
    at.check_pointers()
    assert at.bert.claim_texts(5) == []


def test_an_answer_to_what_somebody_else_has_is_refused() -> None:
    at = World()
    at.add(A)
    at.anna.claim()
    at.later(31)
    assert at.bert.claim_texts() == [A]
    with pytest.raises(ClaimLost):
        at.anna.answer(A, "BUSINESS")
    at.bert.answer(A, "SPORTS")
    with pytest.raises(ClaimLost):
        at.anna.answer(A, "BUSINESS")
    assert at.agreed() == {A: ("SPORTS",)}


def test_an_answer_is_taken_back_and_its_item_is_held_again() -> None:
    at = World()
    at.add(A)
    at.anna.claim()
    at.anna.answer(A, "BUSINESS")
    assert at.anna.undo(A).state is ItemState.CLAIMED
    assert at.anna.undo(A).answers == ()
    at.check_pointers()
    assert at.bert.claim_texts() == []
    assert at.anna.claim_texts() == [A]
    at.anna.answer(A, "SPORTS")
    assert at.agreed() == {A: ("SPORTS",)}


def test_what_was_skipped_is_taken_back() -> None:
    at = World()
    at.add(A)
    at.anna.claim()
    at.anna.answer(A, verdict=Verdict.SKIP)
    at.anna.undo(A)
    at.check_pointers()
    assert at.bert.claim_texts() == []


def test_what_somebody_else_has_or_what_is_published_is_not_taken_back() -> None:
    at = World(reviewers_per_item=2)
    at.add(A)
    at.anna.claim()
    at.anna.answer(A, "BUSINESS")
    at.bert.claim()
    with pytest.raises(ClaimLost):
        at.anna.undo(A)
    with pytest.raises(ClaimLost):
        at.cara.undo(A)
    at.bert.answer(A, "BUSINESS")
    item = at.item(A)
    at.bucket.write(item_key(item.id), item.model_copy(update={"batch": "a-batch"}))
    with pytest.raises(Published):
        at.anna.undo(A)
    with pytest.raises(Published):
        at.anna.answer(A, "SPORTS")
    assert at.anna.answer(A, "BUSINESS") is ItemState.ANSWERED


def test_two_who_agree() -> None:
    at = World(reviewers_per_item=2)
    at.add(A)
    at.anna.claim()
    assert at.anna.answer(A, "BUSINESS") is ItemState.WAITING
    at.check_pointers()
    assert at.anna.claim_texts() == []
    assert at.bert.claim().items[0].lane is Lane.AGAIN
    assert at.bert.answer(A, "BUSINESS") is ItemState.ANSWERED
    at.check_pointers()


def test_two_who_disagree_and_a_third_who_decides() -> None:
    at = World(reviewers_per_item=2)
    at.add(A)
    at.anna.claim()
    at.anna.answer(A, "BUSINESS")
    at.bert.claim()
    assert at.bert.answer(A, "SPORTS") is ItemState.WAITING
    assert at.anna.claim_texts() == at.bert.claim_texts() == []
    item = at.cara.claim().items[0]
    assert (item.lane, [answer.labels for answer in item.answers]) == (Lane.ADJUDICATE, [("BUSINESS",), ("SPORTS",)])
    assert at.cara.answer(A, "SPORTS") is ItemState.ADJUDICATED
    assert at.agreed() == {A: ("SPORTS",)}
    with pytest.raises(ClaimLost):
        at.anna.undo(A)
    at.cara.answer(A, "BUSINESS")
    assert at.agreed() == {A: ("BUSINESS",)}
    at.check_pointers()


def test_one_of_two_who_disagree_changes_their_mind() -> None:
    at = World(reviewers_per_item=2)
    at.add(A)
    at.anna.claim()
    at.anna.answer(A, "BUSINESS")
    at.bert.claim()
    at.bert.answer(A, "SPORTS")
    assert at.anna.answer(A, "SPORTS") is ItemState.ANSWERED
    at.check_pointers()
    assert at.cara.claim_texts() == []


def test_three_of_whom_two_agree() -> None:
    at = World(reviewers_per_item=3)
    at.add(A)
    for person, label in ((at.anna, "SPORTS"), (at.bert, "BUSINESS"), (at.cara, "SPORTS")):
        assert person.claim_texts() == [A]
        person.answer(A, label)
    assert at.agreed() == {A: ("SPORTS",)}
    assert at.item(A).state is ItemState.ANSWERED
    at.check_pointers()


def test_three_who_all_disagree_and_a_fourth_who_decides() -> None:
    at = World(reviewers_per_item=3, task=Task(labels=("A", "B", "C")))
    at.add(A)
    for person, label in ((at.anna, "A"), (at.bert, "B"), (at.cara, "C")):
        assert person.claim_texts() == [A]
        person.answer(A, label)
    assert at.dora.claim_texts() == [A]
    assert at.dora.answer(A, "C") is ItemState.ADJUDICATED
    at.check_pointers()


def test_labels_in_another_order_are_the_same_answer() -> None:
    at = World(reviewers_per_item=2, task=Task(labels=("A", "B", "C"), multi_label=True))
    at.add(A)
    at.anna.claim()
    at.anna.answer(A, "A", "C")
    at.bert.claim()
    assert at.bert.answer(A, "C", "A", "A") is ItemState.ANSWERED


def test_what_three_people_pass_on_is_left_alone() -> None:
    at = World()
    at.add(A)
    states = []
    for person, verdict in ((at.anna, Verdict.SKIP), (at.bert, Verdict.NOT_SURE), (at.cara, Verdict.SKIP)):
        assert person.claim_texts() == [A]
        states.append(person.answer(A, verdict=verdict))
        assert person.claim_texts() == []
    assert states == [ItemState.WAITING, ItemState.WAITING, ItemState.SKIPPED]
    assert at.pointers() == []
    assert at.dora.claim_texts() == []


def test_what_one_passes_on_comes_last_and_another_answers() -> None:
    at = World()
    at.add(A, margin=0.1)
    at.add(B, margin=0.9)
    at.anna.claim()
    at.anna.answer(A, verdict=Verdict.NOT_SURE)
    assert at.bert.claim_texts(2) == [B, A]
    assert at.bert.answer(A, "SPORTS") is ItemState.ANSWERED
    assert at.item(A).labels == ("SPORTS",)


def test_an_item_that_is_gone() -> None:
    at = World()
    at.add(A)
    at.anna.claim()
    at.bucket.delete_versions(item_key(text_digest(A)))
    with pytest.raises(ItemGone):
        at.anna.answer(A, "SPORTS")
    assert at.anna.claim_texts() == []
    assert at.pointers() == []
    assert list(at.bucket.keys(ITEMS)) == []


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (("CHESS",), '"CHESS" is not one of'),
        ((), "label is empty"),
        (("SPORTS", "BUSINESS"), "has 2 labels"),
    ],
)
def test_labels_that_the_flywheel_cannot_learn(labels: tuple[str, ...], words: str) -> None:
    at = World()
    at.add(A)
    at.anna.claim()
    with pytest.raises(InvalidAnswer, match=words):
        at.anna.answer(A, *labels)
    with pytest.raises(InvalidAnswer, match="takes no labels"):
        at.anna.answer(A, "SPORTS", verdict=Verdict.SKIP)
    assert at.item(A).answers == ()


TEXT = "Ann \U0001f600 met Bo\u0308b."


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (("0:3:PLACE", "0:2:CITY"), '"CITY" is not one of'),
        (("0:4:PERSON", "2:5:PLACE"), "overlap"),
        (("0:99:PERSON",), "outside"),
        (("-1:2:PERSON",), "outside"),
        (("2:2:PERSON",), "not after its beginning"),
        (("3:4:PERSON",), "nothing but white space"),
        (("PERSON",), "such as 0:5:PERSON"),
    ],
)
def test_entities_that_the_flywheel_cannot_learn(labels: tuple[str, ...], words: str) -> None:
    at = World(kind=ENTITY_RECOGNITION, task=Task(labels=("PERSON", "PLACE")))
    at.add(TEXT, suggested=None)
    at.anna.claim()
    with pytest.raises(InvalidAnswer, match=words):
        at.anna.answer(TEXT, *labels)


def test_entities_and_none_at_all() -> None:
    at = World(kind=ENTITY_RECOGNITION, task=Task(labels=("PERSON", "PLACE")))
    at.add(TEXT, suggested=None)
    at.add(A, suggested=None)
    at.anna.claim(2)
    assert at.anna.answer(TEXT, "10:14:PERSON", "0:3:PERSON") is ItemState.ANSWERED
    assert at.anna.answer(A) is ItemState.ANSWERED
    assert at.agreed() == {TEXT: ("10:14:PERSON", "0:3:PERSON"), A: ()}
