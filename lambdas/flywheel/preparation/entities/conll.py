"""Reads CoNLL: a token and its tag on each line, a blank line between documents.

Tags are those of BIO, IOB1, IOBES and BILOU: ``B`` begins an entity, ``I`` goes on with it or (IOB1) begins it, ``E``
and ``L`` end it, ``S`` and ``U`` are an entity of one token. The tag is the last column. A document's text is its
tokens with one space between them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ..json_object import lines_of
from ..limits import BYTES_BESIDES_THE_TEXT
from ..line_reader import Block
from ..problems import Violation
from ..rules import DOCUMENT_TOO_LARGE, check_utf8
from .annotations import Annotation
from .intake import Intake
from .rules import NO_TAG, TAG_WITHOUT_BEGIN, UNKNOWN_TAG
from .writer import Place

_TAG = re.compile(r"O|([BIESLU])-(.+)")
_BETWEEN_COLUMNS = re.compile(" +")
_DOCUMENT_START = b"-DOCSTART-"
_COMMENT = "#"
_LINES_LOOKED_AT = 1000
_MOST_LINES = 0.8
# A token of one byte may come with several more columns.
_BYTES_PER_BYTE = 200
_MOST_TAGS_REMEMBERED = 1000


@dataclass(frozen=True, slots=True)
class ConllLayout:
    """``begin_tags`` says that every entity begins with ``B``, also one that follows no other (not so in IOB1)."""

    separator: str
    columns: int
    begin_tags: bool


def find_conll(sample: str) -> ConllLayout | None:
    """``sample`` are the first lines of a file, whole ones, with ``\\n`` at their ends; None if they are no CoNLL."""
    lines = sample.split("\n")[:_LINES_LOOKED_AT]
    for separator in ("\t", " "):
        tagged = [_split(line, separator) for line in lines if line.strip() and not line.startswith("-DOCSTART-")]
        good = [columns for columns in tagged if len(columns) > 1 and _TAG.fullmatch(columns[-1])]
        comments = [columns for columns in tagged if columns[0].startswith(_COMMENT) and columns not in good]
        if good and len(good) >= _MOST_LINES * (len(tagged) - len(comments)):
            return ConllLayout(separator, len(good[0]), _begin_tags(lines, separator))
    return None


def _begin_tags(lines: list[str], separator: str) -> bool:
    outside = True
    for line in lines:
        tag = _split(line, separator)[-1]
        if outside and tag.startswith("B-"):
            return True
        outside = not tag.startswith(("B-", "I-"))
    return False


def _split(line: str, separator: str) -> list[str]:
    line = line.rstrip("\r")
    return line.split("\t") if separator == "\t" else _BETWEEN_COLUMNS.split(line.strip(" "))


class ConllReader:
    """Turns blocks of lines into documents and bad lines; a document may go on from one block to the next."""

    def __init__(self, layout: ConllLayout, *, intake: Intake, file: str | None) -> None:
        self._layout = layout
        self._intake = intake
        self._file = file
        self.longest_record = _BYTES_PER_BYTE * intake.limits.document_bytes + BYTES_BESIDES_THE_TEXT
        """Bytes of the longest record that can hold a document within the limit."""
        self._lines: list[bytes] = []
        self._size = 0
        self._too_long = False
        self._tags: dict[str, tuple[str, str] | None] = {}
        self.line = 1
        """The line the next block begins with."""

    def read(self, block: Block) -> int:
        """Take all lines of a block; returns the bytes taken."""
        for raw in lines_of(block.raw):
            if not raw or raw.isspace() or raw.startswith(_DOCUMENT_START):
                self.finish()
            elif self._too_long:
                self._intake.bad.copy_more(raw)
            else:
                self._lines.append(raw)
                self._size += len(raw)
                if self._size > self.longest_record:
                    self._give_up(iter(self._lines))
            self.line += 1
        return len(block.raw)

    def pass_over(self, pieces: Iterator[bytes]) -> None:
        """Take note of a line that is too long to be read as a whole: so is its document."""
        if self._too_long:
            for piece in pieces:
                self._intake.bad.copy_more(piece)
        else:
            self._lines.append(next(pieces))
            self._give_up(iter([*self._lines, *pieces]))

    def finish(self) -> None:
        """The lines so far are a document."""
        if self._lines and not self._too_long:
            raw = b"".join(self._lines)
            place = Place(self._file, self.line - len(self._lines))
            found = check_utf8(raw) or self._document(raw.decode(errors="replace"), place, raw)
            if isinstance(found, Violation):
                self._intake.refuse(found, place=place, raw=raw)
        self._lines, self._size, self._too_long = [], 0, False

    def _give_up(self, pieces: Iterator[bytes]) -> None:
        violation = Violation(DOCUMENT_TOO_LARGE, {"limit": self._intake.limits.document_bytes})
        line = self.line - len(self._lines) + 1
        self._intake.bad.add_long(violation, line=line, pieces=pieces, file=self._file)
        self._lines, self._too_long = [], True

    def _document(self, data: str, place: Place, raw: bytes) -> Violation | None:
        """Take one document; returns what is wrong with its lines."""
        tokens: list[str] = []
        entities = _Entities(begin_tags=self._layout.begin_tags)
        for number, line in enumerate(data.rstrip("\n").split("\n"), place.line):
            columns = _split(line, self._layout.separator)
            tag = self._tag_of(columns[-1])
            if tag is None and line.startswith(_COMMENT) and len(columns) != self._layout.columns:
                continue
            if len(columns) == 1 or not columns[0]:
                return Violation(NO_TAG, {"number": number})
            if tag is None:
                return Violation(UNKNOWN_TAG, {"number": number, "tag": columns[-1]})
            tokens.append(columns[0])
            entities.add(len(columns[0]), *tag, number)
        if tokens:
            text = " ".join(tokens)
            self._intake.take(text, entities.found, place=place, raw=raw, remarks=entities.remarks, counted=True)
        return None

    def _tag_of(self, tag: str) -> tuple[str, str] | None:
        """Prefix and type of a tag; ``O`` has no type."""
        if tag not in self._tags:
            match = _TAG.fullmatch(tag)
            found = (match[1] or "O", match[2] or "") if match else None
            if len(self._tags) >= _MOST_TAGS_REMEMBERED:
                return found
            self._tags[tag] = found
        return self._tags[tag]


class _Entities:
    """The entities of one document, out of its tags."""

    def __init__(self, *, begin_tags: bool) -> None:
        self._begin_tags = begin_tags
        self._position = 0
        self._open = False
        self.found: list[Annotation] = []
        self.remarks: list[Violation] = []

    def add(self, length: int, prefix: str, name: str, number: int) -> None:
        """A token of so many characters with its tag; ``number`` is its line."""
        begin, end = self._position, self._position + length
        self._position = end + 1
        if prefix == "O":
            self._open = False
        elif prefix in "IEL" and self._open and self.found[-1].type == name:
            self.found[-1] = self.found[-1]._replace(end=end)
        else:
            if prefix in "EL" or (prefix == "I" and self._begin_tags):
                self.remarks.append(Violation(TAG_WITHOUT_BEGIN, {"tag": f"{prefix}-{name}", "number": number}))
            self.found.append(Annotation(begin, end, name))
        if prefix != "O":
            self._open = prefix in "BI"
