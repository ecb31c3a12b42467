from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.conftest import View
from tests.browser.review.host import PAGE, Host

Open = Callable[..., View]


@pytest.fixture
def open_review(new_view: Callable[..., View]) -> Open:
    """Opens the page of a host, and waits until it shows something to do, or that there is nothing."""

    def show(
        host: Host, *, shows: str = "main.item, main.calm button.primary", seconds: int = 20, **options: Any
    ) -> View:
        view = new_view(**{"width": 1280, "height": 800, **options})
        host.attach(view.context)
        view.page.set_default_timeout(seconds * 1_000)
        view.page.goto(PAGE)
        view.page.wait_for_selector(shows)
        return view

    return show
