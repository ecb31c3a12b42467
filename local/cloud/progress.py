"""Telling a person what a long step is doing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.status import Status


class Step:
    """A step under way; without `status` nobody is told."""

    def __init__(self, title: str, status: Status | None = None) -> None:
        self._title = title
        self._status = status

    def update(self, detail: str) -> None:
        """Show what the step is at, in a few words."""
        if self._status is not None:
            self._status.update(f"{self._title} [dim]{detail[:100]}[/dim]")


class Progress:
    """Where the local cloud reports its long steps to: nowhere, for tests and programs."""

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Show `title` while the block runs, and how long it took after it."""
        yield Step(title)


class OnConsole(Progress):
    """Reports on a terminal, with a spinner; line by line where the output is not a terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        started = time.monotonic()
        with self._console.status(title) as status:
            yield Step(title, status)
        self._console.print(f"[green]✓[/green] {title} [dim]{time.monotonic() - started:.1f} s[/dim]")
