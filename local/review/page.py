"""The page that the demo writes: both curves over all seeds, and what happened in the local cloud."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from statistics import mean

from flywheel.report.frame import document, header, section, verdict
from flywheel.report.markup import Markup, element
from flywheel.report.tables import number, table
from local.review.curves import MISTAKES, REVIEWED, STEP, Curves

_WIDTH, _HEIGHT = 760, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 150, 20, 48
_ORDER, _RANDOM = "var(--active)", "var(--candidate)"


def render(curves: Sequence[Curves], *, told: Sequence[str], before: float, after: float) -> str:
    """`told` are sentences on the local cloud; `before` and `after` macro F1 of the two models that it served."""
    by_order, at_random = (mean(getattr(each, how)[-1] for each in curves) for how in ("by_order", "at_random"))
    better = sum(each.by_order[-1] > each.at_random[-1] for each in curves)
    first = mean(each.by_order[0] for each in curves)
    headline = f"{by_order - first:+.3f} by the order of the queue, {at_random - first:+.3f} at random"
    reasons = [
        f"Mean gain in macro F1 by {REVIEWED} answers, {MISTAKES:.0%} of them wrong.",
        f"The order of the queue is better with {better} of {len(curves)} seeds.",
        f"In the local cloud the served model went from {before:.3f} to {after:.3f} on the same unseen texts.",
    ]
    body = element(
        "main",
        header("What reviewing earns", f"{len(curves)} seeds", "macro F1 on texts that nobody trained on", good=True),
        verdict(headline, reasons, kind="good" if by_order > at_random else "bad"),
        *section(
            "By reviewed documents", element("figure", _chart(curves), element("figcaption", _CAPTION), class_="chart")
        ),
        *section("Figures", _figures(curves)),
        *section("In the local cloud", element("ul", *(element("li", sentence) for sentence in told))),
    )
    return document("What reviewing earns", body)


_CAPTION = (
    "Thick: the mean of all seeds. Thin: each seed. The generated texts exaggerate: a fifth of the traffic speaks of "
    "what the first model has never seen. `python -m benchmarks.review_learning` does the same with files of your own."
)


def _figures(curves: Sequence[Curves]) -> Markup:
    rows = [
        element(
            "tr",
            element("th", f"Seed {each.seed}", scope="row"),
            *(
                element("td", f"{score:.3f}", class_="number")
                for score in (each.by_order[0], each.by_order[-1], each.at_random[-1])
            ),
        )
        for each in curves
    ]
    headings = ("", number("Before"), number(f"{REVIEWED} by the queue"), number(f"{REVIEWED} at random"))
    return table("Macro F1 by seed", headings, rows)


def _chart(curves: Sequence[Curves]) -> Markup:
    scores = [score for each in curves for score in (*each.by_order, *each.at_random)]
    low, high = int(min(scores) * 10) / 10, min(1.0, int(max(scores) * 10 + 1) / 10)

    def place(step: int, score: float) -> tuple[float, float]:
        x = _LEFT + (_WIDTH - _LEFT - _RIGHT) * step * STEP / REVIEWED
        y = _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * (score - low) / (high - low)
        return round(x, 1), round(y, 1)

    def line(scores: Sequence[float], colour: str, *, width: float, dashes: str | None, faint: bool) -> Markup:
        points = " ".join(f"{x},{y}" for x, y in (place(*each) for each in enumerate(scores)))
        look: dict[str, str | float | None] = {
            "stroke": colour,
            "stroke_width": width,
            "stroke_dasharray": dashes,
            "opacity": 0.35 if faint else None,
        }
        return element("polyline", points=points, fill="none", **look)

    drawn = []
    for how, colour, dashes, words in (
        ("by_order", _ORDER, None, "by the queue"),
        ("at_random", _RANDOM, "7 4", "at random"),
    ):
        each_seed = [getattr(each, how) for each in curves]
        means = [mean(each) for each in zip(*each_seed, strict=True)]
        drawn += [line(scores, colour, width=1, dashes=dashes, faint=True) for scores in each_seed]
        drawn.append(line(means, colour, width=3, dashes=dashes, faint=False))
        x, y = place(len(means) - 1, means[-1])
        drawn.append(element("text", f"{words} {means[-1]:.3f}", x=x + 8, y=y + 4, fill="var(--ink)"))
    described = "Macro F1 by reviewed documents: by the order of the queue it rises faster than at random."
    content = (element("title", described), *_axes(low, high, place), *drawn)
    return element("svg", *content, viewBox=f"0 0 {_WIDTH} {_HEIGHT}", role="img", width="100%")


def _axes(low: float, high: float, place: Callable[[int, float], tuple[float, float]]) -> Iterator[Markup]:
    for tenth in range(round(low * 10), round(high * 10) + 1):
        x, y = place(0, tenth / 10)
        yield element("line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=y, y2=y, stroke="var(--rule)")
        yield element("text", f"{tenth / 10:.1f}", x=x - 8, y=y + 4, text_anchor="end", fill="var(--soft)")
    for step in range(REVIEWED // STEP + 1):
        x, _ = place(step, low)
        yield element("text", str(step * STEP), x=x, y=_HEIGHT - _BOTTOM + 20, text_anchor="middle", fill="var(--soft)")
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    yield element("text", "reviewed documents", x=middle, y=_HEIGHT - 6, text_anchor="middle", fill="var(--soft)")
