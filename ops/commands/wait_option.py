"""What verbs with --wait have in common: how long, how often, and a line that says what is waited for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from ops.terminal import side_console
from ops.turns import DEFAULT_TIMEOUT_SECONDS

DEFAULT_TIMEOUT_MINUTES = DEFAULT_TIMEOUT_SECONDS / 60

TimeoutOption = Annotated[float, typer.Option(min=0, help="How long --wait waits.")]
PollOption = Annotated[float, typer.Option(min=0.1, help="How often --wait looks.")]


@contextmanager
def waiting_display(first: str) -> Iterator[Callable[[str], None]]:
    """Shows `first`, then what the function it gives is called with, and how long it has been going on."""
    columns = SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn()
    with Progress(*columns, console=side_console(), transient=True) as display:
        task = display.add_task(first, total=None)
        yield lambda words: display.update(task, description=words)
