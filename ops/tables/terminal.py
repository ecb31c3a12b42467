"""Where results and remarks are printed: no text that a stranger wrote can steer the terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import typer
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from flywheel.text.printable import printable_lines

PIPED_WIDTH = 1_000_000
"""The width of what is not a terminal: nothing wraps there, so each row is one line for the program that reads it."""


class SafeConsole(Console):
    """A rich console that takes text for text: no markup, no emoji codes, no control or direction characters.

    Tables make their cells printable themselves (`ops.tables.listing`), before they measure them. This class
    catches everything else.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(printable_lines(segment.text), segment.style)


def result_console() -> Console:
    """For results, on standard output. Piped, it is as wide as the longest row unless COLUMNS says how wide."""
    wraps = sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdigit()
    return SafeConsole(width=None if wraps else PIPED_WIDTH)


def side_console() -> Console:
    """For progress and remarks: standard output is for results alone."""
    return SafeConsole(stderr=True)


def remark(sentence: str, *, style: str | None = None) -> None:
    """On standard error."""
    side_console().print(sentence, style=style, soft_wrap=True)


def asks_a_person() -> Callable[[str], bool] | None:
    """What puts a question to a person and gives the answer; None where there is nobody to ask."""
    return partial(typer.confirm, err=True) if sys.stdin.isatty() else None
