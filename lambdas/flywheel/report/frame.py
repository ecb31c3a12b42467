"""What the pages have in common: one HTML file without scripts that loads nothing else, sections, a timeline."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from flywheel.report.history import moment
from flywheel.report.markup import Markup, element, style_sheet
from flywheel.report.style import CSS
from flywheel.report.tables import number, table

_SECURITY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""Even if the escaping had a defect, the page could not load or run anything."""


def document(title: str, body: Markup) -> str:
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_SECURITY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
        style_sheet(CSS),
    )
    return f"<!DOCTYPE html>\n{element('html', head, element('body', body), lang='en')}\n"


def header(name: str, status: str, words: str, *, good: bool) -> Markup:
    """`words` follow the badge that says `status`."""
    badge = element("span", status, class_=f"badge {'good' if good else 'bad'}")
    return element("header", element("h1", name), element("p", badge, f" {words}", class_="soft"))


def verdict(headline: str, reasons: Iterable[str], *, kind: str) -> Markup:
    """`kind` is good, bad or empty."""
    items = [element("li", reason) for reason in reasons]
    return element(
        "div",
        element("strong", headline),
        *([element("ul", *items)] if items else []),
        class_=f"verdict {kind}".strip(),
    )


def section(title: str, *content: Markup) -> Iterator[Markup]:
    """Empty without content."""
    if content:
        yield element("section", element("h2", title), *content)


def timeline(events: Iterable[tuple[str, datetime | None]]) -> Markup:
    """Those whose time is known, oldest first. At least one is."""
    known = sorted(((at, what) for what, at in events if at is not None), key=lambda event: event[0])
    began = known[0][0]
    rows = [
        element(
            "tr",
            element("th", what, scope="row", class_="words"),
            element("td", moment(at), class_="date"),
            element("td", duration(at - former) if at != began else "\u2013", class_="number"),
            element("td", duration(at - began) if at != began else "\u2013", class_="number"),
        )
        for (at, what), (former, _) in zip(known, [known[0], *known], strict=False)
    ]
    headings = ("Event", "At", number("Since the one before"), number("Since the beginning"))
    return table("Timeline", headings, rows)


def score(value: float | None) -> str:
    return "\u2013" if value is None else f"{value:.4f}"


def duration(span: timedelta) -> str:
    """In the two largest units: 12 s, 3 min 5 s, 2 h 7 min, 3 d 4 h."""
    seconds = max(0, round(span.total_seconds()))
    units = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))
    parts = []
    for size, name in units:
        amount, seconds = divmod(seconds, size)
        parts.append((amount, name))
    first = next((place for place, (amount, _) in enumerate(parts) if amount), len(parts) - 1)
    shown = [f"{amount} {name}" for amount, name in parts[first : first + 2] if amount or name == units[first][1]]
    return " ".join(shown)
