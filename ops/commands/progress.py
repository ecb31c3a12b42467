"""How verbs show, on standard error, how far they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TransferSpeedColumn,
)

from ops.tables.terminal import side_console
from ops.verbs.upload import OnBytes

_DESCRIPTION = TextColumn("{task.description}", markup=False)


@contextmanager
def waiting_display(first: str) -> Iterator[Callable[[str], None]]:
    """Shows `first`, then what the function it gives is called with, and how long it has been going on."""
    columns = SpinnerColumn(), _DESCRIPTION, TimeElapsedColumn()
    with Progress(*columns, console=side_console(), transient=True) as display:
        task = display.add_task(first, total=None)
        yield lambda words: display.update(task, description=words)


def words_for(files: Sequence[Path]) -> str:
    return files[0].name if len(files) == 1 else f"{len(files)} files"


@contextmanager
def upload_display(files: Sequence[Path]) -> Iterator[OnBytes]:
    """Gives what to call with each file's further bytes."""
    columns = _DESCRIPTION, BarColumn(), DownloadColumn(), TransferSpeedColumn()
    with Progress(*columns, console=side_console(), transient=True) as display:
        total = sum(path.stat().st_size for path in files)
        task = display.add_task(f"Uploading {words_for(files)}", total=total)
        lock = Lock()

        def advance(_: Path, sent: int) -> None:
            with lock:
                display.advance(task, sent)

        yield advance
