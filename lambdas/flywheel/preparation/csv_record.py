"""One CSV record at a time, by the letter of RFC 4180: slower than what the bulk of a file is read with, and stricter
than Python's csv module, which joins what stands around a misplaced quote without a word."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

NEWLINE = ord("\n")


class Flaw(Enum):
    """Why no record could be read."""

    UNCLOSED = "no end within the bytes that were looked at"
    BROKEN = "a closing quote is followed by something other than a delimiter or a line end"


@dataclass(frozen=True, slots=True)
class CsvRecord:
    """A record that ends at ``end``: at a newline or at the end of the data.

    ``fields`` are the first two, without their quotes; ``columns`` is how many there are.
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

    def read(self, data: bytes, start: int, longest: int) -> CsvRecord | Flaw:
        """The record of at most ``longest`` bytes that begins at ``start``; lines end with a newline."""
        fields: list[bytes] = []
        columns = 0
        position = start
        limit = min(len(data), start + longest)
        while True:
            columns += 1
            quoted = self._quoted.match(data, position, limit)
            if quoted is not None:
                if not quoted[2]:
                    return Flaw.UNCLOSED
                if columns <= 2:
                    fields.append(quoted[1].replace(b'""', b'"'))
                position = quoted.end()
            else:
                end = self._plain.match(data, position, limit).end()  # type: ignore[union-attr]  # it takes nothing too
                if columns <= 2:
                    fields.append(data[position:end])
                position = end
            if position == len(data) or data[position] == NEWLINE:
                return CsvRecord(fields, columns, position)
            if position == limit:
                return Flaw.UNCLOSED
            if data[position] != self._delimiter:
                return Flaw.BROKEN
            position += 1
            if columns == 2:
                # A line may consist of millions of delimiters.
                end = data.find(b"\n", position, limit)
                if end >= 0 and data.find(b'"', position, end) < 0:
                    return CsvRecord(fields, columns + 1 + data.count(self._delimiter, position, end), end)
