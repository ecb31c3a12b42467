"""Telling a person what a long step is doing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console


class Step(Protocol):
    """A step under way."""

    def update(self, detail: str) -> None:
        """Show what the step is at, in a few words."""


class Progress(Protocol):
    """Where the local cloud reports its long steps to."""

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Show `title` while the block runs, and how long it took after it."""
        ...


class Silent:
    """Reports nothing: for tests and programs."""

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:  # noqa: ARG002 - a Progress
        yield self

    def update(self, detail: str) -> None:
        pass


class OnConsole:
    """Reports on a terminal, with a spinner; line by line where the output is not a terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        started = time.monotonic()
        with self._console.status(title) as status:
            yield _ConsoleStep(title, status.update)
        self._console.print(f"[green]✓[/green] {title} [dim]{time.monotonic() - started:.1f} s[/dim]")


class _ConsoleStep:
    def __init__(self, title: str, show: object) -> None:
        self._title = title
        self._show = show

    def update(self, detail: str) -> None:
        if callable(self._show):
            self._show(f"{self._title} [dim]{detail[:100]}[/dim]")
