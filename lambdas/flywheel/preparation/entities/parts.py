"""What belongs together in a folder, by the beginnings of its files."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from ..file_format import BYTE_ORDER_MARK, LineEnds
from ..label_advice import shortened
from ..layout import BYTES_LOOKED_AT
from ..line_reader import Block
from ..problems import Violation
from .annotation_rows import by_name
from .form import find_form
from .rules import EMPTY_FILE, UNRECOGNISED
from .source import is_hidden
from .tables import Table, TableReader, find_table

HEAD_BYTES = BYTES_LOOKED_AT
_NAMES_SHOWN = 5

_ANNOTATIONS = (
    "annotations (CSV with File, Line, Begin Offset, End Offset, Type) or an entity list (CSV with Text, Type)"
)


def missing_parts(names_and_heads: Iterable[tuple[str, bytes]], *, others: Collection[str] = ()) -> str | None:
    """What a folder lacks to be an upload, in words; None if it is complete.

    A head is the first `HEAD_BYTES` of a file, all of it if it has fewer. `others` are files that nobody looked into:
    documents, where there are annotations. A folder that has its parts and is wrong in another way is complete: to read
    it says what is wrong.
    """
    heads = {name: head for name, head in names_and_heads if not is_hidden(name)}
    if not heads:
        return "its files"
    tables = {name: table for name, head in heads.items() if (table := find_table(head, whole=_is_whole(head)))}
    documents = [*(name for name in heads if name not in tables), *(name for name in others if not is_hidden(name))]
    if not tables:
        forms = (find_form(head, whole=_is_whole(head), attribute=None) for head in heads.values())
        alone = any(isinstance(form, Violation) and form.rule in (UNRECOGNISED, EMPTY_FILE) for form in forms)
        return _ANNOTATIONS if alone else None
    named = dict.fromkeys(
        file
        for name, table in tables.items()
        if not table.is_entity_list
        for file in _files_named(table, heads[name])
        if file not in by_name(documents)
    )
    if named:
        listed = ", ".join(f'"{shortened(file)}"' for file in list(named)[:_NAMES_SHOWN])
        return f"the documents {listed}" + (", ..." if len(named) > _NAMES_SHOWN else "")
    return None if documents else "its documents"


def _is_whole(head: bytes) -> bool:
    return len(head) < HEAD_BYTES


class _Names:
    def __init__(self, column: int) -> None:
        self._column = column
        self.found: dict[str, None] = {}

    def take(self, cells: Sequence[str], _line: int, _raw: bytes, /) -> None:
        self.found[cells[self._column].strip()] = None

    def refuse(self, violation: Violation, line: int, raw: bytes, /) -> None:
        """To read the folder says what is wrong with the row."""


def _files_named(table: Table, head: bytes) -> Iterable[str]:
    """The files that the first rows of annotations name."""
    names = _Names(table.columns["file"])
    lines = head.removeprefix(BYTE_ORDER_MARK)
    if table.format.line_ends is LineEnds.CR:
        lines = lines.replace(b"\r", b"\n")
    if not _is_whole(head):
        lines = lines[: lines.rfind(b"\n") + 1]
    TableReader(table, names, longest_cell=len(head)).read(Block(lines, final=True))
    return names.found
