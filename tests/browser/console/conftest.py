"""The console in a browser: the real host, in a thread of the test's process, over the simulation."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import uvicorn
from playwright.sync_api import expect

from ops.server.host import listening
from ops.server.security import Door
from ops.server.site import site
from tests.browser.conftest import View
from tests.pipeline.ops.console_world import Console

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

SCREENSHOTS = Path(__file__).parents[3] / ".local" / "screenshots" / "console"
AXE = Path(__file__).parents[3] / "node_modules" / "axe-core" / "axe.min.js"
SIZES = {"wide": 1280, "narrow": 400}


@contextmanager
def served(routes: list[BaseRoute]) -> Iterator[Door]:
    with listening(0) as listener:
        door = Door(port=listener.getsockname()[1])
        config = uvicorn.Config(site(door, routes), log_level="warning", lifespan="off", ws="none")
        server = uvicorn.Server(config)
        # Whoever acts in the test acts there.
        serve = partial(copy_context().run, server.run, sockets=[listener])
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield door
        finally:
            server.should_exit = server.force_exit = True
            thread.join(10)


@pytest.fixture
def open_console(new_view: Callable[..., View]) -> Iterator[Callable[..., View]]:
    """Opens the console of a world at a page, such as `turns/turn-000001`."""
    running = []

    def opened(world: Console, page: str = "", **options: object) -> View:
        hosting = served(world.routes())
        door = hosting.__enter__()
        running.append(hosting)
        view = new_view(**options)
        view.page.goto(door.address("console"))
        show(view, world.name, page)
        return view

    yield opened
    for hosting in running:
        hosting.__exit__(None, None, None)


def show(view: View, flywheel: str = "", page: str = "") -> None:
    """Goes to a page of a flywheel, or to the list of flywheels, and waits until it is shown."""
    # The console's own listener is the first and draws before anything else runs.
    view.evaluate(
        """page => new Promise(drawn => {
            if (location.hash === page) return drawn();
            addEventListener("hashchange", () => drawn(), { once: true });
            location.hash = page;
        })""",
        "#/" + "/".join(filter(None, (flywheel, page))),
    )
    settle(view)


def settle(view: View) -> None:
    """Until every part has its data, or its error."""
    view.page.locator("h1").first.wait_for()
    expect(view.page.locator(".loading, [aria-busy=true]")).to_have_count(0)
