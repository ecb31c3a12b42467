"""Reads JSON, an object on each line: JSON Lines in the forms that labelling tools write, and augmented manifests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol

from ..json_object import lines_of, read_object
from ..limits import BYTES_BESIDES_THE_TEXT
from ..line_reader import Block
from ..problems import Violation
from ..rules import DOCUMENT_TOO_LARGE, check_utf8
from .annotations import Annotation
from .intake import Intake
from .rules import EXAMPLE
from .writer import Place

# A character outside ASCII takes six bytes as an escape and at least two as itself.
_ESCAPED_BYTES_PER_BYTE = 3
# Tools add tokens and metadata, and each annotation takes tens of bytes.
_BYTES_PER_BYTE = 200


class Document(NamedTuple):
    text: str
    annotations: Sequence[Annotation]


class JsonForm(Protocol):
    def document_of(self, value: dict[str, Any], /) -> Document | Violation:
        """What an object holds, or what is wrong with it."""


class JsonReader:
    """Turns blocks of lines into documents and bad lines."""

    def __init__(self, form: JsonForm, *, intake: Intake, file: str | None) -> None:
        self._form = form
        self._intake = intake
        self._file = file
        document_bytes = intake.limits.document_bytes
        self.longest_record = (_ESCAPED_BYTES_PER_BYTE + _BYTES_PER_BYTE) * document_bytes + BYTES_BESIDES_THE_TEXT
        """Bytes of the longest record that can hold a document within the limit."""
        self.line = 1
        """The line the next block begins with."""

    def read(self, block: Block) -> int:
        """Take all documents of a block; returns the bytes taken."""
        utf8 = block.raw.isascii() or check_utf8(block.raw) is None
        for raw in lines_of(block.raw):
            if raw and not raw.isspace():
                self._read_line(raw, utf8=utf8)
            self.line += 1
        return len(block.raw)

    def _read_line(self, raw: bytes, *, utf8: bool) -> None:
        place = Place(self._file, self.line)
        found: dict[str, Any] | Document | Violation
        found = read_object(raw, utf8=utf8, example=EXAMPLE)
        if not isinstance(found, Violation):
            found = self._form.document_of(found)
        if isinstance(found, Violation):
            self._intake.refuse(found, place=place, raw=raw)
        else:
            self._intake.take(found.text, found.annotations, place=place, raw=raw)

    def pass_over(self, pieces: Iterator[bytes]) -> None:
        """Take note of a line that is too long to be read as a whole."""
        violation = Violation(DOCUMENT_TOO_LARGE, {"limit": self._intake.limits.document_bytes})
        self._intake.bad.add_long(violation, line=self.line, pieces=pieces, file=self._file)

    def finish(self) -> None:
        """Every line was a document of its own."""
