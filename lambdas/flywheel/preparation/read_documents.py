"""Reads the documents of a small file as those of an upload are read, without writing them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .file_format import LineEnds
from .labels import LabelColumn
from .layout import find_layout
from .limits import AnyLabel, LabelRules, Limits
from .line_reader import DOS_END, Block
from .manifest_documents import tell_manifest
from .prepare import header_bytes, reader_of
from .problems import BadLines, Problem, Violation
from .unpacking import UnusableGzipError, unpacked
from .unsupported import check_type


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledDocument:
    """``line`` is where the document begins, from 1; ``labels`` are in the order of the settings."""

    line: int
    labels: tuple[str, ...]
    text: str


class _Collected:
    def __init__(self, labels: LabelColumn) -> None:
        self._labels = labels
        self.documents: list[LabelledDocument] = []
        self.line = 1
        """Where the next document begins."""

    def write(self, heads: list[bytes], texts: list[bytes], _with_quotes: Iterable[int], /) -> None:
        self.documents += [
            LabelledDocument(line=self.line, labels=self._labels.names_of(head), text=text.decode())
            for head, text in zip(heads, texts, strict=True)
        ]


def read_documents(content: bytes, *, rules: LabelRules | AnyLabel, limits: Limits) -> list[LabelledDocument] | Problem:
    """All documents of a file that ``prepare`` would take, repeated ones too, or the first thing that is wrong with it.

    Of ``limits`` only those of one document count; a record of many lines takes time by their square.
    """
    try:
        content, source = unpacked(content)
    except UnusableGzipError as error:
        return error.violation.problem()
    violation = source.named(check_type(content))
    if violation is not None:
        return violation.problem()
    labels = LabelColumn(rules)
    layout = find_layout(content, whole=True, labels=labels)
    found = tell_manifest(layout, content, whole=True, configured=limits.manifest_attribute)
    if isinstance(found, Violation):
        return found.problem()
    data = content.rstrip(DOS_END)
    if found.format.line_ends is LineEnds.CR:
        data = data.replace(b"\r", b"\n")
    bad = BadLines(copy=None, examples=1, of_a_kind=1)
    collected = _Collected(labels)
    reader = reader_of(found, labels=labels, limits=limits, documents=collected, bad=bad)
    reader.line += found.format.header_lines
    start = end = header_bytes(found.format, data)
    while start < len(data):
        # One line more each time, so that no two documents are read at once.
        end = data.find(b"\n", end) + 1 or len(data)
        collected.line = reader.line
        start += reader.read(Block(data[start:end], final=end == len(data)))
        if bad.total:
            return bad.examples[0]
    return collected.documents
