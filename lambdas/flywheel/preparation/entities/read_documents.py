"""Reads the documents of a small file as those of an upload are read, without writing them."""

from __future__ import annotations

from dataclasses import dataclass

from ..file_format import BYTE_ORDER_MARK, LineEnds
from ..line_reader import DOS_END, Block
from ..problems import BadLines, Problem, Violation
from ..unpacking import UnusableGzipError, unpacked
from .form import find_form
from .intake import Intake
from .limits import AnyType, EntityLimits, EntityRules
from .prepare import reader_of
from .spans import Span
from .type_names import TypeNames
from .writer import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityDocument:
    """``line`` is where the document begins, from 1; ``spans`` are sorted."""

    line: int
    text: str
    spans: tuple[Span, ...]


class _Collected:
    def __init__(self) -> None:
        self.documents: list[EntityDocument] = []

    def add(self, text: str, spans: tuple[Span, ...], place: Place, _raw: bytes, /) -> None:
        self.documents.append(EntityDocument(line=place.line, text=text, spans=spans))


def read_entity_documents(
    content: bytes, *, rules: EntityRules | AnyType, limits: EntityLimits
) -> list[EntityDocument] | Problem:
    """All documents of a file that `prepare_entities` would take, repeated ones too, or the first thing that is wrong
    with it. Of ``limits`` only those of one document count."""
    try:
        content, source = unpacked(content)
    except UnusableGzipError as error:
        return error.violation.problem()
    form = source.named(find_form(content, whole=True, attribute=limits.manifest_attribute))
    if isinstance(form, Violation):
        return form.problem()
    bad = BadLines(copy=None, examples=1, of_a_kind=1)
    collected = _Collected()
    remarks = BadLines(copy=None, examples=0, of_a_kind=0)
    intake = Intake(types=TypeNames(rules), limits=limits, documents=collected, bad=bad, remarks=remarks)
    data = content.rstrip(DOS_END)
    if form.format.line_ends is LineEnds.CR:
        data = data.replace(b"\r", b"\n")
    reader = reader_of(form, intake=intake, file=None)
    reader.read(Block(data.removeprefix(BYTE_ORDER_MARK), final=True))
    reader.finish()
    return bad.examples[0] if bad.total else collected.documents
