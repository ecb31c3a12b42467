"""How a file is written: its kind, delimiter, header, line ends."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class FileKind(StrEnum):
    CSV = "csv"
    JSON_LINES = "jsonl"
    MANIFEST = "manifest"
    CONLL = "conll"
    ANNOTATIONS = "annotations"
    """A folder with documents and the places of their entities."""
    ENTITY_LIST = "entity-list"
    """A folder with documents and a list of entities that stand in them."""


class LineEnds(StrEnum):
    LF = "LF"
    CRLF = "CRLF"
    CR = "CR"
    MIXED = "mixed"


@dataclass(frozen=True, slots=True)
class FileFormat:
    """How a file is written. ``delimiter`` and what follows it belong to CSV.

    ``text_first`` says that the header names the text before the label; ``header`` are its column names.
    ``header_lines`` is how many lines hold no document at the beginning: the header's, and the one before it that names
    the delimiter for Excel (``separator_line``, such as ``sep=;``).
    """

    kind: FileKind
    line_ends: LineEnds
    byte_order_mark: bool = False
    delimiter: str | None = None
    header: tuple[str, ...] | None = None
    header_lines: int = 0
    text_first: bool = False
    separator_line: str | None = None
    gzip: bool = False
    """Whether what is read is what the file unpacks to."""


def line_ends_of(head: bytes) -> LineEnds:
    """By the beginning of a file; MIXED also when CRLF ends the lines and a quoted text holds plain newlines."""
    crlf = head.count(b"\r\n")
    lf = head.count(b"\n") - crlf
    if not lf and not crlf and b"\r" in head:
        return LineEnds.CR
    if crlf:
        return LineEnds.MIXED if lf else LineEnds.CRLF
    return LineEnds.LF
