"""Reads CoNLL: a token and its tag on each line, a blank line between documents.

Tags are those of BIO, IOB1, IOBES and BILOU: ``B`` begins an entity, ``I`` goes on with it or (IOB1) begins it, ``E``
and ``L`` end it, ``S`` and ``U`` are an entity of one token. The tag is the last column. A document's text is its
tokens with one space between them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from ..limits import BYTES_BESIDES_THE_TEXT
from ..line_reader import Block
from ..problems import Violation
from ..rules import DOCUMENT_TOO_LARGE, check_utf8
from .annotations import Annotation
from .intake import Intake
from .rules import NO_TAG, TAG_WITHOUT_BEGIN, UNKNOWN_TAG
from .writer import Place

_OUTSIDE = "O"
_TAG = re.compile(rf"{_OUTSIDE}|([BIESLU])-(.+)")
_Tag = tuple[str, str]
"""A tag's prefix and its type; `_OUTSIDE` has none."""
# A line that is blank, or at which a document starts, ends the document before.
_END = re.compile(rb"^(?:[ \t\r\x0b\x0c]*+\n|-DOCSTART-[^\n]*+(?:\n|\Z))", re.MULTILINE)
_BETWEEN_COLUMNS = re.compile(" +")
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
    """Turns blocks of lines into documents and bad lines."""

    def __init__(self, layout: ConllLayout, *, intake: Intake, file: str | None) -> None:
        self._layout = layout
        self._intake = intake
        self._file = file
        self.longest_record = _BYTES_PER_BYTE * intake.limits.document_bytes + BYTES_BESIDES_THE_TEXT
        """Bytes of the longest record that can hold a document within the limit."""
        self._offered = 0
        self._too_long = False
        self._tags: dict[str, tuple[str, str]] = {}
        self.line = 1
        """The line the next block begins with."""

    def read(self, block: Block) -> int:
        """Take the documents of a block; returns the bytes taken: not those of a document that the block cuts off."""
        data = block.raw
        start = 0
        for end in _END.finditer(data):
            self._take(data[start : end.start()])
            self._too_long = False
            self.line += 1
            start = end.end()
        if block.final:
            self._take(data[start:])
        elif start or not self._is_too_long(block):
            self._offered = 0 if start else len(data)
            return start
        else:
            self._give_up(iter([data]))
            self.line += data.count(b"\n")
        return len(data)

    def pass_over(self, pieces: Iterator[bytes]) -> None:
        """Take note of a line that is too long to be read as a whole: so is its document."""
        self._give_up(pieces)

    def finish(self) -> None:
        """The last block was final, or its last line was passed over."""

    def _is_too_long(self, block: Block) -> bool:
        """Whether the document that the block cuts off is larger than may be; if not, a larger block shows its end."""
        no_more_lines = len(block.raw) == self._offered and block.ahead > self.longest_record
        return self._too_long or no_more_lines or len(block.raw) > self.longest_record

    def _give_up(self, pieces: Iterator[bytes]) -> None:
        if self._too_long:
            for piece in pieces:
                self._intake.bad.copy_more(piece)
        else:
            violation = Violation(DOCUMENT_TOO_LARGE, {"limit": self._intake.limits.document_bytes})
            self._intake.bad.add_long(violation, line=self.line, pieces=pieces, file=self._file)
            self._too_long = True

    def _take(self, raw: bytes) -> None:
        """Take the lines of one document, which may be none."""
        if self._too_long:
            self._intake.bad.copy_more(raw)
        elif raw and not raw.isspace():
            place = Place(self._file, self.line)
            violation = None if raw.isascii() else check_utf8(raw)
            violation = violation or self._document(raw.decode(errors="replace"), place, raw)
            if violation is not None:
                self._intake.refuse(violation, place=place, raw=raw)
        self.line += raw.count(b"\n") + (raw[-1:] not in (b"", b"\n"))

    def _document(self, data: str, place: Place, raw: bytes) -> Violation | None:
        """Take one document; returns what is wrong with its lines."""
        lines = data.removesuffix("\n").split("\n")
        rows = [_split(line, self._layout.separator) for line in lines]
        tags = [tag for row in rows if (tag := self._tag_of(row[-1])) is not None]
        numbers: Sequence[int] = range(place.line, place.line + len(rows))
        if len(tags) < len(rows) or min(map(len, rows)) == 1 or not all(row[0] for row in rows):
            tokens = [number for number, line in enumerate(lines) if not self._is_comment(line, rows[number])]
            rows, numbers = [rows[number] for number in tokens], [numbers[number] for number in tokens]
            violation = self._first_flaw(rows, numbers)
            if violation is not None:
                return violation
        if rows:
            found, remarks = self._entities(rows, tags, numbers)
            text = " ".join([row[0] for row in rows])
            self._intake.take(text, found, place=place, raw=raw, remarks=remarks, counted=True)
        return None

    def _is_comment(self, line: str, row: Sequence[str]) -> bool:
        return line.startswith(_COMMENT) and len(row) != self._layout.columns and self._tag_of(row[-1]) is None

    def _first_flaw(self, rows: Sequence[Sequence[str]], numbers: Sequence[int]) -> Violation | None:
        """What is wrong with the first line that is no token with its tag."""
        for row, number in zip(rows, numbers, strict=True):
            if len(row) == 1 or not row[0]:
                return Violation(NO_TAG, {"number": number})
            if self._tag_of(row[-1]) is None:
                return Violation(UNKNOWN_TAG, {"number": number, "tag": row[-1]})
        return None

    def _entities(
        self, rows: Sequence[Sequence[str]], tags: Sequence[_Tag], numbers: Sequence[int]
    ) -> tuple[list[Annotation], list[Violation]]:
        """The entities of a document, and what to know of its tags."""
        found: list[Annotation] = []
        remarks: list[Violation] = []
        ends = [*accumulate(len(row[0]) + 1 for row in rows)]
        goes_on = False
        for place, (prefix, name) in enumerate(tags):
            if prefix == _OUTSIDE:
                goes_on = False
                continue
            end = ends[place] - 1
            if prefix in "IEL" and goes_on and found[-1].type == name:
                found[-1] = found[-1]._replace(end=end)
            else:
                if prefix in "EL" or (prefix == "I" and self._layout.begin_tags):
                    remarks.append(Violation(TAG_WITHOUT_BEGIN, {"tag": rows[place][-1], "number": numbers[place]}))
                found.append(Annotation(end - len(rows[place][0]), end, name))
            goes_on = prefix in "BI"
        return found, remarks

    def _tag_of(self, tag: str) -> _Tag | None:
        found = self._tags.get(tag)
        if found is None:
            match = _TAG.fullmatch(tag)
            if match is None:
                return None
            found = (match[1] or _OUTSIDE, match[2] or "")
            if len(self._tags) < _MOST_TAGS_REMEMBERED:
                self._tags[tag] = found
        return found
