"""Stores Comprehend's answers to a part on disk, to find them by line: the order of the output is not documented."""

from __future__ import annotations

from array import array
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flywheel.analysis.rows import answer_csv_fields, answer_json_members, error_csv_fields, error_json_members
from flywheel.confidence import NO_THRESHOLDS
from flywheel.evaluation.predictions import archive_lines, invalid, read_answer
from flywheel.records.analyses import Counts

if TYPE_CHECKING:
    from flywheel.comprehend.model_kind import ModelKind
    from flywheel.confidence import Thresholds
    from flywheel.evaluation.predictions import Readable

NO_ANSWER = "NO_ANSWER"
_NOTHING = -1


class Answers:
    """Takes 16 bytes of memory for each document, however many labels it has."""

    def __init__(self, path: Path, *, kind: ModelKind, documents: int, low_confidence: float, delimiter: str) -> None:
        """`path` is the file to store them in."""
        self._file = path.open("w+b")
        self._kind = kind
        self._starts = array("q", [_NOTHING]) * documents
        self._lengths = array("q", [0]) * documents
        self._low_confidence = low_confidence
        self._delimiter = delimiter
        self._end = 0
        self._labels: Counter[str] = Counter()
        self._errors: Counter[str] = Counter()
        self._low = 0
        self._answered = 0

    def read(self, archive: Readable, *, thresholds: Thresholds = NO_THRESHOLDS) -> None:
        """Read the `output.tar.gz` of a job over one file with one document a line. Raises InvalidPredictions.

        `thresholds` are those of the model that the job ran.
        The names of the files in it are not documented, so every regular file is read.
        """
        for where, line in archive_lines(archive):
            answer = read_answer(where, line)
            self._keep(self._place(where, answer), *self._predicted(where, answer, thresholds))

    def members(self, document: int) -> tuple[str, str]:
        """A document's answer as members of a JSON object, and as fields of a CSV row."""
        start = self._starts[document]
        if start == _NOTHING:
            self._errors[NO_ANSWER] += 1
            message = "Comprehend did not answer this document."
            return error_json_members(NO_ANSWER, message), error_csv_fields(NO_ANSWER, message)
        self._file.seek(start)
        as_json, _, as_csv = self._file.read(self._lengths[document]).decode().partition("\0")
        return as_json, as_csv

    def counts(self) -> Counts:
        """Counts of the answers that were read, and of the calls to `members` for documents without an answer."""
        return Counts(
            documents=self._answered,
            labels=dict(sorted(self._labels.items())),
            low_confidence=self._low,
            errors=dict(sorted(self._errors.items())),
        )

    def close(self) -> None:
        self._file.close()

    def _place(self, where: str, answer: dict[str, Any]) -> int:
        line = answer.get("Line")
        # Classification writes the number as a string, entity recognition as a number. Either may change.
        if isinstance(line, str) and line.isascii() and line.isdecimal() and len(line) < 10:
            line = int(line)
        if line is None and answer.get("ErrorCode") is not None:
            message = answer.get("ErrorMessage", "no message")
            raise invalid(where, f"the whole input failed with {answer['ErrorCode']}: {message}")
        if not isinstance(line, int) or isinstance(line, bool) or not 0 <= line < len(self._starts):
            raise invalid(where, f"its Line is {line!r}, but the part has {len(self._starts)} lines")
        if self._starts[line] != _NOTHING:
            raise invalid(where, f"line {line} is answered twice")
        return line

    def _predicted(self, where: str, answer: dict[str, Any], thresholds: Thresholds) -> tuple[str, str]:
        code = answer.get("ErrorCode")
        if code is not None:
            message = str(answer.get("ErrorMessage") or "Comprehend gave no reason.")
            self._errors[str(code)] += 1
            return error_json_members(str(code), message), error_csv_fields(str(code), message)
        predicted = self._kind.answer(where, answer, low_confidence=self._low_confidence, thresholds=thresholds)
        self._answered += 1
        self._labels.update(predicted.labels)
        self._low += predicted.low_confidence
        return answer_json_members(predicted), answer_csv_fields(predicted, self._delimiter)

    def _keep(self, place: int, as_json: str, as_csv: str) -> None:
        content = f"{as_json}\0{as_csv}".encode()
        self._file.write(content)
        self._starts[place], self._lengths[place] = self._end, len(content)
        self._end += len(content)
