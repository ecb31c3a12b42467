"""What a real browser draws of a turn's page: positions, sizes and colours, on a screen and on paper."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flywheel.records.turns import TurnOutcome, TurnRecord
from flywheel.report.chart import PastTurn
from flywheel.report.page import render
from tests.browser.conftest import View
from tests.unit.report import test_promotion_page as promotion_pages
from tests.unit.report.reports import failed_record, full_record, past

HISTORY = (
    past(1, candidate=0.70, promoted=True),
    past(2, active=0.70, candidate=0.75, promoted=True),
    past(4, outcome=TurnOutcome.FAILED),
    past(5, active=0.75, candidate=0.74),
    past(6, active=0.75, candidate=0.80, promoted=True),
)
_BOXES = """
[...document.querySelectorAll(%r)].map(found => {
  const box = found.getBoundingClientRect(), style = getComputedStyle(found);
  return {x: box.x + box.width / 2, y: box.y + box.height / 2, left: box.left, right: box.right, top: box.top,
    bottom: box.bottom, width: box.width, height: box.height, text: found.textContent.trim(), fill: style.fill,
    stroke: style.stroke, background: style.backgroundColor, title: found.querySelector("title")?.textContent};
})
"""


@pytest.fixture
def show(new_view: Callable[..., View], tmp_path: Path) -> Any:
    def open_page(record: TurnRecord, *history: PastTurn, **view: Any) -> View:
        file = tmp_path / "index.html"
        file.write_text(render(record, history=history, intake_bucket="news-intake"), encoding="utf-8")
        opened = new_view(**view)
        opened.page.goto(file.as_uri())
        return opened

    return open_page


def boxes(view: View, selector: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = view.evaluate(_BOXES % selector)
    return found


def test_the_marks_lie_at_their_turns_and_scores(show: Any) -> None:
    """Measured on the axes as they are drawn: the numbers beside them say where a turn and a score belong."""
    view = show(full_record(), *HISTORY)
    turns = {int(tick["text"]): tick["x"] for tick in boxes(view, ".chart .tick-x")}
    scores = {float(tick["text"]): tick["y"] for tick in boxes(view, ".chart .tick-y")}
    (bottom, low), (top, high) = [(scores[score], score) for score in (min(scores), max(scores))]

    def score_at(y: float) -> float:
        return low + (high - low) * float(bottom - y) / float(bottom - top)

    active = boxes(view, ".chart > .mark.active")
    candidates = boxes(view, ".chart > .mark.candidate")
    assert [mark["x"] for mark in active] == pytest.approx([turns[turn] for turn in (2, 5, 6, 7)], abs=1)
    assert [score_at(mark["y"]) for mark in active] == pytest.approx([0.70, 0.75, 0.75, 0.80], abs=0.002)
    assert [mark["x"] for mark in candidates] == pytest.approx([turns[turn] for turn in (1, 2, 5, 6, 7)], abs=1)
    assert [score_at(mark["y"]) for mark in candidates] == pytest.approx([0.70, 0.75, 0.74, 0.80, 0.84], abs=0.002)
    assert active[0]["title"] == "Turn 2: active model, F1Score 0.7000"


def test_lines_stop_at_gaps_and_failures_are_marked(show: Any) -> None:
    view = show(full_record(), *HISTORY)
    turns = {int(tick["text"]): tick["x"] for tick in boxes(view, ".chart .tick-x")}
    lines = boxes(view, ".chart .line.candidate")
    assert [(line["left"], line["right"]) for line in lines] == [
        (pytest.approx(turns[1], abs=2), pytest.approx(turns[2], abs=2)),
        (pytest.approx(turns[5], abs=2), pytest.approx(turns[7], abs=2)),
    ]
    (failure,) = boxes(view, ".chart > .failure")
    (axis,) = boxes(view, ".chart .axis")
    assert (failure["x"], failure["y"]) == pytest.approx((turns[4], axis["y"]), abs=1)
    (this,) = boxes(view, ".chart .this-turn")
    assert this["x"] == pytest.approx(turns[7], abs=1)


def test_the_two_models_and_promotions_can_be_told_apart_by_shape_and_colour(show: Any) -> None:
    view = show(full_record(), *HISTORY)
    active = boxes(view, ".chart > .mark.active")[0]
    kept = next(mark for mark in boxes(view, ".chart > .mark.candidate") if "keep" in mark["title"])
    promoted = boxes(view, ".chart > .mark.candidate.promoted")
    assert len(promoted) == 4
    assert len({active["fill"], kept["fill"], promoted[0]["fill"], "rgb(0, 0, 0)"}) == 4
    assert len(boxes(view, ".chart > circle")) == 4


@pytest.mark.parametrize("turns", [1, 3, 14, 51, 100])
def test_every_text_of_the_chart_has_its_own_place_inside_it(show: Any, turns: int) -> None:
    history = [past(number, active=0.7, candidate=0.7 + 0.2 * number / turns) for number in range(1, turns)]
    view = show(full_record(number=turns), *history)
    (chart,) = boxes(view, ".chart")
    texts = boxes(view, ".chart text")
    marks = boxes(view, ".chart .mark")
    assert len(marks) >= 2 * turns
    for found in [*texts, *marks]:
        assert found["width"] > 0
        assert chart["left"] <= found["left"] <= found["right"] <= chart["right"], found["text"]
        assert chart["top"] <= found["top"] <= found["bottom"] <= chart["bottom"], found["text"]
    for place, one in enumerate(texts):
        for other in texts[place + 1 :]:
            apart = (
                one["right"] <= other["left"]
                or other["right"] <= one["left"]
                or one["bottom"] <= other["top"]
                or other["bottom"] <= one["top"]
            )
            assert apart, f"{one['text']} and {other['text']} overlap"


def test_the_bars_are_as_long_as_the_labels_have_documents(show: Any) -> None:
    view = show(full_record())
    widths = [bar["width"] for bar in boxes(view, "td.bar .train")]
    assert widths[1] / widths[0] == pytest.approx(100 / 300, abs=0.01)
    assert boxes(view, "td.bar .train")[0]["background"] != "rgba(0, 0, 0, 0)"


def test_the_tables_say_what_the_chart_draws(show: Any) -> None:
    view = show(full_record(), *HISTORY)
    rows = view.evaluate("[...document.querySelectorAll('section:last-of-type tbody tr')].map(row => row.innerText)")
    assert [row.split("\t")[0] for row in rows] == [f"turn-00000{number}" for number in (7, 6, 5, 4, 2, 1)]
    assert rows[1].split("\t")[2:] == ["promoted", "0.7500", "0.8000", "+0.0500"]
    deciding = view.evaluate("document.querySelector('tr.deciding').innerText.split('\\t')")
    assert deciding[1:] == ["0.8000", "0.8400", "+0.0400"]


@pytest.mark.parametrize("record", [full_record(), failed_record()], ids=["full", "failed"])
@pytest.mark.parametrize("width", [400, 1000])
def test_the_page_is_not_wider_than_the_screen(show: Any, record: TurnRecord, width: int) -> None:
    view = show(record, *HISTORY, width=width)
    assert view.evaluate("document.documentElement.scrollWidth") == width


def test_what_others_wrote_is_shown_and_does_nothing(show: Any) -> None:
    hostile = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>"
    view = show(full_record(label=hostile, file=hostile, sentence=hostile, excerpt=hostile))
    assert view.evaluate("document.title") == "news-0a1b2c3d turn-000007"
    assert view.evaluate("document.querySelectorAll('img, script').length") == 0
    assert boxes(view, "td.excerpt")[0]["text"] == hostile


def test_the_page_asks_for_nothing_but_itself(show: Any) -> None:
    view = show(full_record(), *HISTORY)
    assert [address.partition(":")[0] for address in view.requests] == ["file"]
    assert view.complaints == []


def test_it_is_readable_in_the_dark_and_on_paper(show: Any) -> None:
    light = show(full_record(), *HISTORY)
    ink = "getComputedStyle(document.body).color + getComputedStyle(document.body).backgroundColor"
    day = light.evaluate(ink)
    dark = show(full_record(), *HISTORY, dark=True)
    assert dark.evaluate(ink) != day
    assert dark.page.pdf(prefer_css_page_size=True).startswith(b"%PDF")
    dark.page.emulate_media(media="print")
    assert dark.evaluate(ink) == "rgb(0, 0, 0)rgb(255, 255, 255)"


def test_the_confusion_matrix_has_its_numbers_where_row_and_column_meet(show: Any) -> None:
    labels = ("BUSINESS", "SCI_TECH", "SPORTS", "WORLD")
    view = show(full_record(labels=labels))
    read = "[...document.querySelectorAll('.confusion')].map(m => [...m.rows ?? m.querySelectorAll('tr')].map(%s))"
    candidate, active = view.evaluate(read % "row => [...row.cells].map(cell => cell.innerText.trim())")
    assert candidate[0][1:] == [*labels]
    assert candidate[1] == ["BUSINESS", "15", "5", "", ""]
    assert candidate[4] == ["WORLD", "5", "", "", "15"]
    assert active[0][1:] == [*labels, "no label"]
    assert active[2] == ["SCI_TECH", "", "10", "", "", "10"]


def test_a_larger_share_is_a_darker_cell_and_right_and_wrong_differ(show: Any) -> None:
    view = show(full_record(labels=("A", "B", "C")))
    right = {cell["background"] for cell in boxes(view, ".confusion td.right")}
    wrong = {cell["background"] for cell in boxes(view, ".confusion td.wrong")}
    # Of the candidate 75 % and 25 % of a row, of the active model half and half.
    assert len(right) == len(wrong) == 2
    assert not right & wrong
    assert "rgba(0, 0, 0, 0)" not in right | wrong


@pytest.mark.parametrize("labels", [4, 40])
def test_a_matrix_is_legible(show: Any, labels: int) -> None:
    """Numbers inside their cells, rows of a few lines, and nothing wider than the page but what scrolls by itself."""
    view = show(full_record(labels=tuple(f"LABEL NUMBER {number}" for number in range(1, labels + 1))))
    (candidate, _) = boxes(view, ".confusion table")
    cells = view.evaluate(
        "[...document.querySelector('.confusion').querySelectorAll('td')].map(cell => {"
        " const text = document.createRange(); text.selectNodeContents(cell);"
        " const box = cell.getBoundingClientRect(), ink = text.getBoundingClientRect();"
        " return {width: box.width, height: box.height, inside: !cell.textContent ||"
        " (ink.left >= box.left && ink.right <= box.right && ink.height <= box.height),"
        " size: parseFloat(getComputedStyle(cell).fontSize)}; })"
    )
    assert len(cells) == labels * labels
    assert all(cell["inside"] for cell in cells)
    assert min(cell["size"] for cell in cells) >= 10
    assert min(cell["height"] for cell in cells) >= 14
    assert max(cell["height"] for cell in cells) <= 50
    assert max(row["height"] for row in boxes(view, ".by-label tbody tr")) <= 60
    assert view.evaluate("document.querySelector('.by-label .scroll').scrollWidth") <= 1000
    heads = boxes(view, ".confusion:first-of-type thead th")
    assert all(head["width"] > 0 for head in heads)
    assert candidate["width"] > 0
    assert view.evaluate("document.documentElement.scrollWidth") == 1000


def test_the_scores_of_each_label_stand_in_its_row(show: Any) -> None:
    view = show(full_record(labels=("SPORTS", "WORLD")))
    rows = view.evaluate("[...document.querySelectorAll('.by-label tbody tr')].map(row => row.innerText.split('\\t'))")
    assert rows[0][:5] == ["SPORTS", "20", "0.5000", "0.7500", "+0.2500"]


_REGIONS = """
[...document.querySelectorAll('.scroll')].map(region => {
  region.focus();
  return {name: region.getAttribute('aria-label'), focused: document.activeElement === region,
    wider: region.scrollWidth > region.clientWidth,
    heading: region.closest('section').querySelector('h2').textContent};
})
"""


def test_at_400_pixels_what_scrolls_can_be_reached_by_the_keyboard_and_has_a_name(show: Any) -> None:
    view = show(full_record(), *HISTORY, width=400)
    regions = view.evaluate(_REGIONS)
    assert sum(region["wider"] for region in regions) >= 5
    assert all(region["focused"] and region["name"] for region in regions)
    assert len({region["name"] for region in regions}) == len(regions)
    assert {"Scores over the turns", "Timeline", "All turns", "Uploads"} <= {region["name"] for region in regions}
    view.evaluate("document.querySelector('.scroll').focus()")
    view.page.keyboard.press("Tab")
    outline = view.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"


def test_at_400_pixels_captions_and_dates_are_whole(show: Any) -> None:
    view = show(full_record(), *HISTORY, width=400)
    captions = boxes(view, "figcaption")
    assert captions
    assert all(caption["left"] >= 0 and caption["right"] <= 400 for caption in captions)
    dates = boxes(view, "td.date")
    assert len(dates) == 6
    one_line = view.evaluate(
        "[...document.querySelectorAll('td.date')].every(cell => {"
        " const text = document.createRange(); text.selectNodeContents(cell);"
        " return text.getClientRects().length === 1; })"
    )
    assert one_line


@pytest.mark.parametrize("promoted", [True, False])
def test_a_tie_shows_both_marks(show: Any, promoted: bool) -> None:
    view = show(full_record(), *HISTORY, past(3, active=0.80, candidate=0.80, promoted=promoted))
    (active,) = [mark for mark in boxes(view, ".chart > .mark.active") if "Turn 3:" in mark["title"]]
    (candidate,) = [mark for mark in boxes(view, ".chart > .mark.candidate") if "Turn 3:" in mark["title"]]
    assert (active["x"], active["y"]) == pytest.approx((candidate["x"], candidate["y"]), abs=0.5)
    assert candidate["width"] > active["width"] + 6
    above = view.evaluate(f"document.elementFromPoint({active['x']}, {active['y']}).classList.contains('active')")
    assert above


def test_the_sections_are_called_what_the_field_calls_them(show: Any) -> None:
    view = show(full_record(), *HISTORY)
    headings = view.evaluate("[...document.querySelectorAll('h2')].map(heading => heading.textContent)")
    assert {"Confusion matrix", "Timeline"} <= set(headings)


@pytest.mark.parametrize("width", [400, 1000])
def test_a_promotions_page_fits_the_screen_and_asks_for_nothing(
    new_view: Callable[..., View], tmp_path: Path, width: int
) -> None:
    file = tmp_path / "promotion.html"
    file.write_text(promotion_pages.page(), encoding="utf-8")
    view = new_view(width=width)
    view.page.goto(file.as_uri())
    assert view.evaluate("document.documentElement.scrollWidth") == width
    assert view.complaints == []
