"""Tells by a file's first lines in which form it has documents and annotations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..file_format import BYTE_ORDER_MARK, FileFormat, FileKind, LineEnds, line_ends_of
from ..json_object import lines_of, read_object
from ..layout import BYTES_LOOKED_AT
from ..problems import Violation
from ..unsupported import check_type
from .conll import ConllLayout, find_conll
from .limits import AnyType, EntityRules
from .manifest import find_attribute, is_manifest
from .rules import EMPTY_FILE, EXAMPLE, MISSING_PARTS, READABLE, UNRECOGNISED
from .tables import find_table

_OBJECTS_LOOKED_AT = 100


@dataclass(frozen=True, slots=True)
class Form:
    """How a file is written that has documents and their annotations. ``attribute`` is that of a manifest."""

    format: FileFormat
    attribute: str | None = None
    conll: ConllLayout | None = None


def find_form(head: bytes, *, whole: bool, rules: EntityRules | AnyType) -> Form | Violation:
    """``head`` is the beginning of the file, byte order mark included; ``whole`` says that there is no more of it."""
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
    objects = _objects(sample)
    conll = None if objects else find_conll(sample.decode(errors="replace"))
    if conll is not None:
        return Form(FileFormat(FileKind.CONLL, line_ends, byte_order_mark), conll=conll)
    if sample.lstrip().startswith(b"{"):
        return _json_form(objects, line_ends, byte_order_mark, rules)
    table = find_table(head, whole=whole)
    if table is not None:
        what = "entity list" if table.is_entity_list else "annotations"
        return Violation(MISSING_PARTS, {"missing": f"the documents of its {what}"})
    return Violation(UNRECOGNISED)


def _objects(sample: bytes) -> list[dict[str, Any]]:
    """The first lines that are JSON objects."""
    objects: list[dict[str, Any]] = []
    for raw in lines_of(sample) if sample.lstrip().startswith(b"{") else ():
        value = read_object(raw, utf8=False, example=EXAMPLE)
        if isinstance(value, dict):
            objects.append(value)
            if len(objects) == _OBJECTS_LOOKED_AT:
                break
    return objects


def _json_form(
    objects: list[dict[str, Any]], line_ends: LineEnds, byte_order_mark: bool, rules: EntityRules | AnyType
) -> Form | Violation:
    manifests = [value for value in objects if is_manifest(value)]
    if 2 * len(manifests) <= len(objects):
        return Form(FileFormat(FileKind.JSON_LINES, line_ends, byte_order_mark))
    attribute = find_attribute(manifests, configured=rules.attribute)
    if isinstance(attribute, Violation):
        return attribute
    return Form(FileFormat(FileKind.MANIFEST, line_ends, byte_order_mark), attribute=attribute)
