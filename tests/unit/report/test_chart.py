"""Where scores lie in the chart of a turn's page, and what is drawn between them."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flywheel.records.turns import TurnOutcome
from flywheel.report.chart import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    PastTurn,
    Scale,
    score_chart,
    with_late_promotions,
)
from flywheel.report.history import PromotionHistory
from tests.unit.report.reports import model, past

scores = st.floats(0, 1)


def drawn(turns: list[PastTurn]) -> ET.Element:
    return ET.fromstring(score_chart(turns, metric="F1Score"))  # noqa: S314 (our own SVG)


def of_class(chart: ET.Element, name: str) -> list[ET.Element]:
    """Outside the legend."""
    return [found for found in chart if found.get("class") == name]


def points(line: ET.Element) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, _, y in (pair.partition(",") for pair in line.attrib["points"].split())]


def test_a_scale_is_round_and_from_axis_to_axis() -> None:
    scale = Scale.around([1, 2, 3], [0.71, 0.84])
    assert scale.scores() == pytest.approx([0.70, 0.75, 0.80, 0.85])
    assert scale.y(0.70) == pytest.approx(HEIGHT - BOTTOM)
    assert scale.y(0.85) == pytest.approx(TOP)
    assert scale.y(0.775) == pytest.approx((TOP + HEIGHT - BOTTOM) / 2)
    assert scale.x(2) == pytest.approx((LEFT + WIDTH - RIGHT) / 2)
    assert scale.x(2) - scale.x(1) == pytest.approx(scale.x(3) - scale.x(2))


@given(
    first=st.integers(1, 10_000),
    numbers=st.lists(st.integers(0, 200), min_size=1, max_size=100, unique=True),
    found=st.lists(scores, max_size=100),
)
def test_everything_fits_between_the_axes(first: int, numbers: list[int], found: list[float]) -> None:
    turns = sorted(first + number for number in numbers)
    scale = Scale.around(turns, found)
    assert all(LEFT < scale.x(turn) < WIDTH - RIGHT for turn in turns)
    assert all(TOP - 0.01 <= scale.y(score) <= HEIGHT - BOTTOM + 0.01 for score in found)
    assert 2 <= len(scale.scores()) <= 7
    assert 1 <= len(scale.turns()) <= 13
    assert set(scale.turns()) <= set(range(turns[0], turns[-1] + 1))


@given(found=st.lists(scores, min_size=1, max_size=5))
def test_the_axis_of_scores_makes_nothing_of_noise_and_shows_no_impossible_score(found: list[float]) -> None:
    scale = Scale.around([1], found)
    assert scale.high - scale.low > 0.0999
    assert scale.low >= 0
    assert scale.high <= 1.0001


def test_a_candidate_that_a_later_turn_finds_active_was_promoted() -> None:
    """Its promotion may wait for an approval, longer than its turn."""
    turns = [past(number, candidate=0.7) for number in (1, 2, 3)]
    turns[2] = turns[2].model_copy(update={"active": model(0.7, arn="arn:candidate-1")})
    assert [turn.promoted for turn in with_late_promotions(turns, history=PromotionHistory())] == [True, False, False]


@given(lower=scores, higher=scores)
def test_a_higher_score_is_not_drawn_lower(lower: float, higher: float) -> None:
    lower, higher = sorted((lower, higher))
    scale = Scale.around([1], [lower, higher])
    assert scale.y(higher) <= scale.y(lower)


def test_known_scores_are_drawn_where_they_belong() -> None:
    turns = [past(1, candidate=0.70, promoted=True), past(2, active=0.70, candidate=0.80), past(3, active=0.75)]
    chart, scale = drawn(turns), Scale.around([1, 2, 3], [0.70, 0.80])
    marks = of_class(chart, "mark active")
    assert [float(mark.attrib["cx"]) for mark in marks] == pytest.approx([scale.x(2), scale.x(3)], abs=0.01)
    assert [float(mark.attrib["cy"]) for mark in marks] == pytest.approx([scale.y(0.70), scale.y(0.75)], abs=0.01)
    (active,) = of_class(chart, "line active")
    (candidate,) = of_class(chart, "line candidate")
    assert [x for x, _ in points(active)] == pytest.approx([scale.x(2), scale.x(3)], abs=0.01)
    assert [y for _, y in points(candidate)] == pytest.approx([scale.y(0.70), scale.y(0.80)], abs=0.01)
    assert len(of_class(chart, "mark candidate")) == len(of_class(chart, "mark candidate promoted")) == 1


@pytest.mark.parametrize(
    "between", [[], [past(3)], [past(3, outcome=TurnOutcome.FAILED)]], ids=["no record", "no score", "failed"]
)
def test_no_line_crosses_a_gap(between: list[PastTurn]) -> None:
    around = [past(number, active=0.5) for number in (1, 2, 4, 5)]
    chart = drawn([*around[:2], *between, *around[2:]])
    assert [len(points(line)) for line in of_class(chart, "line active")] == [2, 2]
    assert len(of_class(chart, "mark active")) == 4
    assert len(of_class(chart, "failure")) == sum(turn.outcome is TurnOutcome.FAILED for turn in between)


def test_one_turn_is_in_the_middle_without_a_line() -> None:
    chart = drawn([past(1, candidate=0.9)])
    assert of_class(chart, "line candidate") == []
    (mark,) = of_class(chart, "mark candidate")
    assert mark.attrib["d"].startswith(f"M{(LEFT + WIDTH - RIGHT) // 2} ")


def test_a_chart_without_any_score_says_the_turns() -> None:
    chart = drawn([past(1, outcome=TurnOutcome.ABORTED), past(2)])
    assert [tick.text for tick in of_class(chart, "tick-x")] == ["1", "2"]
    assert [tick.text for tick in of_class(chart, "tick-y")] == ["0.00", "0.20", "0.40", "0.60", "0.80", "1.00"]


def test_a_chart_says_itself_to_who_cannot_see_it() -> None:
    chart = drawn([past(3, candidate=0.7, promoted=True), past(4, outcome=TurnOutcome.TIMED_OUT)])
    assert chart.get("role") == "img"
    said = {child.get("id"): child.text or "" for child in chart if child.tag in {"title", "desc"}}
    assert chart.attrib["aria-labelledby"].split() == list(said)
    assert "F1Score" in said["chart-title"]
    assert "turns 3 to 4: 1 promoted, 1 did not succeed" in said["chart-desc"]
    assert [label.text for label in of_class(chart, "axis-label")] == ["Turn", "F1Score"]
