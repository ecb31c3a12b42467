"""What most rows of a rejected file have in common: one sentence says more than a hundred examples of it."""

from __future__ import annotations

import re

from .label_advice import LONGEST_LABEL_COMPARED, delimiter_name, joined_labels, joining_advice, shortened
from .labels import LabelColumn
from .layout import Found, Layout, Row
from .problems import Violation
from .rules import COLUMNS_SWAPPED, DELIMITER_TAKEN, EXTRA_COLUMNS, JOINED_LABELS, UNQUOTED_TEXTS

_MOST = 0.8
_IDENTIFIER = re.compile(r"[\w.:/#-]{0,64}")


def diagnose(found: Found, labels: LabelColumn) -> Violation | None:
    """Why a CSV file with too many bad lines has them; None if the rows looked at do not agree on anything."""
    layout = found.layout
    if layout is None or not layout.rows or not labels.configured:
        return None
    rows = [row for row in layout.rows if row is not layout.header]
    return (
        _swapped(layout, rows, labels)
        or _more_columns(layout, rows, labels)
        or _joined(layout, rows, labels)
        or _delimiter_taken(rows, labels)
    )


def _most(found: list[Row], rows: list[Row]) -> bool:
    # The first row may be a header that nobody knows as one.
    return bool(found) and len(found) >= _MOST * max(1, len(rows) - 1)


def _swapped(layout: Layout, rows: list[Row], labels: LabelColumn) -> Violation | None:
    place = 0 if layout.text_first else 1
    swapped = [row for row in rows if row.columns == 2 and labels.knows(row.cells[place])]
    if place == 0 or not _most(swapped, rows):
        return None
    return Violation(COLUMNS_SWAPPED, {"line": swapped[0].line, "label": shortened(swapped[0].cells[place])})


def _more_columns(layout: Layout, rows: list[Row], labels: LabelColumn) -> Violation | None:
    wide = [row for row in rows if row.columns > 2]
    if not _most(wide, rows):
        return None
    columns = sorted({row.columns for row in wide})
    found = f"{columns[0]}" if len(columns) == 1 else f"{columns[0]} to {columns[-1]}"
    for place in range(min(len(row.cells) for row in wide)):
        labelled = [row for row in wide if labels.knows(row.cells[place])]
        if _most(labelled, wide):
            break
    else:
        return None
    first = labelled[0]
    others = [number for number in range(len(first.cells)) if number != place]
    empty = [n for n in others if all(not row.cells[n] for row in wide if n < len(row.cells))]
    identifiers = [
        n
        for n in others
        if n not in empty and all(_IDENTIFIER.fullmatch(row.cells[n]) for row in wide if n < len(row.cells))
    ]
    if place == 0 and len(columns) == 1 and not empty and not identifiers and len(rows) > 1 and not _tabular(wide):
        pass
    elif len(columns) == 1:
        remark = f" Column {_numbers(empty)} is empty." if empty else ""
        remark += f" Column {_numbers(identifiers)} looks like an identifier." if identifiers else ""
        facts = {"found": found, "place": place + 1, "line": first.line, "label": shortened(first.cells[place])}
        return Violation(EXTRA_COLUMNS, {**facts, "remark": remark})
    return Violation(UNQUOTED_TEXTS, {"found": columns[0], "delimiter": delimiter_name(layout.delimiter)})


def _tabular(wide: list[Row]) -> bool:
    """Whether somebody quoted the texts, so that there are more columns on purpose."""
    return all(row.quoted for row in wide)


def _numbers(places: list[int]) -> str:
    return " and ".join(str(place + 1) for place in places)


def _joined(layout: Layout, rows: list[Row], labels: LabelColumn) -> Violation | None:
    place = 1 if layout.text_first else 0
    known = labels.configured
    joined: list[tuple[Row, list[str]]] = []
    for row in rows:
        if row.columns == 2 and not labels.knows(row.cells[place]):
            several = joined_labels(row.cells[place][:LONGEST_LABEL_COMPARED], known)
            if several:
                joined.append((row, several))
    # Some documents may have one label, which is written as it should be.
    if not joined or 2 * len(joined) < len(rows):
        return None
    row, several = max(joined, key=lambda found: len(found[1]))
    suggestion = joining_advice(several, labels.delimiter)
    facts = {"label": shortened(row.cells[place]), "line": row.line, "suggestion": suggestion}
    return Violation(JOINED_LABELS, facts)


def _delimiter_taken(rows: list[Row], labels: LabelColumn) -> Violation | None:
    if labels.delimiter is None:
        return None
    taken = [row for row in rows if labels.knows(row.cells[0].partition(labels.delimiter)[0])]
    if not _most([row for row in taken if row.columns == 1 and labels.delimiter in row.cells[0]], rows):
        return None
    return Violation(DELIMITER_TAKEN, {"delimiter": delimiter_name(labels.delimiter)})
