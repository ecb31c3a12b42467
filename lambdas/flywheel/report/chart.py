"""The scores of the active model and the candidates over the turns, as an SVG that needs no script."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from flywheel.records.decisions import ModelScore
from flywheel.records.promotions import PromotionStatus
from flywheel.records.turns import TurnOutcome, TurnRecord, number_of
from flywheel.report.history import PromotionHistory
from flywheel.report.markup import Markup, element, join
from flywheel.store.record import Record

WIDTH, HEIGHT = 760, 320
LEFT, RIGHT, TOP, BOTTOM = 64, 20, 48, 56
_STEPS = (0.02, 0.05, 0.1, 0.2)
_MOST_INTERVALS = 6
_LEAST_SPAN = 0.1
"""The axis of scores covers at least this: a smaller range would magnify the noise of a test set."""
_MOST_TURNS_NAMED = 12
_MARK = 4.5
_SMALL_MARK = 3.0
_MANY_TURNS = 50


class PromotedModel(Record):
    status: PromotionStatus


class PastTurn(Record):
    """The members of a turn's record that the chart needs. The rest, which can be long, is not parsed."""

    turn: str
    outcome: TurnOutcome
    decision: str = "nothing"
    active: ModelScore | None = None
    candidate: ModelScore | None = None
    promotion: PromotedModel | None = None
    ended_at: datetime | None = None
    selection_metric: str | None = None
    promoted_later: bool = False
    """The candidate was promoted after the turn, by another request. Not in the record, but computed for the chart."""

    @classmethod
    def of(cls, record: TurnRecord) -> PastTurn:
        return cls.model_validate_json(record.model_dump_json(include=set(cls.model_fields)))

    @property
    def number(self) -> int:
        return number_of(self.turn) or 0

    @property
    def promoted(self) -> bool:
        return self.promoted_later or (self.promotion is not None and self.promotion.status.made_active)


def with_late_promotions(turns: Sequence[PastTurn], *, history: PromotionHistory) -> list[PastTurn]:
    """`turns` in their order, with `promoted_later` set if another request promoted the candidate, or if a later turn
    found it active because somebody changed the active model outside the pipeline."""
    later: set[str] = set()
    marked: list[PastTurn] = []
    for turn in reversed(turns):
        candidate = turn.candidate.arn if turn.candidate is not None else None
        if not turn.promoted and candidate is not None and (candidate in later or history.made_active(candidate)):
            marked.append(turn.model_copy(update={"promoted_later": True}))
        else:
            marked.append(turn)
        if turn.active is not None:
            later.add(turn.active.arn)
    return marked[::-1]


def has_scores(turns: Sequence[PastTurn], *, metric: str) -> bool:
    return any(score_of(model, metric) is not None for turn in turns for model in (turn.active, turn.candidate))


def score_of(model: ModelScore | None, metric: str) -> float | None:
    return model.metrics.value(metric) if model is not None else None


@dataclass(frozen=True, kw_only=True)
class Scale:
    """Maps turns and scores to coordinates of the drawing."""

    first: int
    last: int
    low: float
    high: float
    step: float

    @classmethod
    def around(cls, turns: Sequence[int], scores: Sequence[float]) -> Scale:
        """A scale that fits all turns and scores. The ends of the scores' axis are multiples of a round step; without
        scores they are 0 and 1."""
        low, high = (min(scores), max(scores)) if scores else (0.0, 1.0)
        step = next((step for step in _STEPS if _below(high, step) - _below(low, step) < _MOST_INTERVALS), _STEPS[-1])
        bottom, top = _below(low, step), math.ceil(round(high / step, 6))
        while round((top - bottom) * step, 6) < _LEAST_SPAN:
            # Extend both ends in turn, to keep the scores in the middle, but not below 0 or above 1.
            if ((top + bottom) * step < low + high and round(top * step, 6) < 1) or bottom <= 0:
                top += 1
            else:
                bottom -= 1
        return cls(first=min(turns), last=max(turns), low=bottom * step, high=top * step, step=step)

    @property
    def mark(self) -> float:
        """Half the size of a mark. Smaller if there are many turns, so that marks do not hide each other."""
        return _SMALL_MARK if self.last - self.first >= _MANY_TURNS else _MARK

    def x(self, turn: int) -> float:
        width = WIDTH - LEFT - RIGHT
        if self.first == self.last:
            return LEFT + width / 2
        # Away from the axes, so that the first and the last mark are complete.
        inner = width - 4 * _MARK
        return LEFT + 2 * _MARK + inner * (turn - self.first) / (self.last - self.first)

    def y(self, score: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (score - self.low) / (self.high - self.low)

    def scores(self) -> list[float]:
        count = round((self.high - self.low) / self.step)
        return [self.low + self.step * place for place in range(count + 1)]

    def turns(self) -> range:
        """The turns that the axis names: all, or round numbers if there are many."""
        most = (self.last - self.first) / _MOST_TURNS_NAMED
        step = next((step for step in (1, 2, 5, 10, 20, 50) if step > most), 100)
        return range(-(-self.first // step) * step, self.last + 1, step)


def score_chart(turns: Sequence[PastTurn], *, metric: str) -> Markup:
    """`turns` in their order. The last one is the turn of the report."""
    numbers = [turn.number for turn in turns]
    active = {turn.number: score_of(turn.active, metric) for turn in turns}
    candidate = {turn.number: score_of(turn.candidate, metric) for turn in turns}
    scale = Scale.around(
        numbers, [score for line in (active, candidate) for score in line.values() if score is not None]
    )
    return element(
        "svg",
        element("title", f"{metric} of the active model and the candidates", id="chart-title"),
        element("desc", _in_words(turns, metric), id="chart-desc"),
        _this_turn(scale, numbers[-1]),
        *_axes(scale, metric),
        *_lines(scale, active, "active"),
        *_lines(scale, candidate, "candidate"),
        *(_failure(scale, turn) for turn in turns if turn.outcome is not TurnOutcome.SUCCEEDED),
        *(
            _candidate_mark(scale, turn, score, metric, active_score=active[turn.number])
            for turn in turns
            if (score := candidate[turn.number]) is not None
        ),
        *(_active_mark(scale, turn, score, metric) for turn in turns if (score := active[turn.number]) is not None),
        _legend(),
        class_="chart",
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        aria_labelledby="chart-title chart-desc",
    )


def _in_words(turns: Sequence[PastTurn], metric: str) -> str:
    first, last = turns[0], turns[-1]
    among = f"turn {first.number}" if first is last else f"turns {first.number} to {last.number}"
    promoted = sum(turn.promoted for turn in turns)
    failed = sum(turn.outcome is not TurnOutcome.SUCCEEDED for turn in turns)
    return (
        f"A line chart of {metric} by turn, {among}: {promoted} promoted, {failed} did not succeed. "
        "Every value is in the table of all turns below."
    )


def _axes(scale: Scale, metric: str) -> Iterator[Markup]:
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    for score in scale.scores():
        y = _place(scale.y(score))
        yield element("line", class_="grid", x1=LEFT, x2=right, y1=y, y2=y)
        yield element("text", f"{score:.2f}", class_="tick-y", x=LEFT - 8, y=_place(scale.y(score) + 4))
    for turn in scale.turns():
        yield element("text", str(turn), class_="tick-x", x=_place(scale.x(turn)), y=bottom + 20)
    yield element("line", class_="axis", x1=LEFT, x2=right, y1=bottom, y2=bottom)
    yield element("text", "Turn", class_="axis-label", x=_place((LEFT + right) / 2), y=HEIGHT - 12)
    middle = _place((TOP + bottom) / 2)
    yield element("text", metric, class_="axis-label", x=16, y=middle, transform=f"rotate(-90 16 {middle})")


def _this_turn(scale: Scale, turn: int) -> Markup:
    return element(
        "rect",
        element("title", "This turn"),
        class_="this-turn",
        x=_place(scale.x(turn) - 2 * _MARK),
        y=TOP,
        width=4 * _MARK,
        height=HEIGHT - TOP - BOTTOM,
    )


def _lines(scale: Scale, scores: dict[int, float | None], name: str) -> Iterator[Markup]:
    """One line for each sequence of turns with scores. A turn without a score interrupts the line."""
    run: list[str] = []
    former: int | None = None
    for turn, score in [*scores.items(), (None, None)]:
        if run and (score is None or turn is None or turn - 1 != former):
            if len(run) > 1:
                yield element("polyline", class_=f"line {name}", points=" ".join(run))
            run = []
        if turn is not None and score is not None:
            run.append(f"{_place(scale.x(turn))},{_place(scale.y(score))}")
        former = turn


def _active_mark(scale: Scale, turn: PastTurn, score: float, metric: str) -> Markup:
    return element(
        "circle",
        element("title", f"Turn {turn.number}: active model, {metric} {score:.4f}"),
        class_="mark active",
        cx=_place(scale.x(turn.number)),
        cy=_place(scale.y(score)),
        r=scale.mark,
    )


def _candidate_mark(scale: Scale, turn: PastTurn, score: float, metric: str, *, active_score: float | None) -> Markup:
    """The active model's mark is drawn over it. If both are at one place, this one is larger, so that both show."""
    tie = active_score is not None and abs(scale.y(score) - scale.y(active_score)) < 2 * scale.mark
    end = "promoted" if turn.promoted else turn.decision
    return element(
        "path",
        element("title", f"Turn {turn.number}: candidate, {metric} {score:.4f}, {end}"),
        class_=f"mark candidate{' promoted' if turn.promoted else ''}",
        d=_diamond(scale.x(turn.number), scale.y(score), scale.mark + (5.5 if tie else 1.5)),
    )


def _failure(scale: Scale, turn: PastTurn) -> Markup:
    return element(
        "path",
        element("title", f"Turn {turn.number}: {turn.outcome}"),
        class_="failure",
        d=_cross(scale.x(turn.number), HEIGHT - BOTTOM, scale.mark),
    )


def _legend() -> Markup:
    y = 20.0
    entries = [
        (element("circle", class_="mark active", cx=0, cy=y, r=_MARK), "active model"),
        (element("path", class_="mark candidate", d=_diamond(0, y, _MARK + 1.5)), "candidate"),
        (element("path", class_="mark candidate promoted", d=_diamond(0, y, _MARK + 1.5)), "candidate, promoted"),
        (element("path", class_="failure", d=_cross(0, y, _MARK)), "turn did not succeed"),
    ]
    places = (LEFT + 8, LEFT + 128, LEFT + 228, LEFT + 388)
    drawn = (
        element("g", mark, element("text", words, x=12, y=y + 4), transform=f"translate({place} 0)")
        for place, (mark, words) in zip(places, entries, strict=True)
    )
    return element("g", join(drawn), class_="legend")


def _diamond(x: float, y: float, half: float) -> str:
    return (
        f"M{_place(x)} {_place(y - half)}L{_place(x + half)} {_place(y)}"
        f"L{_place(x)} {_place(y + half)}L{_place(x - half)} {_place(y)}Z"
    )


def _cross(x: float, y: float, half: float) -> str:
    left, right, top, bottom = (_place(place) for place in (x - half, x + half, y - half, y + half))
    return f"M{left} {top}L{right} {bottom}M{left} {bottom}L{right} {top}"


def _below(score: float, step: float) -> int:
    """The number of whole steps in `score`. Rounded, because 0.15 / 0.05 is less than 3 in floating point."""
    return math.floor(round(score / step, 6))


def _place(coordinate: float) -> str:
    return f"{coordinate:.2f}".rstrip("0").rstrip(".")
