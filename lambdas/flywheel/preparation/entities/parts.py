"""What belongs together in a folder, by the beginnings of its files."""

from __future__ import annotations

from collections.abc import Iterable

from ..problems import Violation
from .form import find_form
from .limits import AnyType

WANTED = "annotations (CSV with File, Line, Begin Offset, End Offset, Type) or an entity list (CSV with Text, Type)"


def missing_parts(names_and_heads: Iterable[tuple[str, bytes]]) -> str | None:
    """What a folder lacks to be an upload, in words; None if it is complete.

    A head is the beginning of a file, some hundred kilobytes of it if it has as many.
    """
    heads = dict(names_and_heads)
    if not heads:
        return "files"
    alone = [
        name for name, head in heads.items() if isinstance(find_form(head, whole=False, rules=AnyType()), Violation)
    ]
    return WANTED if alone else None
