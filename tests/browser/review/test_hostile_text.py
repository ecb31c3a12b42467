"""Texts that want to be more than a text."""

from __future__ import annotations

import pytest

from tests.browser.conftest import View
from tests.browser.review.conftest import Open
from tests.browser.review.host import Body, Host, recognized, text_item
from tests.browser.review.test_answers import saved, shown

SCRIPT = (
    "<script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">"
    "<style>*{display:none}</style>&lt;b&gt; {{7*7}} ${7*7} javascript:alert(1)"
)


def marks(view: View) -> list[str]:
    return view.page.locator(".control").all_inner_texts()


def test_markup_is_text(open_review: Open) -> None:
    said_by = [{"by": f"arn:aws:iam::111122223333:user/{SCRIPT}", "labels": ["WORLD"]}]
    hostile = text_item(1, SCRIPT, note=SCRIPT, source=SCRIPT, lane="2-feedback", proposals=said_by)
    host = Host([hostile, text_item(2, "harmless")], labels=("WORLD", SCRIPT), label_word="label")
    view = open_review(host)
    assert shown(view) == SCRIPT
    assert view.page.locator("#page :is(script, img, style)").count() == 0
    view.page.keyboard.press("2")
    saved(view)
    assert host.answers[hostile["id"]]["labels"] == [SCRIPT]
    assert "taken" not in view.page.title()
    assert view.complaints == []


def test_guidelines_run_nothing(open_review: Open) -> None:
    """The host makes them harmless; the page's policy holds if it did not."""
    host = Host([text_item(1, "text")], guidelines=f"<p>Read this</p>{SCRIPT}<a href='https://example.com/'>more</a>")
    view = open_review(host)
    view.page.keyboard.press("h")
    view.page.wait_for_selector("dialog a")
    assert view.page.get_attribute("dialog a", "rel") == "noopener noreferrer"
    assert "taken" not in view.page.title()
    assert view.page.is_visible("dialog h2")


UNSEEN: tuple[tuple[str, list[str]], ...] = (
    ("a\u0000b\u001b[31m\u007f", ["NUL", "ESC", "DEL"]),
    ("x\u0000\u0000\u0000y", ["NUL\u00d73"]),
    ("pay \u202e001\u202c now", ["RLO", "PDF"]),
    ("a\u2066b\u2069c\u200e\u200f\u061c", ["LRI", "PDI", "LRM", "RLM", "ALM"]),
    ("zero\u200bwidth\ufeff soft\u00adhyphen", ["ZWSP", "BOM", "SHY"]),
    ("one\rtwo", ["CR"]),
    ("tag\U000e0041\U000e0042", ["U+E0041", "U+E0042"]),
    ("half \ud83d pair", ["U+D83D"]),
    (
        "\U0001f468\u200d\U0001f469 \U0001f3f4\U000e0067\U000e0062\U000e007f \u0645\u06cc\u200c\u062e\u0648",
        [],
    ),
    ("line\r\nbreaks\nand\ttabs", []),
)


def test_what_cannot_be_seen_is_shown(open_review: Open) -> None:
    view = open_review(Host([text_item(number, text) for number, (text, _) in enumerate(UNSEEN)]))
    for text, expected in UNSEEN:
        view.page.wait_for_selector("main.item")
        assert marks(view) == expected, text
        view.page.keyboard.press("s")
        saved(view)


def test_an_override_turns_nothing_around(open_review: Open) -> None:
    """Neither in the text, where letters keep their order on the screen, nor outside of it."""
    view = open_review(Host([text_item(1, "safe \u202egpj.exe"), text_item(2, "next")]))
    places = view.evaluate(
        """() => {
          const piece = [...document.querySelectorAll(".text [data-at]")].at(-1).firstChild;
          return [0, 1, 2, 3].map(place => {
            const range = document.createRange();
            range.setStart(piece, place);
            range.setEnd(piece, place + 1);
            return range.getBoundingClientRect().x;
          });
        }"""
    )
    assert places == sorted(places)
    view.page.keyboard.press("s")
    assert "\u202e" not in view.page.inner_text("body")


def _time(view: View, act: str) -> float:
    """Milliseconds from an act to the next frame that is painted."""
    painted: float = view.evaluate(
        f"""async () => {{
          const begin = performance.now();
          {act};
          await new Promise(done => requestAnimationFrame(() => setTimeout(done)));
          return performance.now() - begin;
        }}"""
    )
    return painted


@pytest.mark.parametrize(
    "text",
    ["word " * 2_000_000, "a" * 10_000_000, "\u0000\u202e" * 500_000, "\U0001f600" * 500_000],
    ids=["words", "one word", "controls", "emoji"],
)
def test_ten_megabytes_are_shown_in_part_and_stay_quick(open_review: Open, text: str) -> None:
    host = Host([text_item(1, text), text_item(2, "next")])
    view = open_review(host, seconds=60)
    notice = view.page.inner_text(".reading .notice span")
    units = len(text.encode("utf-16-le")) // 2
    assert notice.startswith("The first ")
    assert notice.endswith(f" of {units:,} characters.")
    assert len(shown(view)) <= 20_000
    # Far below what 10 MB in one piece take, on a machine that is busy with other tests.
    assert _time(view, "document.dispatchEvent(new KeyboardEvent('keydown', {key: '1', bubbles: true}))") < 5_000
    assert shown(view) == "next"


def test_all_of_a_long_text_can_be_shown(open_review: Open) -> None:
    text = "".join(f"This is line {number}.\n" for number in range(100_000))
    view = open_review(Host([text_item(1, text), text_item(2, "next")]))
    view.page.click("button:has-text('Show all')")
    assert view.evaluate("document.querySelector('.text').textContent.length") == len(text)
    view.page.keyboard.press("2")
    assert shown(view) == "next"


def test_a_long_text_is_marked_at_its_end(open_review: Open) -> None:
    text = "\U0001f600 word " * 40_000 + "Oslo"
    item: Body = recognized(1, text, ("Oslo", "PLACE", 0.5))
    host = Host([item], labels=("PLACE", "PERSON"), model_type="ENTITY_RECOGNIZER", label_word="type")
    view = open_review(host)
    view.page.click("button:has-text('Show all')")
    view.page.keyboard.press("ArrowLeft")
    view.page.keyboard.press("2")
    view.page.keyboard.press("ArrowLeft")
    view.page.keyboard.press("1")
    view.page.keyboard.press("Enter")
    saved(view)
    entities = host.answers[item["id"]]["entities"]
    found = [(text[entity["begin"] : entity["end"]], entity["type"]) for entity in entities]
    assert found == [("\U0001f600", "PLACE"), ("Oslo", "PERSON")] or found == [("word", "PLACE"), ("Oslo", "PERSON")]


def test_marks_over_marks_stay_in_the_text(open_review: Open) -> None:
    """Stacked combining marks cannot cover what is around."""
    view = open_review(Host([text_item(1, "Z" + "\u0351" * 300 + " algo")]))
    assert view.evaluate("getComputedStyle(document.querySelector('.text')).contain") == "paint"
    assert view.evaluate("document.documentElement.scrollWidth") == 1280


def test_words_without_end_do_not_widen_the_page(open_review: Open) -> None:
    label = "L" * 2_000
    host = Host([text_item(1, "w" * 5_000)], labels=(label, "SHORT"))
    view = open_review(host, width=400, height=800)
    assert view.evaluate("document.documentElement.scrollWidth") == 400
