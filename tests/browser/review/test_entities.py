"""A recognizer's items: marks by keyboard and mouse, and offsets, which Python counts as the contract does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.conftest import View
from tests.browser.review.conftest import Open
from tests.browser.review.host import Body, Host, recognized, text_item
from tests.browser.review.samples import people
from tests.browser.review.test_answers import answers, saved

TYPES = ("PERSON", "PLACE", "DATE")
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
TEXTS = {
    "emoji": ("\U0001f600 Ada \U0001f680\U0001f680 in Paris", "Paris"),
    "an emoji itself": ("Ada \U0001f680 Paris", "\U0001f680"),
    "combining marks": ("Cafe\u0301 Zoe\u0308 in Mu\u0308nchen", "Mu\u0308nchen"),
    "a mark on the last letter": ("He met Zoe\u0308", "Zoe\u0308"),
    "joined emoji": (f"{FAMILY} {FAMILY} Paris", "Paris"),
    "a joined emoji itself": (f"Ada {FAMILY} Paris", FAMILY),
    "a flag of tags": ("\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f Leeds", "Leeds"),
    "Hebrew": (
        "\u05d3\u05d5\u05d3 \u05d2\u05e8 \u05d1\u05d7\u05d9\u05e4\u05d4 \u05d4\u05d9\u05d5\u05dd",
        "\u05d1\u05d7\u05d9\u05e4\u05d4",
    ),
    "Arabic in English": ("He said \u0645\u0631\u062d\u0628\u0627 to Omar", "Omar"),
    "line ends of two characters": ("First line\r\nsecond\r\n\r\nin Oslo", "Oslo"),
    "an override": ("from \u202eevil\u202c Oslo", "Oslo"),
    "controls": ("a\u0000\u0000\u0000 b\u001b[31m Oslo", "Oslo"),
    "a lone half of a pair": ("broken \ud83d Oslo", "Oslo"),
    "letters beyond the first plane": ("\U00010330\U00010331 \U0001d538\U0001d539 Oslo", "Oslo"),
    "a name in the genitive": ("It is Ada's idea", "Ada"),
    "a name with an apostrophe": ("It is O'Brien today", "O'Brien"),
    "Chinese": ("\u6211\u5728\u5317\u4eac", "\u5317\u4eac"),
    "a tab and a break": ("one\ttwo\nthree Oslo", "Oslo"),
}


def recognizer(*items: Body, **more: Any) -> Host:
    return Host([*items], labels=more.pop("labels", TYPES), model_type="ENTITY_RECOGNIZER", label_word="type", **more)


def marked(host: Host, number: int = 0) -> list[tuple[str, str]]:
    """Of an answer: what of the text, as what."""
    text = host.items[number]["text"]
    entities = host.answers[host.items[number]["id"]]["entities"]
    return [(text[entity["begin"] : entity["end"]], entity["type"]) for entity in entities]


def said(view: View) -> str:
    return view.page.inner_text(".deciding [role=status]")


def press(view: View, *keys: str) -> None:
    for key in keys:
        view.page.keyboard.press(key)


def drag(view: View, first: str, last: str) -> None:
    """With the mouse from the middle of one text to the middle of another."""
    ends = view.evaluate(
        """([first, last]) => [first, last].map(words => {
          const walker = document.createTreeWalker(document.querySelector(".text"), NodeFilter.SHOW_TEXT);
          while (walker.nextNode()) {
            const place = walker.currentNode.data.indexOf(words);
            if (place < 0) continue;
            const range = document.createRange();
            range.setStart(walker.currentNode, place);
            range.setEnd(walker.currentNode, place + words.length);
            const box = range.getBoundingClientRect();
            return [box.x + box.width / 2, box.y + box.height / 2];
          }
        })""",
        [first, last],
    )
    view.page.mouse.move(*ends[0])
    view.page.mouse.down()
    view.page.mouse.move(*ends[1], steps=3)
    view.page.mouse.up()


def test_the_suggested_entities_are_marked_with_their_types_and_accepted(open_review: Open) -> None:
    host = recognizer(*people())
    view = open_review(host)
    marks = view.evaluate("[...document.querySelectorAll('mark')].map(one => [one.innerText, one.dataset.type])")
    assert marks == [["Ada Lovelace", "PERSON"], ["London", "PLACE"]]
    assert view.evaluate("getComputedStyle(document.querySelector('mark'), '::after').content") == '"PERSON"'
    listed = view.page.locator(".marks li").all_inner_texts()
    assert [row.split() for row in listed] == [
        ["Ada", "Lovelace", "PERSON", "98", "%", "Delete"],
        ["London", "PLACE", "44", "%", "Delete"],
    ]
    press(view, "Enter")
    saved(view)
    assert marked(host) == [("Ada Lovelace", "PERSON"), ("London", "PLACE")]


def find_by_keyboard(view: View, text: str, words: str) -> None:
    for _ in text:
        # Forward is where the line goes to.
        press(view, "ArrowLeft" if text[0] > "\u0590" and text[0] < "\u0600" else "ArrowRight")
        if said(view) == f"Selected: \u201c{words}\u201d":
            return
    raise AssertionError(f"{words!r} of {text!r} is no stop of the arrow keys.")


def find_by_mouse(view: View, text: str, words: str) -> None:
    drag(view, words, words)


@pytest.mark.parametrize("find", [find_by_keyboard, find_by_mouse])
def test_offsets_are_code_points(open_review: Open, find: Callable[[View, str, str], None]) -> None:
    """All in one page: a text after the other."""
    host = recognizer(*(text_item(number, text) for number, (text, _) in enumerate(TEXTS.values())))
    view = open_review(host)
    for number, (text, words) in enumerate(TEXTS.values()):
        view.page.wait_for_selector("main.item")
        find(view, text, words)
        press(view, "2", "Enter")
        saved(view)
        assert marked(host, number) == [(words, "PLACE")], text


def test_suggested_offsets_are_read_as_code_points(open_review: Open) -> None:
    host = recognizer(
        *(recognized(number, text, (words, "PLACE", 0.5)) for number, (text, words) in enumerate(TEXTS.values()))
    )
    view = open_review(host)
    for number, (text, words) in enumerate(TEXTS.values()):
        view.page.wait_for_selector("main.item")
        assert view.evaluate("document.querySelector('mark').textContent") == words, text
        press(view, "Enter")
        saved(view)
        assert marked(host, number) == [(words, "PLACE")], text


def test_words_are_marked_by_keyboard_alone(open_review: Open) -> None:
    host = recognizer(text_item(1, "Yesterday Ada Lovelace, countess, met the U.S. envoy."))
    view = open_review(host)
    press(view, "ArrowRight", "ArrowRight", "Shift+ArrowRight")
    assert said(view) == "Selected: \u201cAda Lovelace\u201d"
    press(view, "Shift+ArrowRight", "Shift+ArrowRight", "Shift+ArrowLeft", "Shift+ArrowLeft")
    assert said(view) == "Selected: \u201cAda Lovelace\u201d"
    press(view, "1")
    assert said(view) == "\u201cAda Lovelace\u201d is now PERSON."
    press(view, "ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight")
    # Whether this is one word, the browser's version says; with Shift punctuation is reached in any case.
    for _ in range(3):
        if said(view) != "Selected: \u201cU.S.\u201d":
            press(view, "Shift+ArrowRight")
    assert said(view) == "Selected: \u201cU.S.\u201d"
    press(view, "2", "Enter")
    saved(view)
    assert marked(host) == [("Ada Lovelace", "PERSON"), ("U.S.", "PLACE")]


def test_arrows_stop_at_both_ends_and_go_over_marks_as_one(open_review: Open) -> None:
    view = open_review(recognizer(*people()))
    press(view, "ArrowRight")
    assert said(view) == "\u201cAda Lovelace\u201d is marked as PERSON."
    press(view, "ArrowLeft")
    assert said(view) == "The text begins here."
    press(view, "ArrowRight")
    assert said(view) == "Selected: \u201cmet\u201d"
    press(view, "Escape", "ArrowLeft", "ArrowRight")
    assert said(view) == "The text ends here."
    assert view.page.inner_text(".selected") == "1833"


def test_a_mark_changes_its_type_and_is_deleted(open_review: Open) -> None:
    host = recognizer(*people())
    view = open_review(host)
    press(view, "ArrowRight", "2")
    assert said(view) == "\u201cAda Lovelace\u201d is now PLACE."
    view.page.click(".marks li:has-text('London') button[aria-pressed]")
    press(view, "Delete")
    assert said(view) == "\u201cLondon\u201d is marked no more."
    press(view, "Delete")
    assert said(view) == "No mark is selected."
    view.page.click("button[aria-label='Delete the mark of Ada Lovelace']")
    assert view.page.inner_text("#marks-heading") == "Marked: nothing"
    press(view, "Escape")
    view.page.click("button.accept")
    saved(view)
    assert answers(host) == [{"verdict": "ANSWER", "entities": []}]


def test_overlapping_marks_are_refused_with_a_sentence(open_review: Open) -> None:
    host = recognizer(*people())
    view = open_review(host)
    drag(view, "Lovelace", "Charles")
    assert said(view) == "Selected: \u201cLovelace met Charles\u201d"
    press(view, "2")
    assert said(view) == (
        "\u201cLovelace met Charles\u201d overlaps \u201cAda Lovelace\u201d, which is marked as PERSON: "
        "delete that first."
    )
    assert view.page.locator("mark").count() == 2


def test_the_mouse_selects_whole_words_and_a_button_marks_them(open_review: Open) -> None:
    host = recognizer(*people())
    view = open_review(host)
    drag(view, "harle", "abbag")
    view.page.click(".choice:has-text('PERSON')")
    drag(view, "1833", "1833")
    view.page.click(".choice:has-text('DATE')")
    view.page.click("button.accept")
    saved(view)
    assert marked(host) == [
        ("Ada Lovelace", "PERSON"),
        ("Charles Babbage", "PERSON"),
        ("London", "PLACE"),
        ("1833", "DATE"),
    ]


def test_a_click_selects_a_word_or_a_mark_and_shift_extends(open_review: Open) -> None:
    host = recognizer(*people())
    view = open_review(host)
    drag(view, "Mary", "Mary")
    view.page.keyboard.down("Shift")
    drag(view, "Somerville", "Somerville")
    view.page.keyboard.up("Shift")
    assert said(view) == "Selected: \u201cMary Somerville\u201d"
    drag(view, "London", "London")
    assert said(view) == "\u201cLondon\u201d is marked as PLACE."
    assert view.page.inner_text("li.active").startswith("London")


def test_what_the_browser_selects_by_touch_or_caret_can_be_marked(open_review: Open) -> None:
    host = recognizer(*people())
    view = open_review(host)
    view.evaluate(
        """() => {
          const piece = [...document.querySelectorAll(".text [data-at]")].find(one => one.textContent.includes("Mary"));
          const place = piece.textContent.indexOf("Mary");
          document.getSelection().setBaseAndExtent(piece.firstChild, place + 1, piece.firstChild, place + 7);
        }"""
    )
    view.page.click(".choice:has-text('PERSON')")
    press(view, "Enter")
    view.page.click("button.accept")
    saved(view)
    assert ("Mary Somerville", "PERSON") in marked(host)


def test_a_number_without_a_selection_says_what_to_do(open_review: Open) -> None:
    view = open_review(recognizer(*people()))
    press(view, "1")
    assert said(view) == "Select words first; then choose their type."


def test_undo_brings_back_the_marks_as_they_were(open_review: Open) -> None:
    host = recognizer(*people())
    view = open_review(host)
    drag(view, "1833", "1833")
    press(view, "3", "Enter", "Enter", "u", "u")
    marks = view.evaluate("[...document.querySelectorAll('mark')].map(one => [one.innerText, one.dataset.type])")
    assert marks == [["Ada Lovelace", "PERSON"], ["London", "PLACE"], ["1833", "DATE"]]


def test_more_types_than_numbers(open_review: Open) -> None:
    host = recognizer(*people(), labels=[f"TYPE_{number}" for number in range(1, 26)])
    view = open_review(host)
    press(view, "ArrowRight", "/")
    view.page.keyboard.type("type_25")
    press(view, "Enter")
    assert view.page.inner_text(".marks li .tag") == "TYPE_25"
    # The suggested types are not among the flywheel's: said, and not marked.
    assert view.page.inner_text(".reading .notice") == (
        "The model marked PERSON, PLACE, which this flywheel has no more."
    )


def test_who_adjudicates_can_start_from_one_of_the_answers(open_review: Open) -> None:
    text = "Ada met Ben in Paris."
    said_by = [
        {"by": "arn:aws:iam::111122223333:user/ben", "entities": [{"type": "PLACE", "begin": 15, "end": 20}]},
        {"by": "arn:aws:iam::111122223333:user/cleo", "entities": [{"type": "PERSON", "begin": 0, "end": 3}]},
    ]
    host = recognizer(recognized(1, text, ("Ben", "PERSON", 0.4), lane="0-adjudicate", answers=said_by))
    view = open_review(host)
    assert view.page.locator("mark").count() == 0
    cards = [card.split() for card in view.page.locator(".others .card").all_inner_texts()]
    assert cards[0] == ["ben", "Paris", "PLACE", "Start", "from", "this"]
    assert cards[1] == ["cleo", "Ada", "PERSON", "Start", "from", "this"]
    view.page.click(".card:has-text('cleo') button")
    view.page.click("button.accept")
    saved(view)
    assert marked(host) == [("Ada", "PERSON")]
