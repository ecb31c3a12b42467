"""Tables and lists of facts for any width: wide and narrow terminals, and pipes, where each row is one line.

Cells and values may be a stranger's text (keys, labels, reasons): here it becomes printable, so that it can neither
steer the terminal nor begin a line of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from flywheel.text.printable import printable
from ops.tables.terminal import PIPED_WIDTH

_LEAST_WRAPPED = 22
"""What wraps into less than this cannot be read any more."""
_GAP = 2
"""Between two columns: their padding, and what stands for the line between them."""
_INDENT = 2


@dataclass(frozen=True)
class Words:
    """Lines of a cell or value, in a style of rich's."""

    lines: tuple[str, ...]
    style: str = ""

    @classmethod
    def of(cls, value: str | Words) -> Words:
        """With every line printable; a text is one line."""
        lines, style = ((value,), "") if isinstance(value, str) else (value.lines, value.style)
        return cls(tuple(map(printable, lines)), style)

    @property
    def width(self) -> int:
        return max(map(cell_len, self.lines), default=0)

    def text(self, style: str = "") -> Text:
        return Text("\n".join(self.lines), style=self.style or style, overflow="fold")

    def in_one_line(self) -> str:
        return " ".join(line for line in self.lines if line)


def words(*lines: str, style: str = "") -> Words:
    return Words(lines, style)


@dataclass(frozen=True, kw_only=True)
class Column:
    title: str
    rank: int = 0
    """0: always shown. Of the others those with the highest rank are left out first where it is narrow."""
    number: bool = False
    wraps: bool = False
    most: int | None = None
    """Longer lines are shortened to this on a terminal."""


class Listing:
    """A table. Without width for all columns it leaves out the least important; without width for those that matter it
    shows one value below the other."""

    def __init__(self, *columns: Column, title: str | None = None, caption: str | None = None) -> None:
        self._columns = columns
        self._title = title
        self._caption = caption
        self._rows: list[tuple[list[Words], str]] = []

    def add(self, *cells: str | Words, style: str | None = None) -> None:
        if len(cells) != len(self._columns):
            raise ValueError(f"{len(cells)} cells for {len(self._columns)} columns")
        self._rows.append(([Words.of(cell) for cell in cells], style or ""))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if options.max_width >= PIPED_WIDTH:
            yield from self._lines()
            return
        shown = self._that_fit(options.max_width)
        if shown is None:
            yield from self._stacked()
        else:
            yield self._table(shown)
            left_out = [column.title for place, column in enumerate(self._columns) if place not in shown]
            if left_out:
                yield Text(f"Too narrow for {', '.join(left_out)} (--json shows all).", style="dim")
        if self._caption:
            yield Text(printable(self._caption), style="dim italic")

    def _width(self, place: int) -> int:
        column = self._columns[place]
        width = max([cell_len(column.title), *(cells[place].width for cells, _ in self._rows)])
        return width if column.most is None else min(width, column.most)

    def _needed(self, place: int) -> int:
        """The least that the column can be shown in."""
        return min(self._width(place), _LEAST_WRAPPED) if self._columns[place].wraps else self._width(place)

    def _that_fit(self, width: int) -> list[int] | None:
        """The places of the columns to show; None if not even those that matter fit."""
        shown = list(range(len(self._columns)))
        while sum(map(self._needed, shown)) + _GAP * (len(shown) - 1) > width:
            least = max(shown, key=lambda place: self._columns[place].rank)
            if self._columns[least].rank == 0:
                return None
            shown.remove(least)
        return shown

    def _table(self, shown: Sequence[int]) -> Table:
        title = printable(self._title) if self._title else None
        table = Table(
            title=title,
            title_justify="left",
            box=box.SIMPLE_HEAD,
            padding=(0, 1, 0, 0),
            pad_edge=False,
            show_edge=False,
        )
        for place in shown:
            column = self._columns[place]
            table.add_column(
                column.title,
                justify="right" if column.number else "left",
                no_wrap=not column.wraps,
                overflow="fold" if column.wraps else "ellipsis",
                min_width=self._needed(place),
                max_width=column.most,
            )
        for cells, style in self._rows:
            table.add_row(*(cells[place].text(style) for place in shown))
        return table

    def _stacked(self) -> Iterator[RenderableType]:
        if self._title:
            yield Text(printable(self._title), style="italic")
        for cells, style in self._rows:
            first, *rest = zip(self._columns, cells, strict=True)
            yield Text(first[1].in_one_line(), style=first[1].style or style, overflow="fold")
            facts = Facts()
            for column, cell in rest:
                if any(cell.lines):
                    facts.add(column.title, Words(cell.lines, cell.style or style))
            yield Padding(facts, (0, 0, 0, _INDENT))

    def _lines(self) -> Iterator[Text]:
        """One for each row, as wide as its values need."""
        if self._title:
            yield Text(printable(self._title))
        rows = [[cell.in_one_line() for cell in cells] for cells, _ in self._rows]
        titles = [column.title for column in self._columns]
        widths = [max(map(cell_len, column)) for column in zip(titles, *rows, strict=True)]
        for row in [titles, *rows]:
            cells = zip(self._columns, row, widths, strict=True)
            line = "  ".join(_padded(cell, width, right=column.number) for column, cell, width in cells)
            yield Text(line.rstrip())
        if self._caption:
            yield Text(printable(self._caption))


class Facts:
    """Names with their values, one below the other."""

    def __init__(self) -> None:
        self._facts: list[tuple[str, Words]] = []

    def add(self, name: str, value: str | Words) -> None:
        """Without a name it goes on with what the last one began."""
        self._facts.append((name, Words.of(value)))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        name_width = max((cell_len(name) for name, _ in self._facts), default=0)
        if options.max_width >= PIPED_WIDTH:
            for name, value in self._facts:
                for number, line in enumerate(value.lines):
                    yield Text(f"{_padded('' if number else name, name_width)}  {line}".rstrip())
        elif options.max_width - name_width < _LEAST_WRAPPED + 2:
            for name, value in self._facts:
                if name:
                    yield Text(name, style="bold")
                yield Padding(value.text(), (0, 0, 0, _INDENT))
        else:
            grid = Table.grid(padding=(0, 2))
            grid.add_column(style="bold", no_wrap=True)
            grid.add_column(overflow="fold")
            for name, value in self._facts:
                grid.add_row(name, value.text())
            yield grid


def _padded(text: str, width: int, *, right: bool = False) -> str:
    padding = " " * (width - cell_len(text))
    return padding + text if right else text + padding
