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
    from flywheel.analysis.review_picks import Picks
    from flywheel.comprehend.model_kind import ModelKind
    from flywheel.confidence import Thresholds
    from flywheel.evaluation.predictions import Readable
    from flywheel.records.review import Lane

NO_ANSWER = "NO_ANSWER"
_NOTHING = -1


class Answers:
    """Takes 16 bytes of memory for each document, however many labels it has."""

    def __init__(
        self, path: Path, *, kind: ModelKind, documents: int, low_confidence: float, delimiter: str, picks: Picks
    ) -> None:
        """`path` is the file to store them in. `picks` gets the documents that reviewers should see."""
        self._file = path.open("w+b")
        self._kind = kind
        self._starts = array("q", [_NOTHING]) * documents
        self._lengths = array("q", [0]) * documents
        self._low_confidence = low_confidence
        self._delimiter = delimiter
        self._picks = picks
        self._picked: dict[int, tuple[Lane, float]] | None = None
        self._end = 0
        self._labels: Counter[str] = Counter()
        self._errors: Counter[str] = Counter()
        self._low = 0
        self._answered = 0

    def read(self, archive: Readable, *, thresholds: Thresholds = NO_THRESHOLDS, model_arn: str | None = None) -> None:
        """Read the `output.tar.gz` of a job over one file with one document a line. Raises InvalidPredictions.

        `thresholds` are those of the model that the job ran, `model_arn`, if Comprehend said which one that was.
        The names of the files in it are not documented, so every regular file is read.
        """
        for where, line in archive_lines(archive):
            answer = read_answer(where, line)
            place = self._place(where, answer)
            self._keep(place, *self._predicted(where, place, answer, thresholds, model_arn))

    def members(self, document: int) -> tuple[str, str]:
        """A document's answer as members of a JSON object, and as fields of a CSV row."""
        start = self._starts[document]
        if start == _NOTHING:
            self._errors[NO_ANSWER] += 1
            message = "Comprehend did not answer this document."
            return error_json_members(NO_ANSWER, message), error_csv_fields(NO_ANSWER, message)
        as_json, as_csv, _ = self._read(document)
        return as_json, as_csv

    def for_review(self, document: int) -> tuple[Lane, float, str] | None:
        """The lane of a document that reviewers should see, its order in it, and the Suggestion as JSON. All answers
        have been read."""
        if self._picked is None:
            self._picked = self._picks.taken()
        picked = self._picked.get(document)
        return (*picked, self._read(document)[2]) if picked else None

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

    def _predicted(
        self, where: str, place: int, answer: dict[str, Any], thresholds: Thresholds, model_arn: str | None
    ) -> tuple[str, str, str]:
        code = answer.get("ErrorCode")
        if code is not None:
            message = str(answer.get("ErrorMessage") or "Comprehend gave no reason.")
            self._errors[str(code)] += 1
            return error_json_members(str(code), message), error_csv_fields(str(code), message), ""
        predicted = self._kind.answer(where, answer, low_confidence=self._low_confidence, thresholds=thresholds)
        self._answered += 1
        self._labels.update(predicted.labels)
        self._low += predicted.low_confidence
        row = answer_json_members(predicted), answer_csv_fields(predicted, self._delimiter)
        if not self._picks.take(place, margin=predicted.margin, low_confidence=predicted.low_confidence):
            return *row, ""
        return *row, predicted.suggestion(model_arn=model_arn).model_dump_json()

    def _read(self, document: int) -> tuple[str, str, str]:
        self._file.seek(self._starts[document])
        # JSON has no NUL in it.
        as_json, _, rest = self._file.read(self._lengths[document]).decode().partition("\0")
        as_csv, _, suggestion = rest.rpartition("\0")
        return as_json, as_csv, suggestion

    def _keep(self, place: int, as_json: str, as_csv: str, suggestion: str) -> None:
        content = f"{as_json}\0{as_csv}\0{suggestion}".encode()
        self._file.write(content)
        self._starts[place], self._lengths[place] = self._end, len(content)
        self._end += len(content)
