"""Tells by a file's first lines in which form it has documents and annotations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..file_format import BYTE_ORDER_MARK, FileFormat, FileKind, LineEnds, line_ends_of
from ..json_object import first_objects
from ..layout import BYTES_LOOKED_AT
from ..manifest import manifest_lines
from ..problems import Violation
from ..unsupported import check_type
from .conll import ConllLayout, find_conll
from .manifest import find_attribute
from .rules import EMPTY_FILE, MISSING_PARTS, READABLE, UNRECOGNISED
from .tables import find_table


@dataclass(frozen=True, slots=True)
class Form:
    """How a file is written that has documents and their annotations. ``attribute`` is that of a manifest."""

    format: FileFormat
    attribute: str | None = None
    conll: ConllLayout | None = None


def find_form(head: bytes, *, whole: bool, attribute: str | None) -> Form | Violation:
    """``head`` is the beginning of the file, byte order mark included; ``whole`` says that there is no more of it.
    ``attribute`` is the one that counts in a manifest, if one is configured."""
    violation = check_type(head, READABLE)
    if violation is not None:
        return violation
    whole = whole and len(head) <= BYTES_LOOKED_AT
    head = head[:BYTES_LOOKED_AT]
    line_ends, byte_order_mark = line_ends_of(head), head.startswith(BYTE_ORDER_MARK)
    sample = head.removeprefix(BYTE_ORDER_MARK).replace(b"\r\n", b"\n")
    if line_ends is LineEnds.CR:
        sample = sample.replace(b"\r", b"\n")
    if not whole:
        sample = sample[: sample.rfind(b"\n") + 1] or sample
    if not sample.strip():
        return Violation(EMPTY_FILE)
    objects = first_objects(sample)
    conll = None if objects else find_conll(sample.decode(errors="replace"))
    if conll is not None:
        return Form(FileFormat(FileKind.CONLL, line_ends, byte_order_mark), conll=conll)
    if sample.lstrip().startswith(b"{"):
        return _json_form(manifest_lines(objects), line_ends, byte_order_mark, attribute)
    table = find_table(head, whole=whole)
    if table is not None:
        what = "entity list" if table.is_entity_list else "annotations"
        return Violation(MISSING_PARTS, {"missing": f"the documents of its {what}"})
    return Violation(UNRECOGNISED)


def _json_form(
    manifest: list[dict[str, Any]], line_ends: LineEnds, byte_order_mark: bool, configured: str | None
) -> Form | Violation:
    if not manifest:
        return Form(FileFormat(FileKind.JSON_LINES, line_ends, byte_order_mark))
    attribute = find_attribute(manifest, configured=configured)
    if isinstance(attribute, Violation):
        return attribute
    return Form(FileFormat(FileKind.MANIFEST, line_ends, byte_order_mark), attribute=attribute)
