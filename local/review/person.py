"""A person at the review page: reads a text in a real browser, presses a key, and is wrong now and then."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from local.cloud import LocalCloudError

_PROGRAMS = ("chromium", "google-chrome", "chromium-browser", "google-chrome-stable")
_PATIENCE_SECONDS = 60.0
_SAVED = ".state.good:has-text('All saved')"


@dataclass(frozen=True, kw_only=True)
class Reviewed:
    answers: Mapping[str, str]
    """Text -> the label that the person gave."""
    seconds: float
    milliseconds: tuple[float, ...]
    """Of each answer: from the key to the next text."""


def browser_on_path() -> str | None:
    """A Chromium that Playwright can drive."""
    return next((path for name in _PROGRAMS if (path := shutil.which(name))), None)


def find_browser() -> str:
    """Raises LocalCloudError."""
    found = browser_on_path()
    if found is None:
        raise LocalCloudError("No Chromium is on PATH: install Debian's package chromium, or Chrome.")
    return found


@contextmanager
def review_page(environment: Mapping[str, str], *, flywheel: str) -> Iterator[str]:
    """`flywheel review` as a person starts it; gives its address and ends it."""
    command = [sys.executable, "-m", "ops", "--name", flywheel, "review", "--no-open"]
    with subprocess.Popen(
        command, env=dict(environment), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    ) as host:
        try:
            address = (host.stdout.readline() if host.stdout else "").strip()
            if not address:
                raise LocalCloudError("`flywheel review` did not start: its error stands above.")
            yield address
        finally:
            host.terminate()


def review(address: str, *, count: int, answer: Callable[[str], str], screenshot: Path | None = None) -> Reviewed:
    """Answer `count` items by keyboard; `answer` says the label of a text. Raises LocalCloudError."""
    answers: dict[str, str] = {}
    milliseconds = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser())
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(1_000 * _PATIENCE_SECONDS)
        page.goto(address)
        page.wait_for_selector("main.item")
        if screenshot is not None:
            page.screenshot(path=screenshot)
        labels = page.locator(".choice .name").all_inner_texts()
        began = time.monotonic()
        for _ in range(count):
            text = _text(page)
            label = answer(text)
            milliseconds.append(_pressed(page, str(labels.index(label) + 1), text))
            answers[text] = label
        seconds = time.monotonic() - began
        page.wait_for_selector(_SAVED)
        browser.close()
    return Reviewed(answers=answers, seconds=seconds, milliseconds=tuple(milliseconds))


def _text(page: Page) -> str:
    page.wait_for_selector("main.item .text")
    return page.inner_text("main.item .text")


def _pressed(page: Page, key: str, before: str) -> float:
    """Milliseconds until the next text is there, or that there is none."""
    began = time.monotonic()
    page.keyboard.press(key)
    page.wait_for_function("before => document.querySelector('main.item .text')?.innerText !== before", arg=before)
    return 1_000 * (time.monotonic() - began)
