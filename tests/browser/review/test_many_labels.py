"""More labels than numbers, and several labels for one text."""

from __future__ import annotations

import pytest

from tests.browser.review.conftest import Open
from tests.browser.review.host import Host
from tests.browser.review.samples import HEADLINES, LABELS, headlines
from tests.browser.review.test_answers import answers, given, saved, shown

TOPICS = tuple(f"TOPIC {number}" for number in range(1, 297))


def test_the_nine_likeliest_have_the_numbers(open_review: Open) -> None:
    host = Host(headlines(), labels=[*TOPICS[:8], *LABELS])
    view = open_review(host)
    names = view.page.locator(".numbered .name").all_inner_texts()
    assert names == ["BUSINESS", "SCI_TECH", "WORLD", "SPORTS", *TOPICS[:5]]
    view.page.click("#filter")
    assert view.page.locator(".found .choice").count() == 12
    assert view.page.locator(".numbered").count() == 0
    view.page.keyboard.press("Escape")
    view.page.keyboard.press("3")
    saved(view)
    assert answers(host) == [given("WORLD")]


@pytest.mark.parametrize(
    ("typed", "label"), [("topic 29", "TOPIC 29"), ("sci", "SCI_TECH"), ("296", "TOPIC 296"), ("uber", "\u00dcBERSEE")]
)
def test_typing_finds_a_label_and_enter_gives_it(open_review: Open, typed: str, label: str) -> None:
    host = Host(headlines(), labels=[*LABELS, "\u00dcBERSEE", *TOPICS[:295], "TOPIC 296"])
    view = open_review(host)
    view.page.keyboard.press("/")
    view.page.keyboard.type(typed)
    assert view.page.inner_text("#found").startswith(f"Enter takes {label}")
    view.page.keyboard.press("Enter")
    assert shown(view) == HEADLINES[1]
    assert view.page.input_value("#filter") == ""
    # Out of the field, keys are commands again.
    view.page.keyboard.press("s")
    saved(view)
    assert answers(host) == [given(label), {"verdict": "SKIP"}]


def test_in_the_field_keys_are_no_commands_and_escape_leaves_it(open_review: Open) -> None:
    host = Host(headlines(), labels=[*LABELS, *TOPICS])
    view = open_review(host)
    view.page.keyboard.press("/")
    view.page.keyboard.type("sush1?/")
    assert view.page.input_value("#filter") == "sush1?/"
    assert view.page.inner_text("#found") == "No label is called so."
    view.page.keyboard.press("Enter")
    assert shown(view) == HEADLINES[0]
    view.page.keyboard.press("Escape")
    assert view.page.input_value("#filter") == ""
    assert view.evaluate("document.activeElement.id") == "reason"
    saved_calls = [call for call in host.calls if call[0] == "PUT"]
    assert saved_calls == []


def test_enter_in_an_empty_field_accepts_the_suggestion(open_review: Open) -> None:
    host = Host(headlines(), labels=[*LABELS, *TOPICS])
    view = open_review(host)
    view.page.keyboard.press("/")
    view.page.keyboard.press("Enter")
    saved(view)
    assert answers(host) == [given("BUSINESS")]


def test_arrow_down_goes_to_what_was_found(open_review: Open) -> None:
    host = Host(headlines(), labels=[*LABELS, *TOPICS])
    view = open_review(host)
    view.page.keyboard.press("/")
    view.page.keyboard.type("topic 29")
    view.page.keyboard.press("ArrowDown")
    view.page.keyboard.press("Tab")
    view.page.keyboard.press("Enter")
    saved(view)
    assert answers(host) == [given("TOPIC 290")]


def test_with_several_labels_numbers_give_and_take_away(open_review: Open) -> None:
    host = Host(headlines(), multi_label=True)
    view = open_review(host)
    boxes = view.page.locator("input[type=checkbox]")
    assert [box.is_checked() for box in boxes.all()] == [True, False, False, False]
    view.page.keyboard.press("4")
    view.page.keyboard.press("2")
    assert view.page.inner_text(".deciding [role=status]") == "SCI_TECH is given."
    view.page.keyboard.press("1")
    assert view.page.inner_text(".deciding [role=status]") == "BUSINESS is taken away."
    assert [box.is_checked() for box in boxes.all()] == [False, True, False, True]
    assert view.page.inner_text(".accept") == "Accept 2 labels\nEnter"
    view.page.keyboard.press("Enter")
    view.page.keyboard.press("u")
    assert [box.is_checked() for box in boxes.all()] == [False, True, False, True]
    view.page.keyboard.press("Enter")
    saved(view)
    assert host.answers == {host.items[0]["id"]: given("SCI_TECH", "WORLD")}


def test_check_boxes_are_toggled_by_mouse_and_space_and_enter_accepts(open_review: Open) -> None:
    host = Host(headlines(), multi_label=True)
    view = open_review(host)
    view.page.click("label:has-text('SPORTS')")
    view.page.keyboard.press("Tab")
    view.page.keyboard.press("Space")
    view.page.keyboard.press("Enter")
    saved(view)
    assert answers(host) == [given("BUSINESS", "SPORTS", "WORLD")]


def test_no_label_at_all_is_no_answer(open_review: Open) -> None:
    view = open_review(Host(headlines(), multi_label=True))
    view.page.keyboard.press("1")
    view.page.click("button.accept")
    assert view.page.inner_text(".deciding [role=status]").startswith("Nothing is chosen")
    assert shown(view) == HEADLINES[0]


def test_several_of_many_labels_are_found_by_typing(open_review: Open) -> None:
    host = Host(headlines(), labels=[*LABELS, *TOPICS], multi_label=True)
    view = open_review(host)
    view.page.keyboard.press("/")
    for typed in ("topic 29", "world"):
        view.page.keyboard.type(typed)
        view.page.keyboard.press("Enter")
    # Those that have no number are seen, too.
    assert view.page.inner_text(".given") == "Given: BUSINESS, WORLD, TOPIC 29"
    view.page.keyboard.press("Enter")
    saved(view)
    assert answers(host) == [given("BUSINESS", "WORLD", "TOPIC 29")]
