"""Two reviewers at once, and steps that are killed: one goes on at each request of the other."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from flywheel.records.review import Lane, Proposal, Verdict
from flywheel.review.errors import ReviewError
from flywheel.review.forget import forget
from tests.pipeline.review.world import BERT, DORA, WORDS, Person, World, between

A, B, C = WORDS[:3]
Act = Callable[[World, Person], Any]


def claimed(at: World, person: Person) -> None:
    person.claim(2)


def answered(at: World, person: Person) -> None:
    with contextlib.suppress(ReviewError):
        person.answer(A, "SPORTS")


def answered_otherwise(at: World, person: Person) -> None:
    with contextlib.suppress(ReviewError):
        person.answer(A, "BUSINESS")


def skipped(at: World, person: Person) -> None:
    with contextlib.suppress(ReviewError):
        person.answer(A, verdict=Verdict.SKIP)


def undone(at: World, person: Person) -> None:
    with contextlib.suppress(ReviewError):
        person.undo(A)


def fresh(at: World) -> None:
    at.add(A)
    at.add(B, margin=0.5)


def held(at: World) -> None:
    fresh(at)
    at.anna.claim(2)


def expired(at: World) -> None:
    held(at)
    at.later(31)


def half_over(at: World) -> None:
    held(at)
    at.later(20)


def done(at: World) -> None:
    held(at)
    at.anna.answer(A, "SPORTS")


def disputed(at: World) -> None:
    fresh(at)
    at.cara.claim(2)
    at.cara.answer(A, "BUSINESS")
    at.dora.claim()
    at.dora.answer(A, "SPORTS")
    at.cara.answer(B, "BUSINESS")
    at.anna.claim(1)


def proposed_again(at: World) -> None:
    done(at)
    at.add(A, lane=Lane.FEEDBACK, proposals=(Proposal(by=DORA, at=at.now, labels=("BUSINESS",)),))


ACTS: dict[str, tuple[Callable[[World], None], Act]] = {
    "claim": (fresh, claimed),
    "renew": (half_over, claimed),
    "claim what expired": (expired, claimed),
    "claim what is proposed again": (proposed_again, claimed),
    "answer": (held, answered),
    "answer late": (expired, answered),
    "answer otherwise": (done, answered_otherwise),
    "skip": (held, skipped),
    "undo": (done, undone),
    "decide": (disputed, answered),
}


WITH_TWO = {"answer late", "decide", "skip", "undo"}
"""Those are tried with two reviewers for each item."""
ALONE = ("decide", 1)
"""Nobody disagrees."""


@pytest.mark.parametrize(
    ("name", "reviewers_per_item"), [(name, number) for name in ACTS for number in (1, 2) if (name, number) != ALONE]
)
def test_killed_anywhere_and_done_again_it_is_as_if_nothing_had_happened(name: str, reviewers_per_item: int) -> None:
    begin, act = ACTS[name]
    straight = World(reviewers_per_item=reviewers_per_item)
    begin(straight)
    act(straight, straight.anna)
    for changes in itertools.count():
        at = World(reviewers_per_item=reviewers_per_item)
        begin(at)
        struck = at.anna.killed_after(changes, lambda: act(at, at.anna))  # noqa: B023 - it is called at once
        at.check_found()
        if not struck:
            assert changes > 1, "it was hardly killed"
            return
        act(at, at.anna)
        at.check_found()
        assert summary(at) == summary(straight), f"killed after {changes} changes"


@pytest.mark.parametrize("name", ACTS)
def test_killed_anywhere_others_go_on(name: str) -> None:
    """Nothing is lost: whatever the kill left behind, others finish all items."""
    begin, act = ACTS[name]
    reviewers_per_item = 2 if name in WITH_TWO else 1
    for changes in itertools.count():
        at = World(reviewers_per_item=reviewers_per_item)
        begin(at)
        struck = at.anna.killed_after(changes, lambda: act(at, at.anna))  # noqa: B023 - it is called at once
        if not struck:
            return
        finish(at)


@pytest.mark.parametrize("mine", ACTS)
@pytest.mark.parametrize("theirs", [claimed, answered_otherwise], ids=lambda act: act.__name__)
def test_another_reviewer_acts_at_any_moment(mine: str, theirs: Act) -> None:
    begin, act = ACTS[mine]
    reviewers_per_item = 2 if mine in WITH_TWO else 1
    # Every second request, because of the time that it takes.
    for place in itertools.count(len(mine) % 2, 2):
        at = World(reviewers_per_item=reviewers_per_item)
        begin(at)
        with between(at.anna, place, lambda: theirs(at, at.bert)) as requests:  # noqa: B023 - it is called at once
            act(at, at.anna)
        at.check_found()
        for item in at.items():
            assert len({answer.by for answer in item.answers}) == len(item.answers) <= reviewers_per_item + 1
        if reviewers_per_item == 1 and mine == "claim" and theirs is claimed:
            check_nobody_has_what_another_has(at)
        finish(at)
        if len(requests) <= place:
            assert place > 3
            return


def test_the_same_reviewer_answers_in_another_window_at_any_moment() -> None:
    for place in itertools.count():
        at = World()
        fresh(at)
        window = replace(at.bert, by=at.anna.by)
        taken: list[str] = []
        with between(at.anna, place, lambda: taken.extend(_take_and_answer(window))) as requests:  # noqa: B023 - it is called at once
            at.anna.claim(2)
        assert set(taken) <= set(at.agreed()), f"answered before request {place}: {requests[place:]}"
        at.check_found()
        if len(requests) <= place:
            assert place > 3
            return


def _take_and_answer(person: Person) -> list[str]:
    texts = person.claim_texts(2)
    for text in texts:
        person.answer(text, "SPORTS")
    return texts


@pytest.mark.parametrize("mine", ACTS)
def test_a_text_that_is_forgotten_at_any_moment_is_gone(mine: str) -> None:
    begin, act = ACTS[mine]
    for place in itertools.count():
        at = World(reviewers_per_item=2 if mine in WITH_TWO else 1)
        begin(at)
        with (
            between(at.anna, place, lambda: forget(at.queue, A, now=at.now)) as requests,  # noqa: B023 - it is called at once
            contextlib.suppress(ReviewError),
        ):
            act(at, at.anna)
        if len(requests) <= place:
            return
        assert A not in [text for item in at.items() for text in (item.text,)], f"forgotten before request {place}"
        assert not at.stored(A), f"forgotten before request {place}: {requests[place:]}"


def check_nobody_has_what_another_has(at: World) -> None:
    anna, bert = (
        {item.text for item in at.items() if item.claim is not None and item.claim.by == by}
        for by in (at.anna.by, BERT)
    )
    assert not anna & bert
    assert anna | bert == {A, B}


def summary(at: World) -> list[tuple[Any, ...]]:
    return sorted(
        (
            item.text,
            item.state,
            item.lane,
            item.labels,
            item.claim.by if item.claim else "",
            tuple((answer.by, answer.labels, answer.verdict) for answer in item.answers),
            tuple(former.labels for former in item.former),
        )
        for item in at.items()
    )


def finish(at: World) -> None:
    """Hours later, fresh people answer all that there is."""
    at.publish()
    for hour in range(4):
        at.later(60)
        person = at.person(f"arn:aws:iam::111122223333:user/late-{hour}")
        for item in person.claim(10).items:
            person.answer(item.text, "SPORTS")
    assert set(at.agreed()) == {A, B}
    at.check_found()
