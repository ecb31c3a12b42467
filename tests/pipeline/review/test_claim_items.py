"""Who gets which item of the queue, and for how long."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from flywheel.records.predictions import text_digest
from flywheel.records.review import (
    ITEMS,
    WAITING,
    ItemSource,
    ItemState,
    Lane,
    Place,
    Proposal,
    Verdict,
    WaitingItem,
)
from flywheel.review.queue import CLAIM_LASTS
from tests.pipeline.review.world import DORA, WORDS, World, between

A, B, C = WORDS[:3]


def test_the_smallest_margin_comes_first_and_everybody_gets_others() -> None:
    at = World()
    for place, text in enumerate(WORDS[:6]):
        at.add(text, margin=0.9 - place / 10)
    assert at.anna.claim_texts(2) == [WORDS[5], WORDS[4]]
    assert at.bert.claim_texts(2) == [WORDS[3], WORDS[2]]
    assert at.cara.claim_texts(9) == [WORDS[1], WORDS[0]]
    assert at.dora.claim_texts(9) == []
    at.check_pointers()


def test_lanes_come_in_their_order_and_one_of_ten_is_taken_at_random() -> None:
    at = World()
    at.add(WORDS[0], lane=Lane.PASSED)
    at.add(WORDS[1], lane=Lane.AUDIT)
    at.add(WORDS[2], lane=Lane.CONTRADICTED)
    for text in WORDS[3:]:
        at.add(text, lane=Lane.UNCERTAIN)
    at.add("feedback of somebody who uses the model", lane=Lane.FEEDBACK)
    items = at.anna.claim(10).items
    assert [item.lane for item in items] == [Lane.FEEDBACK, *[Lane.UNCERTAIN] * 8, Lane.AUDIT]
    assert [item.lane for item in at.bert.claim(10).items] == [Lane.UNCERTAIN, Lane.CONTRADICTED, Lane.PASSED]


def test_what_somebody_holds_is_given_to_them_again_first_and_is_renewed() -> None:
    at = World()
    for text in WORDS[:3]:
        at.add(text)
    first = at.anna.claim(2)
    at.later(10)
    again = at.anna.claim(2)
    assert (again.items, again.until) == (first.items, first.until)
    at.later(10)
    renewed = at.anna.claim(3)
    assert renewed.until == at.now + CLAIM_LASTS
    assert [item.text for item in renewed.items][:2] == [item.text for item in first.items]
    assert len(renewed.items) == 3
    at.check_pointers()


def test_what_expired_goes_back_and_its_holder_gets_it_again_if_nobody_else_did() -> None:
    at = World()
    at.add(A)
    at.anna.claim()
    at.later(31)
    assert at.anna.claim_texts() == [A]
    at.later(31)
    assert at.bert.claim_texts() == [A]
    assert at.item(A).lane is Lane.AGAIN
    assert at.anna.claim_texts() == []
    at.check_pointers()


def test_near_duplicates_come_once_at_a_time() -> None:
    at = World()
    for number in range(5):
        at.add(f"Dear sir, my order {number} has not arrived and nobody answers the telephone. Please help me soon!")
    at.add(A, margin=0.5)
    assert len(at.anna.claim(10).items) == 2
    assert len(at.anna.claim(10).items) == 2
    assert len(at.bert.claim(10).items) == 1
    assert len(at.bucket.first_page(WAITING)[0]) == 3


def test_how_many_wait_is_counted_without_those_that_somebody_has_seen() -> None:
    at = World()
    for text in WORDS[:4]:
        at.add(text)
    claimed = at.anna.claim(1)
    assert (claimed.waiting, claimed.more) == (3, False)
    at.anna.answer(claimed.items[0].text, verdict=Verdict.SKIP)
    assert at.anna.claim(0).waiting == 3
    assert at.bert.claim(0).waiting == 4


def test_how_many_somebody_answered_today() -> None:
    at = World()
    for text in WORDS[:3]:
        at.add(text)
    at.anna.claim(2)
    at.bert.claim(1)
    now, at.now = at.now, at.s3.list_objects_v2(Bucket=at.name)["Contents"][0]["LastModified"]
    at.anna.answer(WORDS[0], "SPORTS")
    at.bert.answer(at.bert.claim_texts()[0], "SPORTS")
    assert at.anna.claim(0).answered == 1
    at.later(24 * 60)
    assert at.anna.claim(0).answered == 0
    assert now < at.now


def test_a_text_that_comes_again_waits_no_second_time() -> None:
    at = World()
    at.add(A, margin=0.1)
    at.anna.claim()
    at.add(A, margin=0.1)
    at.add(A, margin=0.2)
    assert at.bert.claim_texts() == []
    # Of an item one place is met at a time.
    assert at.bert.claim_texts() == []
    at.anna.answer(A, "SPORTS")
    at.add(A, margin=0.1)
    assert at.bert.claim_texts() == []
    assert at.item(A).state is ItemState.ANSWERED
    at.check_pointers()


def test_a_proposal_joins_the_item_wherever_it_is() -> None:
    at = World()
    proposal = Proposal(by=DORA, at=at.now, labels=("BUSINESS",))
    at.add(A)
    at.anna.claim()
    at.add(A, lane=Lane.FEEDBACK, proposals=(proposal,))
    assert at.bert.claim_texts() == []
    assert at.item(A).proposals == (proposal,)
    assert at.anna.claim().items[0].proposals == (proposal,)
    at.check_pointers()


def test_a_proposal_of_something_else_opens_an_answered_item_again() -> None:
    at = World()
    at.add(A)
    at.anna.claim()
    at.anna.answer(A, "SPORTS")
    same = Proposal(by=DORA, at=at.now, labels=("SPORTS",))
    at.add(A, lane=Lane.FEEDBACK, proposals=(same,))
    assert at.bert.claim_texts() == []
    other = Proposal(by=DORA, at=at.now + timedelta(seconds=1), labels=("BUSINESS",))
    at.add(A, lane=Lane.FEEDBACK, proposals=(same, other))
    assert at.bert.claim_texts() == [A]
    item = at.item(A)
    assert (item.state, item.answers, [former.labels for former in item.former]) == (
        ItemState.CLAIMED,
        (),
        [("SPORTS",)],
    )
    at.check_pointers()


def test_nothing_of_a_text_stays_in_front_of_the_queue() -> None:
    """Delete markers would slow its listings down, and old versions would keep a text that was to go."""
    at = World()
    at.add(A)
    at.add(A)
    at.anna.claim()
    found = at.s3.list_object_versions(Bucket=at.name, Prefix=WAITING)
    assert "Versions" not in found
    assert "DeleteMarkers" not in found
    assert len(list(at.bucket.keys(ITEMS))) == 1


def test_a_place_that_cannot_be_read_keeps_nobody_from_the_others() -> None:
    at = World()
    at.bucket.write_text(at.add(A, margin=0.1).key, "{}")
    at.add(B, margin=0.5)
    assert at.anna.claim_texts(5) == [B]
    assert at.bert.claim_texts(5) == []


def test_a_text_that_utf8_cannot_hold_is_reviewed_all_the_same() -> None:
    at = World()
    at.add(f"{A} \ud800")
    (item,) = at.anna.claim().items
    assert item.text == f"{A} ?"
    assert at.anna.answer(item.text, "SPORTS") is ItemState.ANSWERED
    at.check_pointers()


def test_the_queue_is_emptied() -> None:
    at = World()
    assert at.anna.claim(5).items == ()
    at.add(A)
    at.anna.claim(5)
    at.anna.answer(A, "SPORTS")
    claimed = at.anna.claim(5)
    assert (claimed.items, claimed.waiting, claimed.more) == ((), 0, False)


def test_the_next_items_cost_the_same_however_many_wait() -> None:
    def requests(waiting: int) -> Counter[str]:
        at = World()
        for number in range(waiting):
            text = f"text {number}"
            item = WaitingItem(text=text, source=ItemSource.API, at=at.now)
            # No two of these hashes are near one another.
            similarity = int(text_digest(text)[:16], 16)
            place = Place(lane=Lane.UNCERTAIN, rank=number % 1000, similarity=similarity, item=item.id)
            at.bucket.write(place.key, item)
        with between(at.anna, -1, lambda: None) as made:
            assert len(at.anna.claim(5).items) == 5
        return Counter(made)

    few = requests(10)
    assert few == requests(500)
    assert few["ListObjectsV2"] == len(Lane) + 2, "one for each lane, one for claims, one for answers"
    assert few.total() == len(Lane) + 2 + 5 * 6
