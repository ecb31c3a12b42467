"""Pages in the system's Chromium, driven by Playwright."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from local.review.person import browser_on_path
from tests.pipeline.observed_world import close_worlds
from tests.simulation.installation import installed


@dataclass
class View:
    """A page in a browser context of its own: nothing that it stores is left for another test."""

    page: Page
    requests: list[str] = field(default_factory=list)
    """The addresses of everything that the page asked for, itself included."""
    complaints: list[str] = field(default_factory=list)
    """What the browser's console says: errors, warnings, refused scripts and styles, errors of markup in an SVG."""

    def __post_init__(self) -> None:
        self.page.set_default_timeout(10_000)
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._heard)

    @property
    def context(self) -> BrowserContext:
        return self.page.context

    def evaluate(self, expression: str, argument: Any = None) -> Any:
        """The value of a JavaScript expression in the page."""
        return self.page.evaluate(expression, argument)

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Not for the whole session: Playwright's event loop would run under the tests of other modules, too."""
    program = browser_on_path()
    if program is None:
        sentence = "No Chromium is on PATH: install Debian's package chromium to see what is drawn."
        if os.environ.get("CI"):
            pytest.fail(sentence)
        pytest.skip(sentence)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program)
        yield browser
        browser.close()


@pytest.fixture
def new_view(chromium: Browser) -> Iterator[Callable[..., View]]:
    """Makes an empty page: `new_view(width=400, height=800, dark=True)`, with anything more that Playwright's
    `new_context` takes."""
    contexts: list[BrowserContext] = []

    def make(*, width: int = 1000, height: int = 1200, dark: bool = False, **options: Any) -> View:
        context = chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light", **options
        )
        contexts.append(context)
        return View(context.new_page())

    yield make
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def simulated() -> Iterator[None]:
    """For modules with a `tests.pipeline.deployed.Deployment`."""
    with installed():
        yield
        close_worlds()
