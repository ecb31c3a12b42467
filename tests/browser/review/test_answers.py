"""A classifier's items: every key, its control, and undo."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import View
from tests.browser.review.conftest import Open
from tests.browser.review.host import Host
from tests.browser.review.samples import HEADLINES, LABELS, headlines


def shown(view: View) -> str:
    return view.page.inner_text(".text")


def answers(host: Host) -> list[Any]:
    """What was said, in order, without whose item it was about."""
    return [body for _, body in host.sent("PUT")]


def given(*labels: str) -> dict[str, Any]:
    return {"verdict": "ANSWER", "labels": [*labels]}


def saved(view: View) -> None:
    view.page.wait_for_selector(".state.good:has-text('saved')")


def test_a_number_gives_a_label_and_the_next_text_is_there(open_review: Open) -> None:
    host = Host(headlines())
    view = open_review(host)
    for number, label in enumerate(LABELS, 1):
        assert shown(view) == HEADLINES[number - 1]
        view.page.keyboard.press(str(number))
        assert shown(view) == HEADLINES[number]
        assert view.page.inner_text(".last strong") == label
    saved(view)
    assert answers(host) == [given(label) for label in LABELS]
    assert [path for path, _ in host.sent("PUT")] == [f"answers/{item['id']}" for item in host.items[:4]]
    assert view.page.title() == "4 of 6 \u00b7 Review of news-flywheel"


def test_enter_accepts_what_the_model_said(open_review: Open) -> None:
    host = Host(headlines())
    view = open_review(host)
    suggested = view.page.locator(".choice.suggested")
    assert suggested.inner_text().split() == ["1", "BUSINESS", "suggested", "41", "%", "Enter"]
    for _ in range(4):
        view.page.keyboard.press("Enter")
    saved(view)
    assert answers(host) == [given(label) for label in ("BUSINESS", "BUSINESS", "SCI_TECH", "SPORTS")]


@pytest.mark.parametrize(("key", "verdict"), [("s", "SKIP"), ("?", "NOT_SURE")])
def test_a_text_can_be_left_to_others(open_review: Open, key: str, verdict: str) -> None:
    host = Host(headlines())
    view = open_review(host)
    view.page.keyboard.press(key)
    assert shown(view) == HEADLINES[1]
    saved(view)
    assert answers(host) == [{"verdict": verdict}]
    assert view.page.inner_text("#progress") == "0 of 5"


def test_undo_goes_back_over_any_number_of_items(open_review: Open) -> None:
    host = Host(headlines(30))
    view = open_review(host)
    for number, key in enumerate(("4", "s", "2", "?", *"1" * 12)):
        view.page.wait_for_selector("main.item")
        assert shown(view) == HEADLINES[number % 6]
        view.page.keyboard.press(key)
    saved(view)
    assert len(host.answers) == 16
    for back in range(15, -1, -1):
        view.page.keyboard.press("u")
        assert shown(view) == HEADLINES[back % 6]
    # What was said before is suggested now.
    assert view.page.inner_text(".choice.suggested .name") == "WORLD"
    assert view.page.inner_text(".deciding [role=status]") == "Taken back: WORLD"
    saved(view)
    assert host.answers == {}
    assert view.page.is_disabled("button:has-text('Undo')")
    view.page.keyboard.press("u")
    assert view.page.inner_text(".deciding [role=status]") == "There is no answer to take back."
    view.page.keyboard.press("Enter")
    saved(view)
    assert host.answers == {host.items[0]["id"]: given("WORLD")}


def test_an_answer_that_was_not_sent_is_taken_back_without_the_host(open_review: Open) -> None:
    host = Host(headlines())
    view = open_review(host)
    host.hold()
    view.page.keyboard.press("1")
    view.page.keyboard.press("2")
    view.page.keyboard.press("u")
    view.page.keyboard.press("3")
    host.release()
    saved(view)
    assert host.sent("DELETE") == []
    assert answers(host) == [given("BUSINESS"), given("SPORTS")]


def test_an_answer_that_may_have_arrived_is_taken_back_by_the_host(open_review: Open) -> None:
    host = Host(headlines())
    view = open_review(host)
    host.hold()
    view.page.keyboard.press("1")
    view.page.keyboard.press("u")
    view.page.keyboard.press("2")
    host.release()
    saved(view)
    assert [call[:2] for call in host.calls if call[0] in {"PUT", "DELETE"}] == [
        (method, f"answers/{host.items[0]['id']}") for method in ("PUT", "DELETE", "PUT")
    ]
    assert host.answers == {host.items[0]["id"]: given("SCI_TECH")}


@pytest.mark.parametrize("keys", ["Control+s", "Alt+1", "Meta+Enter", "Control+u", "Shift+U"])
def test_with_a_modifier_keys_are_no_commands(open_review: Open, keys: str) -> None:
    host = Host(headlines())
    view = open_review(host)
    view.page.keyboard.press("1")
    view.page.keyboard.press(keys)
    assert shown(view) == HEADLINES[1]
    saved(view)
    assert len(host.calls) == 3


def test_a_key_that_is_held_answers_once(open_review: Open) -> None:
    host = Host(headlines())
    view = open_review(host)
    for key in ("1", "Enter", "u", "s"):
        view.page.keyboard.down(key)
        view.page.keyboard.down(key)
        view.page.keyboard.down(key)
        view.page.keyboard.up(key)
    saved(view)
    # Once 1, once Enter, once back, once skipped.
    assert shown(view) == HEADLINES[2]


def test_caps_lock_changes_nothing(open_review: Open) -> None:
    view = open_review(Host(headlines()))
    view.page.evaluate(
        "document.dispatchEvent(new KeyboardEvent('keydown', {key: 'S', modifierCapsLock: true, bubbles: true}))"
    )
    view.page.wait_for_function(f"document.querySelector('.text').innerText === {HEADLINES[1]!r}")


def test_every_key_has_a_control(open_review: Open) -> None:
    """By mouse; the same buttons serve touch, Tab and screen readers."""
    host = Host(headlines())
    view = open_review(host)
    page = view.page
    page.click("button:has-text('SPORTS')")
    page.click("button:has-text('Skip')")
    page.click("button:has-text('Not sure')")
    page.click("button:has-text('Undo')")
    assert shown(view) == HEADLINES[2]
    page.click("button:has-text('Guidelines')")
    assert page.inner_text("dialog .guidelines") == "What is news\n\nChoose the first topic."
    page.click("dialog button:has-text('Close')")
    page.click("header button:has-text('Keys')")
    page.click("dialog button:has-text('Close')")
    expect(page.locator("dialog")).to_have_count(0)
    saved(view)
    assert answers(host) == [given("SPORTS"), {"verdict": "SKIP"}, {"verdict": "NOT_SURE"}]
    shortcuts = view.evaluate("[...document.querySelectorAll('[aria-keyshortcuts]')].map(one => one.ariaKeyShortcuts)")
    assert shortcuts == ["h", "k", "1", "2", "3", "4", "s", "?", "u"]


def test_after_a_click_enter_accepts_the_next_suggestion(open_review: Open) -> None:
    """The focus does not stay at the label that was clicked: Enter would give it to a text that nobody read."""
    host = Host(headlines())
    view = open_review(host)
    view.page.click("button:has-text('WORLD')")
    assert view.evaluate("document.activeElement.id") == "reason"
    view.page.keyboard.press("Enter")
    saved(view)
    assert answers(host) == [given("WORLD"), given("BUSINESS")]


def test_tab_and_enter_press_what_has_the_focus(open_review: Open) -> None:
    host = Host(headlines())
    view = open_review(host)
    for _ in range(2):
        view.page.keyboard.press("Tab")
    assert view.evaluate("document.activeElement.textContent").startswith("2SCI_TECH")
    outline = view.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    view.page.keyboard.press("Enter")
    saved(view)
    assert answers(host) == [given("SCI_TECH")]


@pytest.mark.parametrize(("key", "title"), [("h", "Guidelines"), ("k", "Keys")])
def test_a_dialog_takes_all_keys_and_escape_closes_it(open_review: Open, key: str, title: str) -> None:
    host = Host(headlines())
    view = open_review(host)
    view.page.keyboard.press(key)
    view.page.wait_for_selector(f"dialog[open]:has-text('{title}')")
    view.page.keyboard.press("1")
    view.page.keyboard.press("s")
    view.page.keyboard.press("Escape")
    view.page.wait_for_selector("dialog", state="detached")
    assert shown(view) == HEADLINES[0]
    assert view.evaluate("document.activeElement.id") == "reason"
    view.page.keyboard.press("Enter")
    saved(view)
    assert answers(host) == [given("BUSINESS")]


def test_the_overview_names_every_key(open_review: Open) -> None:
    view = open_review(Host(headlines()))
    view.page.keyboard.press("k")
    keys = view.evaluate("[...document.querySelectorAll('dialog td:first-child')].map(cell => cell.innerText.trim())")
    assert keys == ["1\u20139", "Enter", "u", "s", "?", "h", "k", "Escape"]


def test_a_key_without_a_label_says_so(open_review: Open) -> None:
    view = open_review(Host(headlines()))
    view.page.keyboard.press("7")
    assert view.page.inner_text(".deciding [role=status]") == "No label has the number 7."
    assert shown(view) == HEADLINES[0]


def test_nothing_is_suggested_without_a_model(open_review: Open) -> None:
    items = headlines()
    items[0]["suggestion"] = items[0]["confidence"] = None
    view = open_review(Host(items))
    view.page.keyboard.press("Enter")
    said = view.page.inner_text(".deciding [role=status]")
    assert said == "Nothing is chosen: choose a label first, or skip the text."


def test_a_screen_reader_hears_the_next_text_and_where_it_is(open_review: Open) -> None:
    view = open_review(Host(headlines()))
    view.page.keyboard.press("1")
    announced = view.page.inner_text("p[aria-live=polite]")
    assert announced.startswith("Text 2: Carlyle looks toward commercial aerospace.")
    assert announced.endswith("The model said BUSINESS.")
    assert view.evaluate("document.activeElement.textContent") == "The model was not sure"
    clickable = "[...document.querySelectorAll('*')].filter(one => one.onclick).map(one => one.localName)"
    assert set(view.evaluate(clickable)) <= {"button"}


def test_controls_stay_where_they_are_from_item_to_item(open_review: Open) -> None:
    view = open_review(Host(headlines()))
    boxes = "[...document.querySelectorAll('.deciding button')].map(b => { const r = b.getBoundingClientRect();"
    boxes += " return [r.x, r.y, r.width, r.height]; })"
    first = view.evaluate(boxes)
    for key in ("1", "s", "Enter", "u"):
        view.page.keyboard.press(key)
        assert view.evaluate(boxes) == first


def test_a_proposal_is_suggested_before_the_models_answer(open_review: Open) -> None:
    items = headlines()
    ben = {"by": "arn:aws:sts::111122223333:assumed-role/app/ben", "labels": ["WORLD"]}
    items[0] |= {"lane": "2-feedback", "source": "FEEDBACK", "proposals": [ben]}
    host = Host(items)
    view = open_review(host)
    assert view.page.inner_text("h2") == "Somebody proposed an answer"
    assert view.page.locator(".choice.suggested").inner_text().split()[:3] == ["4", "WORLD", "ben"]
    assert view.page.inner_text(".others").split() == ["ben", "WORLD"]
    view.page.keyboard.press("Enter")
    saved(view)
    assert answers(host) == [given("WORLD")]


def test_who_adjudicates_sees_both_answers_and_no_suggestion(open_review: Open) -> None:
    items = headlines()
    said = [
        {"by": f"arn:aws:iam::111122223333:user/{name}", "labels": [label]}
        for name, label in (("ben", "WORLD"), ("cleo", "BUSINESS"))
    ]
    items[0] |= {"lane": "0-adjudicate", "answers": said}
    view = open_review(Host(items))
    assert view.page.inner_text("h2") == "Its reviewers disagree: you decide"
    cards = view.page.locator(".others .card")
    assert [card.inner_text().split() for card in cards.all()] == [["ben", "WORLD"], ["cleo", "BUSINESS"]]
    left, right = (box for card in cards.all() if (box := card.bounding_box()))
    assert left["y"] == right["y"]
    assert left["x"] < right["x"]
    assert view.page.locator(".choice.suggested").count() == 0
    view.page.keyboard.press("Enter")
    assert view.page.inner_text(".deciding [role=status]").startswith("Nothing is chosen")


def test_what_came_back_says_why(open_review: Open) -> None:
    items = headlines()
    items[0] |= {"lane": "1-again", "note": "The flywheel no longer has the label ARTS."}
    items[0]["suggestion"]["labels"].insert(0, {"name": "ARTS", "score": 0.9, "chosen": True})
    view = open_review(Host(items))
    notices = view.page.locator(".reading .notice").all_inner_texts()
    assert notices == [
        "The flywheel no longer has the label ARTS.",
        "The model said ARTS, which this flywheel has no more.",
    ]


def test_without_guidelines_the_key_says_so(open_review: Open) -> None:
    view = open_review(Host(headlines(), guidelines=None))
    assert view.page.locator("header button").all_inner_texts() == ["Keys\nk"]
    view.page.keyboard.press("h")
    assert view.page.inner_text(".deciding [role=status]") == "There are no guidelines for this flywheel."
