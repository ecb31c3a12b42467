"""One CSV record at a time, by the letter of RFC 4180: slower than what the bulk of a file is read with, and stricter
than Python's csv module, which joins what stands around a misplaced quote without a word."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from .file_format import BYTE_ORDER_MARK

NEWLINE = ord("\n")
BLANK_LINES = re.compile(rb"(?:[ \t\r\x0b\x0c]*+\n)++")
# Where files were put together, one may begin with its mark in the middle; it would hide that a quote follows.
_MARK_BEFORE_QUOTE = BYTE_ORDER_MARK + b'"'


class Flaw(Enum):
    """Why no record could be read."""

    UNCLOSED = "no end within the bytes that were looked at"
    BROKEN = "a closing quote is followed by something other than a delimiter or a line end"


@dataclass(frozen=True, slots=True)
class CsvRecord:
    """A record that ends at ``end``: at a newline or at the end of the data.

    ``fields`` are the first of them (two, if no more were asked for), without their quotes; ``columns`` is how many
    there are.
    """

    fields: list[bytes]
    columns: int
    end: int


class CsvSyntax:
    """Reads records whose fields are separated by ``delimiter``, one ASCII character.

    Spaces around a quoted field are passed over; a quote inside an unquoted field is a character like any other.
    """

    def __init__(self, delimiter: str) -> None:
        separator = re.escape(delimiter.encode("ascii"))
        self._delimiter = ord(delimiter)
        # Possessive throughout: no backtracking, so the time is linear in the bytes up to the closing quote.
        self._quoted = re.compile(rb' *+"([^"]*+(?:""[^"]*+)*+)("?)[ \r]*+')
        self._plain = re.compile(rb"[^" + separator + rb"\n]*+")
        # A column and the delimiter after it; an unquoted one may not begin as a quoted one does.
        quoted = rb' *+"[^"]*+(?:""[^"]*+)*+"[ \r]*+'
        self._more = re.compile(rb"(?:" + quoted + rb"|(?! *+\")[^" + separator + rb"\n]*+)" + separator)

    def read(self, data: bytes, start: int, longest: int, *, wanted: int = 2) -> CsvRecord | Flaw:
        """The record of at most ``longest`` bytes that begins at ``start``; lines end with a newline."""
        fields: list[bytes] = []
        columns = 0
        position = start + len(BYTE_ORDER_MARK) if data.startswith(_MARK_BEFORE_QUOTE, start) else start
        limit = min(len(data), start + longest)
        while True:
            columns += 1
            quoted = self._quoted.match(data, position, limit)
            if quoted is not None:
                if not quoted[2]:
                    return Flaw.UNCLOSED
                if columns <= wanted:
                    fields.append(quoted[1].replace(b'""', b'"'))
                position = quoted.end()
            else:
                end = self._plain.match(data, position, limit).end()  # type: ignore[union-attr]  # it takes nothing too
                if columns <= wanted:
                    fields.append(data[position:end])
                position = end
            if position == len(data) or data[position] == NEWLINE:
                return CsvRecord(fields, columns, position)
            if position == limit:
                return Flaw.UNCLOSED
            if data[position] != self._delimiter:
                return Flaw.BROKEN
            position += 1
            if columns == wanted:
                skipped, position = self._pass_over(data, position, limit)
                columns += skipped

    def _pass_over(self, data: bytes, position: int, limit: int) -> tuple[int, int]:
        """Columns that nobody wants, but for the last: a line may have millions."""
        end = data.find(b"\n", position, limit)
        if end < 0:
            end = limit
        if data.find(b'"', position, end) < 0:
            last = data.rfind(self._delimiter, position, end) + 1
            return data.count(self._delimiter, position, end), last or position
        skipped = 0
        while column := self._more.match(data, position, limit):
            skipped += 1
            position = column.end()
        return skipped, position
