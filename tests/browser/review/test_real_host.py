"""The page with the host of `flywheel review` and the queue behind it, over the simulation."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from flywheel.comprehend.model_kind import Task
from flywheel.document_classification import DOCUMENT_CLASSIFICATION
from flywheel.records.predictions import ScoredEntity, Suggestion
from flywheel.records.review import GUIDELINES_KEY, ItemState, Lane
from flywheel.review.answer_item import answer
from flywheel.review.claim_items import claim
from flywheel.review.queue import ReviewQueue
from ops.server.review_routes import review_routes
from ops.server.security import Door
from tests.browser.conftest import View
from tests.browser.console.conftest import served
from tests.browser.review.test_answers import saved, shown
from tests.pipeline.deployed import Deployment
from tests.pipeline.entities.documents import TYPES
from tests.pipeline.entities.test_turns import people
from tests.pipeline.ops.server.test_review_routes import World, suggestion
from tests.pipeline.review.world import WORDS

NewView = Callable[..., View]
pytestmark = pytest.mark.usefixtures("simulated")


def _open(new_view: NewView, door: Door) -> View:
    view = new_view(width=1280, height=800)
    view.page.goto(door.address("review"))
    view.page.wait_for_selector("main.item")
    return view


def test_a_reviewers_morning(new_view: NewView) -> None:
    """Labels, undo, skip, reload, guidelines, and a queue that ends."""
    world = World(Deployment())
    world.at.bucket.write_text(GUIDELINES_KEY, "# Topics\n\nChoose **one**. <script>alert(1)</script>")
    items = {text: world.add(text, suggestion()) for text in WORDS}
    with served(review_routes(world.deployed, now=lambda: world.now)) as door:
        view = _open(new_view, door)
        assert view.page.inner_text("#progress") == "0 of 12"
        assert "#token" not in view.page.url
        first = shown(view)
        view.page.keyboard.press("1")
        saved(view)
        assert world.item(items[first]).labels == ("BUSINESS",)
        view.page.keyboard.press("u")
        saved(view)
        assert shown(view) == first
        assert world.item(items[first]).state is ItemState.CLAIMED
        view.page.keyboard.press("2")
        skipped = shown(view)
        view.page.keyboard.press("s")
        saved(view)
        view.page.reload()
        view.page.wait_for_selector("main.item")
        view.page.keyboard.press("h")
        view.page.wait_for_selector("dialog strong:has-text('one')")
        assert "<script>" in view.page.inner_text("dialog .guidelines")
        view.page.keyboard.press("Escape")
        view.page.wait_for_selector("dialog", state="hidden")
        for _ in range(10):
            text = shown(view)
            view.page.keyboard.press("Enter")
            # A key that comes before the next text is there would be about the one before.
            view.page.wait_for_function("text => document.querySelector('.text')?.innerText !== text", arg=text)
            saved(view)
        view.page.wait_for_selector("main.calm h2:has-text('Nothing waits for you')")
        states = {text: world.item(item).state for text, item in items.items()}
        assert states.pop(skipped) is ItemState.WAITING
        assert set(states.values()) == {ItemState.ANSWERED}
        assert {address.split("/")[2] for address in view.requests} == {door.host}
        assert view.complaints == []


@pytest.mark.parametrize("words", ["Zoe\u0308", "\U0001f680 Ltd"])
def test_marks_arrive_with_their_offsets(new_view: NewView, words: str) -> None:
    world = World(people())
    text = f"\U0001f600 at \r\n{words} in Oslo"
    begin = text.index("Oslo")
    found = ScoredEntity(type=TYPES[0], begin=begin, end=begin + 4, score=0.4)
    model = Suggestion(
        labels=(f"{begin}:{begin + 4}:{TYPES[0]}",), entities=(found,), confidence=0.4, margin=0.1, model_arn=None
    )
    item = world.add(text, model, Lane.UNCERTAIN)
    with served(review_routes(world.deployed, now=lambda: world.now)) as door:
        view = _open(new_view, door)
        assert view.page.inner_text("mark") == "Oslo"
        for key in ("Escape", "ArrowRight", "ArrowRight", "ArrowRight"):
            view.page.keyboard.press(key)
        if " " in words:
            view.page.keyboard.press("Shift+ArrowRight")
        view.page.keyboard.press("2")
        view.page.keyboard.press("Enter")
        saved(view)
    labels = world.item(item).labels or ()
    marked = {text[int(at) : int(to)]: type_ for at, to, type_ in (label.split(":", 2) for label in labels)}
    assert marked == {words: TYPES[1], "Oslo": TYPES[0]}


def test_a_claim_that_ended_while_its_owner_read_is_told(new_view: NewView) -> None:
    world = World(Deployment())
    item = world.add(WORDS[0], suggestion())
    task = Task(labels=world.deployed.labels)
    queue = ReviewQueue(intake=world.at.bucket, kind=DOCUMENT_CLASSIFICATION, task=task, reviewers_per_item=1)
    bob = "arn:aws:iam::111122223333:user/bob"
    with served(review_routes(world.deployed, now=lambda: world.now)) as door:
        view = _open(new_view, door)
        assert claim(queue, by=bob, count=1, now=world.now).items == ()
        world.now += timedelta(hours=1)
        assert [found.id for found in claim(queue, by=bob, count=1, now=world.now).items] == [item]
        answer(queue, item=item, by=bob, now=world.now, labels=("SPORTS",))
        view.page.keyboard.press("1")
        view.page.wait_for_selector("[role=alert] p:has-text('was not taken: Somebody else has this item')")
    assert world.item(item).labels == ("SPORTS",)
