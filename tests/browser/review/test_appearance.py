"""Every state of the page on a large and a small screen, light and dark: a picture of it, axe-core's rules, its width.

The pictures are written to `.local/screenshots/review/`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import View
from tests.browser.review.conftest import Open
from tests.browser.review.host import Failure, Host, text_item
from tests.browser.review.samples import HEADLINES, LABELS, headlines, people

ROOT = Path(__file__).parents[3]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
PICTURES = ROOT / ".local" / "screenshots" / "review"
TYPES = ("PERSON", "PLACE", "DATE")
TOPICS = tuple(f"TOPIC {number}" for number in range(1, 297))
ANSWERS = [
    {"by": f"arn:aws:iam::111122223333:user/{name}", "labels": [label]}
    for name, label in (("ben", "WORLD"), ("cleo", "BUSINESS"))
]
Act = Callable[[Host, View], None]


def _press(*keys: str) -> Act:
    def act(_: Host, view: View) -> None:
        for key in keys:
            view.page.keyboard.press(key)

    return act


def _classifier(items: list[Any] | None = None, **more: Any) -> Host:
    return Host(headlines(30) if items is None else items, answered_before=more.pop("answered_before", 36), **more)


def _recognizer(items: list[Any] | None = None, **more: Any) -> Host:
    return Host(items or people(), labels=TYPES, model_type="ENTITY_RECOGNIZER", label_word="type", **more)


def _one(**more: Any) -> list[Any]:
    first, *others = headlines(30)
    return [{**first, **more}, *others]


def _offline(host: Host, view: View) -> None:
    host.offline = True
    _press("1", "2", "3")(host, view)
    view.page.wait_for_selector(".banners .notice")


def _refused(host: Host, view: View) -> None:
    _press("1")(host, view)
    view.page.wait_for_selector("[role=alert] .notice")


def _opened(*keys: str) -> Act:
    def act(host: Host, view: View) -> None:
        _press(*keys)(host, view)
        view.page.wait_for_selector("dialog[open] :is(table, .guidelines)")

    return act


GUIDELINES = (
    "<h1>What the topics mean</h1><p>Choose the topic that the <strong>first sentence</strong> is about.</p>"
    "<ul><li>BUSINESS: companies, markets, prices</li><li>SCI_TECH: research and products</li></ul>"
)
OTHERS = [
    {"by": "arn:aws:iam::111122223333:user/ben", "entities": [{"type": "PLACE", "begin": 36, "end": 42}]},
    {"by": "arn:aws:iam::111122223333:user/cleo", "entities": [{"type": "PERSON", "begin": 0, "end": 12}]},
]
HOSTILE = "<script>alert(1)</script>\r\npay \u202e001\u202c now\u0000\u0000 \u05e9\u05dc\u05d5\u05dd \u001b[31m"
STATES: dict[str, tuple[Callable[[], Host], Act]] = {
    "labels": (_classifier, _press("Enter", "s")),
    "undone": (_classifier, _press("4", "u")),
    "twelve-labels": (lambda: _classifier(labels=[*LABELS, *TOPICS[:8]]), _press("1")),
    "three-hundred-labels": (lambda: _classifier(labels=[*LABELS, *TOPICS]), _press("/", "2", "9")),
    "several-labels": (lambda: _classifier(multi_label=True), _press("2", "4")),
    "several-of-many-labels": (lambda: _classifier(labels=[*LABELS, *TOPICS], multi_label=True), _press("2")),
    "entities": (_recognizer, _press("ArrowRight", "ArrowRight", "ArrowRight", "Shift+ArrowRight")),
    "no-entities": (lambda: _recognizer([text_item(1, HEADLINES[0])]), _press()),
    "adjudication": (lambda: _classifier(_one(lane="0-adjudicate", answers=ANSWERS)), _press("Enter")),
    "adjudication-of-entities": (
        lambda: _recognizer([{**people()[0], "lane": "0-adjudicate", "answers": OTHERS}]),
        _press(),
    ),
    "proposal": (lambda: _classifier(_one(lane="2-feedback", source="FEEDBACK", proposals=ANSWERS[:1])), _press()),
    "came-back": (
        lambda: _classifier(_one(lane="1-again", note="The flywheel no longer has the label ARTS: choose again.")),
        _press(),
    ),
    "hostile": (lambda: _classifier([text_item(1, HOSTILE)]), _press()),
    "long": (lambda: _classifier([text_item(1, " ".join(HEADLINES) * 60)]), _press()),
    "offline": (_classifier, _offline),
    "refused": (
        lambda: _classifier(refusals={f"{0:032x}": Failure(409, "CLAIM_LOST", "ben has the text now.")}),
        _refused,
    ),
    "not-allowed": (
        lambda: _classifier(
            refusals={"session": Failure(403, "NOT_ALLOWED", "You may not review: attach news-flywheel-reviewers.")}
        ),
        _press(),
    ),
    "empty": (lambda: _classifier([]), _press()),
    "guidelines": (lambda: _classifier(guidelines=GUIDELINES), _opened("h")),
    "keys": (lambda: _classifier(labels=[*LABELS, *TOPICS]), _opened("k")),
}


SCREENS = [(width, scheme) for width in (1280, 400) for scheme in ("light", "dark")]
# What Chromium says itself of requests that fail, as they do in some of the states.
EXPECTED = ("net::ERR_INTERNET_DISCONNECTED", "the server responded with a status of")


@pytest.mark.parametrize("state", STATES)
def test_a_state_is_accessible_and_fits(open_review: Open, state: str) -> None:
    make, act = STATES[state]
    host = make()
    view = open_review(host, shows="main", reduced_motion="reduce")
    if "session" not in host.refusals:
        view.page.wait_for_selector("main.item, main.calm button.primary")
    act(host, view)
    PICTURES.mkdir(parents=True, exist_ok=True)
    # Evaluated and not added as a script, which the page's policy refuses.
    view.evaluate(f"() => {{ {AXE.read_text(encoding='utf-8')} }}")
    for width, scheme in SCREENS:
        view.page.set_viewport_size({"width": width, "height": 800})
        view.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of two words
        view.page.screenshot(path=PICTURES / f"{state}-{width}-{scheme}.png")
        assert view.evaluate("document.documentElement.scrollWidth") == width
        found = view.evaluate("async () => (await axe.run()).violations.map(v => [v.id, ...v.nodes.map(n => n.html)])")
        assert found == [], (width, scheme)
    assert [said for said in view.complaints if not any(words in said for words in EXPECTED)] == []
