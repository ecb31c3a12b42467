"""The answers of `flywheel review export` and `flywheel review import`."""

from __future__ import annotations

from rich.console import Group, RenderableType

from ops.tables.figures import count
from ops.tables.listing import Column, Listing
from ops.verbs.review_files.exchange import Exported, Imported


def exported_view(exported: Exported) -> RenderableType:
    if not exported.items:
        return "Nothing waits for review: the file is empty."
    return (
        f"{count(exported.items, 'item')} in {exported.path}. What is not answered by {exported.until:%Y-%m-%d} goes "
        "back into the queue."
    )


def imported_view(imported: Imported) -> RenderableType:
    became = ", ".join(f"{number} {state.lower()}" for state, number in imported.states.items())
    sentence = f"{count(imported.answered, 'answer')} taken{f' ({became})' if became else ''}."
    if imported.unanswered:
        sentence += f" {count(imported.unanswered, 'item')} of the file had none."
    if not imported.refused:
        return sentence
    table = Listing(Column(title="Refused"), Column(title="Why", wraps=True))
    for refusal in imported.refused:
        table.add(refusal.where, refusal.message)
    return Group(sentence, table)
