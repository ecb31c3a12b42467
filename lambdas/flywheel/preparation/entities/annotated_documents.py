"""Brings the documents of a file together with their annotations.

The lines of some files are CSV: in double quotes, while offsets count on what the quotes hold. That is recognised where
a line's annotations prove it; a line that proves nothing is read as those that do.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..file_format import BYTE_ORDER_MARK, LineEnds
from ..json_object import lines_of
from ..label_advice import shortened
from ..problems import Violation
from .annotation_rows import AnnotationRows, BadRow, document_key
from .annotations import Annotation
from .document_files import without_line_end
from .intake import Intake
from .proof import proves
from .rules import QUOTED_LINE, UNKNOWN_LINE
from .source import Opened
from .writer import Place


class AnnotatedDocuments:
    """Takes the lines of one file of documents in order, and gives each its annotations."""

    def __init__(self, number: int, *, file: str, rows: AnnotationRows, intake: Intake) -> None:
        """``number`` is the place of the file among those of the documents."""
        self._number = number
        self._file = file
        self._rows = rows
        self._intake = intake
        self._quoted = False

    def look_ahead(self, file: Opened, line_ends: LineEnds) -> None:
        """Find out by the first lines whether the file's lines are in quotes."""
        head = file.head.removeprefix(BYTE_ORDER_MARK)
        if line_ends is LineEnds.CR:
            head = head.replace(b"\r", b"\n")
        texts = [without_line_end(raw).decode(errors="replace") for raw in lines_of(head)]
        quoted = {
            document_key(self._number, number): (text, inner)
            for number, text in enumerate(texts if file.whole else texts[:-1])
            if (inner := without_quotes(text)) is not None
        }
        votes = [
            _vote(*pair, annotations)
            for pair, annotations in zip(quoted.values(), self._rows.look_ahead(quoted), strict=True)
        ]
        self._quoted = max(votes, default=0) > 0 <= min(votes)

    def take(self, text: str, number: int, raw: bytes) -> None:
        """Take the document in line ``number``, counted from 0."""
        key = document_key(self._number, number)
        self._refuse_before(key, lines=number)
        place = Place(self._file, number + 1)
        annotations = self._rows.of_document(key)
        if isinstance(annotations, BadRow):
            self._intake.refuse(annotations.violation, place=annotations.place, raw=annotations.raw)
            self._intake.bad.copy_more(raw)
            return
        inner = without_quotes(text)
        remarks: Sequence[Violation] = ()
        if inner is not None and (_vote(text, inner, annotations) or self._quoted) > 0:
            text, remarks = inner, [Violation(QUOTED_LINE)]
        self._intake.take(text, annotations, place=place, raw=raw, remarks=remarks)

    def drop(self, number: int) -> None:
        """The document in this line was refused: its annotations go with it."""
        key = document_key(self._number, number)
        self._refuse_before(key, lines=number)
        self._rows.of_document(key)

    def finish(self, *, lines: int) -> None:
        """The file has so many lines and no more."""
        self._refuse_before(document_key(self._number + 1, 0), lines=lines)

    def _refuse_before(self, key: int, *, lines: int) -> None:
        for place, line, (begin, end, name, _) in self._rows.left_before(key):
            what = "which is blank" if line < lines else f"and the file has {lines:,} line(s)"
            violation = Violation(UNKNOWN_LINE, {"line": line, "file": shortened(self._file), "what": what})
            # The row as it stood is not at hand any more.
            row = f"{self._file},{line},{begin},{end},{name}\n"
            self._intake.refuse(violation, place=place, raw=row.encode(errors="replace"))


def without_quotes(line: str) -> str | None:
    """What a line holds that is one cell of CSV in double quotes; None for any other line."""
    if len(line) < 2 or line[0] != '"' or line[-1] != '"':
        return None
    inner = line[1:-1]
    if '"' in inner.replace('""', ""):
        return None
    return inner.replace('""', '"')


def _vote(text: str, inner: str, annotations: Sequence[Annotation]) -> int:
    """1 where annotations prove that offsets count without the quotes, -1 where they prove that they count with."""
    readings = [((text, annotation), (inner, annotation)) for annotation in annotations]
    if proves(readings):
        return 1
    return -1 if proves([(second, first) for first, second in readings]) else 0
