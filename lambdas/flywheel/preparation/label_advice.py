"""What to say of a label that the flywheel does not have: what was probably meant, and why it is not the same."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from flywheel.text.look_alikes import as_seen

from .label_forms import as_meant, different_characters, odd_characters, printable

LONGEST_LABEL_COMPARED = 200
_LABELS_LISTED = 10
_DELIMITER_NAMES = {
    ",": "a comma",
    ";": "a semicolon",
    "\t": "a tab",
    "|": "a vertical bar",
    " ": "a space",
}
_NUMBER = re.compile(r"[\d.,\s+-]+")


def delimiter_name(delimiter: str) -> str:
    return _DELIMITER_NAMES.get(delimiter, repr(delimiter))


def advise(facts: Mapping[str, Any]) -> Mapping[str, Any]:
    """Facts for the sentences of an unknown label: ``shown``, ``odd`` and ``suggestion``."""
    label, known, delimiter = facts["label"], facts["known"], facts["delimiter"]
    several = joined_labels(label, known) if len(label) <= LONGEST_LABEL_COMPARED else []
    if several:
        return {"shown": shortened(label), "odd": "", "suggestion": joining_advice(several, delimiter)}
    return advise_name(facts)


def advise_name(facts: Mapping[str, Any]) -> Mapping[str, Any]:
    """As `advise`, of a name that stands alone."""
    label, known = facts["label"], facts["known"]
    shown = {"shown": shortened(label), "odd": ""}
    near = nearest_label(label, known)
    if len(label) <= LONGEST_LABEL_COMPARED:
        shown["odd"] = odd_characters(label, known)
    if near is not None and as_seen(near) == as_seen(label):
        shown["odd"] = shown["odd"] or different_characters(label, near)
        return {**shown, "suggestion": f'It looks like "{near}" and is another: type the label anew.'}
    if near is not None:
        return {**shown, "suggestion": f'Did you mean "{near}"?'}
    listed = ", ".join(known[:_LABELS_LISTED]) + (", ..." if len(known) > _LABELS_LISTED else "")
    return {**shown, "suggestion": f"Use one of: {listed}."}


def nearest_label(label: str, known: Sequence[str]) -> str | None:
    """The label somebody probably meant. Equal but for case, spaces, hyphens and underscores beats similar."""
    if len(label) > LONGEST_LABEL_COMPARED:
        return None
    by_form: dict[str, str] = {}
    for candidate in known:
        by_form.setdefault(as_meant(candidate), candidate)
    form = as_meant(label)
    if form in by_form:
        return by_form[form]
    near = difflib.get_close_matches(form, list(by_form), n=1)
    return by_form[near[0]] if near else None


def joined_labels(cell: str, known: Sequence[str]) -> list[str]:
    """The configured labels in a cell that joins several in a way of its own, or writes them as a list; else none."""
    cell = cell[: 10 * LONGEST_LABEL_COMPARED]
    if not cell or cell in known or _NUMBER.fullmatch(cell):
        return []
    longest_first = sorted(known, key=len, reverse=True)
    # A label counts where it stands as a word of its own.
    alternatives = "|".join(map(re.escape, longest_first))
    found = list(dict.fromkeys(re.findall(rf"(?<![^\W_])(?:{alternatives})(?![^\W_])", cell)))
    return found if len(found) > 1 or (found and cell[0] in "[{(") else []


def joining_advice(labels: Sequence[str], delimiter: str | None) -> str:
    """``delimiter`` is None where a document has one label."""
    if len(labels) == 1:
        return f'Write the label alone: "{labels[0]}".'
    if delimiter is None:
        return "This flywheel takes one label for each document (MULTI_CLASS): keep one of them."
    return f'Here {delimiter_name(delimiter)} joins the labels of a document: write "{delimiter.join(labels)}".'


def shortened(label: str) -> str:
    shown = printable(label[: LONGEST_LABEL_COMPARED + 1])
    return shown if len(label) <= LONGEST_LABEL_COMPARED else shown[:LONGEST_LABEL_COMPARED] + "…"
