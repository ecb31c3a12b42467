"""How long the review page takes from a key to the next text on the screen, in the system's Chromium.

Measured in the page, from the key's event to the end of the frame in which the next text is painted; a screen that
draws 60 frames a second makes people wait up to 17 ms of it. The host is in memory: what it takes is hidden anyway,
because the next text is there before it is needed.

Usage: `python -m benchmarks.review_page [--items N] [--json]`.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Callable

from playwright.sync_api import Browser, sync_playwright

from benchmarks.machine import describe_machine
from local.review.person import browser_on_path
from tests.browser.review.host import PAGE, Host
from tests.browser.review.samples import LABELS, headlines, people

_MEASURE = """() => {
  window.measured = [];
  document.addEventListener("keydown", () => {
    const begin = performance.now();
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => window.measured.push(performance.now() - begin);
      port2.postMessage(null);
    });
  }, true);
}"""
TOPICS = tuple(f"TOPIC {number}" for number in range(296))


def labels(items: int) -> Host:
    return Host(headlines(items))


def many_labels(items: int) -> Host:
    return Host(headlines(items), labels=[*LABELS, *TOPICS])


def entities(items: int) -> Host:
    found = [{**people()[number % 3], "id": f"{number:032x}"} for number in range(items)]
    return Host(found, labels=("PERSON", "PLACE", "DATE"), model_type="ENTITY_RECOGNIZER", label_word="type")


CASES: dict[str, Callable[[int], Host]] = {"4 labels": labels, "300 labels": many_labels, "entities": entities}


def measure(browser: Browser, host: Host, items: int) -> list[float]:
    """Milliseconds of each item."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    host.attach(context)
    page = context.new_page()
    page.goto(PAGE)
    page.wait_for_selector("main.item")
    page.evaluate(_MEASURE)
    for number in range(items):
        page.wait_for_selector("main.item")
        page.keyboard.press("Enter")
        page.wait_for_function("number => window.measured.length > number", arg=number)
    page.wait_for_function("number => document.querySelector('#progress').innerText.startsWith(number)", arg=str(items))
    measured: list[float] = page.evaluate("window.measured")
    context.close()
    return measured


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    program = browser_on_path()
    if program is None:
        parser.exit(1, "No Chromium is on PATH.\n")
    found = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program)
        for name, make in CASES.items():
            times = measure(browser, make(options.items + 1), options.items)
            median = statistics.median(times)
            found[name] = {
                "median_ms": round(median, 1),
                "p95_ms": round(statistics.quantiles(times, n=20)[-1], 1),
                "items_an_hour": round(3_600_000 / median),
            }
        version = browser.version
        browser.close()
    if options.json:
        print(json.dumps({"machine": describe_machine(), "chromium": version, "items": options.items, **found}))
        return
    print(f"{describe_machine()}, Chromium {version}; {options.items} items each, from a key to the next text:")
    for name, figures in found.items():
        print(
            f"  {name:<11} median {figures['median_ms']:6.1f} ms, 95th percentile {figures['p95_ms']:6.1f} ms: "
            f"the page allows {figures['items_an_hour']:,} items an hour"
        )


if __name__ == "__main__":
    main()
