"""The documents of a folder: one on each line of a file, or one in each file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from ..json_object import lines_of
from ..limits import BYTES_BESIDES_THE_TEXT
from ..line_reader import Block
from ..problems import Violation
from ..rules import DOCUMENT_TOO_LARGE, check_utf8
from .intake import Intake
from .writer import Place

# A text that consists of double quotes takes two bytes for each where lines are in quotes.
_QUOTED_BYTES_PER_BYTE = 2


class TakesLines(Protocol):
    def take(self, text: str, number: int, raw: bytes, /) -> None:
        """Take a document: its text, the number of its line from 0, and its record as it stood."""

    def drop(self, number: int, /) -> None:
        """A document was refused without a look at its annotations."""


class DocumentLines:
    """Turns blocks of lines into documents. A blank line is none, and counts as a line."""

    def __init__(self, documents: TakesLines, *, intake: Intake, file: str) -> None:
        self._documents = documents
        self._intake = intake
        self._file = file
        self.longest_record = _QUOTED_BYTES_PER_BYTE * intake.limits.document_bytes + BYTES_BESIDES_THE_TEXT
        self.line = 1
        """The line the next block begins with."""

    def read(self, block: Block) -> int:
        """Take all lines of a block; returns the bytes taken."""
        utf8 = block.raw.isascii() or check_utf8(block.raw) is None
        for raw in lines_of(block.raw):
            if raw and not raw.isspace():
                violation = None if utf8 else check_utf8(raw)
                if violation is None:
                    self._documents.take(without_line_end(raw).decode(), self.line - 1, raw)
                else:
                    self._intake.refuse(violation, place=Place(self._file, self.line), raw=raw)
                    self._documents.drop(self.line - 1)
            self.line += 1
        return len(block.raw)

    def pass_over(self, pieces: Iterator[bytes]) -> None:
        """Take note of a line that is too long to be read as a whole."""
        violation = Violation(DOCUMENT_TOO_LARGE, {"limit": self._intake.limits.document_bytes})
        self._intake.bad.add_long(violation, line=self.line, pieces=pieces, file=self._file)
        self._documents.drop(self.line - 1)

    def finish(self) -> None:
        """Every line was a document of its own."""


class WholeFile:
    """Takes a file as one document, as it is but for a byte order mark."""

    def __init__(self, documents: TakesLines, *, intake: Intake, file: str) -> None:
        self._documents = documents
        self._intake = intake
        self._file = file
        self.longest_record = intake.limits.document_bytes
        self._pieces: list[bytes] = []
        self._size = 0
        self.line = 1

    def read(self, block: Block) -> int:
        """Hold what may belong to a document within the limit, and count the lines."""
        self.line += block.raw.count(b"\n")
        self._size += len(block.raw)
        if self._size <= self.longest_record or not self._pieces:
            self._pieces.append(block.raw)
        return len(block.raw)

    def pass_over(self, pieces: Iterator[bytes]) -> None:
        """Take note of a line that is longer than a document may be."""
        for piece in pieces:
            self._size += len(piece)
            if not self._pieces:
                self._pieces.append(piece)

    def finish(self) -> None:
        """The file is read."""
        raw = b"".join(self._pieces)
        violation = check_utf8(raw)
        if self._size > self.longest_record:
            violation = Violation(DOCUMENT_TOO_LARGE, {"limit": self.longest_record})
        if violation is not None:
            self._intake.refuse(violation, place=Place(self._file, 1), raw=raw)
            self._documents.drop(0)
        elif raw:
            self._documents.take(raw.decode(), 0, raw)


def without_line_end(raw: bytes) -> bytes:
    """``\\n`` or ``\\r\\n``; no other white space is part of it."""
    return raw.removesuffix(b"\n").removesuffix(b"\r")
