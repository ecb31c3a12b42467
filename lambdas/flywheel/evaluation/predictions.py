"""What a job answered: its output archive, read line by line ("Outputs for asynchronous analysis")."""

from __future__ import annotations

import json
import math
import tarfile
import zlib
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import IO, Any, Protocol, TypeAlias, cast

from flywheel.confidence import NO_THRESHOLDS, Thresholds, labels_of, margin_of
from flywheel.spans import Span

from .errors import DoubledPrediction, InvalidPredictions, MissingPredictions
from .label_places import LabelSet

_NOTHING: LabelSet = frozenset()
NO_SCORE = -1.0
"""Below every score. A document has it that Comprehend could not analyse, or to which it did not give the label."""


class Readable(Protocol):
    """What is read forwards: a file, or the body of an S3 object."""

    def read(self, size: int = ..., /) -> bytes: ...


class LabelScores:
    """The score of each of a flywheel's labels in each document, or NO_SCORE; 8 bytes each."""

    def __init__(self, *, labels: Sequence[str], documents: int) -> None:
        self._columns = {label: array("d", [NO_SCORE]) * documents for label in labels}

    def of(self, label: str) -> array[float]:
        """By document."""
        return self._columns[label]

    def note(self, line: int, scores: Iterable[tuple[str, float]]) -> None:
        """Labels that are not the flywheel's are left out."""
        for label, score in scores:
            column = self._columns.get(label)
            if column is not None:
                column[line] = score


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """A model's answer to each line of the job's input file."""

    by_line: tuple[LabelSet, ...]
    """One label in MULTI_CLASS mode, any number in MULTI_LABEL mode, of a recognizer its entities (`Span.label`); none
    where Comprehend reported an error."""
    errors: Mapping[int, str]
    """Line -> ErrorCode, for the documents that Comprehend could not analyse; they count as wrong."""
    scores: LabelScores | None = None
    """In MULTI_LABEL mode."""
    margins: Sequence[float] | None = None
    """By line, as of `flywheel.comprehend.model_kind.Prediction`; 1 for a document that could not be analysed."""

    @property
    def errors_by_code(self) -> dict[str, int]:
        """Documents by ErrorCode, in the order of the codes."""
        return dict(sorted(Counter(self.errors.values()).items()))


def read_predictions(
    archive: Readable,
    *,
    documents: int,
    labels: Sequence[str],
    multi_label: bool,
    thresholds: Thresholds = NO_THRESHOLDS,
) -> Predictions:
    """Read the `output.tar.gz` of a job over one file of `documents` lines (InputFormat ONE_DOC_PER_LINE).

    MULTI_CLASS: the class with the highest score; of equals the one that stands first in `labels`. MULTI_LABEL: every
    label whose score reaches its threshold, and the scores of all labels. AWS names neither the files in the
    archive nor the order of lines, so every regular file is read, and lines are joined by their number, which counts
    from 0 and is written as a string.

    Args:
        archive: the compressed archive; it is only read forwards, once, so the body of an S3 object will do.
        labels: the flywheel's labels. A model of an earlier generation may know others: they are kept as they are.

    Raises:
        MissingPredictions: the output lacks lines.
        DoubledPrediction: the output answers a line twice.
        InvalidPredictions: anything else that is not what Comprehend describes.
    """
    scores = LabelScores(labels=labels, documents=documents) if multi_label else None
    return _read(
        archive, documents, _LabelReader(labels=labels, scores=scores, thresholds=thresholds).read, scores=scores
    )


def read_found_entities(archive: Readable, *, documents: int) -> Predictions:
    """As `read_predictions`, of an entities job. The line's number is written as a number."""

    def entities(where: str, _line: int, answer: Mapping[str, Any]) -> tuple[LabelSet, float]:
        found = entities_of(where, answer)
        return frozenset(span.label for span, _ in found), min((score for _, score in found), default=1.0)

    return _read(archive, documents, entities)


_ReadLine: TypeAlias = Callable[[str, int, Mapping[str, Any]], tuple[LabelSet, float]]
"""The answer, and its margin."""


def _read(archive: Readable, documents: int, read: _ReadLine, *, scores: LabelScores | None = None) -> Predictions:
    reader = _Reader(documents=documents, read=read)
    for where, line in archive_lines(archive):
        reader.take(where, line)
    return replace(reader.predictions(), scores=scores)


def archive_lines(archive: Readable) -> Iterator[tuple[str, bytes]]:
    """Each line of every file in a job's output that is not empty, and where it stands, for messages."""
    # The documentation of `tarfile` asks for no more than read() in this mode; its type hints ask for more.
    stream = cast("IO[bytes]", archive)
    try:
        with tarfile.open(fileobj=stream, mode="r|gz") as members:
            for member in members:
                content = members.extractfile(member) if member.isreg() else None
                if content is None:
                    continue
                for number, line in enumerate(content, start=1):
                    if line.strip():
                        yield f"{member.name}, line {number}", line
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise InvalidPredictions(
            f"The job's output is not a complete tar.gz archive ({error}): run the job again."
        ) from error


def read_answer(where: str, line: bytes) -> dict[str, Any]:
    """One line of the output. Raises InvalidPredictions."""
    try:
        answer = json.loads(line)
    except ValueError as error:
        raise invalid(where, f"it is not JSON ({error})") from error
    if not isinstance(answer, dict):
        raise invalid(where, "it is not a JSON object")
    return answer


class _Reader:
    def __init__(self, *, documents: int, read: _ReadLine) -> None:
        self._answers: list[LabelSet | None] = [None] * documents
        self._margins = array("d", [1.0]) * documents
        self._errors: dict[int, str] = {}
        self._read = read
        self._file: str | None = None
        self._same: dict[LabelSet, LabelSet] = {}

    def take(self, where: str, line: bytes) -> None:
        answer = read_answer(where, line)
        self._check_file(where, answer.get("File"))
        code = answer.get("ErrorCode")
        place = self._line(where, answer)
        if self._answers[place] is not None:
            raise DoubledPrediction(place)
        if code is not None:
            self._errors[place] = str(code)
            self._answers[place] = _NOTHING
            return
        predicted, self._margins[place] = self._read(where, place, answer)
        self._answers[place] = self._same.setdefault(predicted, predicted)

    def predictions(self) -> Predictions:
        answers = [answer for answer in self._answers if answer is not None]
        missing = len(self._answers) - len(answers)
        if missing:
            raise MissingPredictions(missing=missing, documents=len(self._answers), first=self._answers.index(None))
        return Predictions(by_line=tuple(answers), errors=dict(sorted(self._errors.items())), margins=self._margins)

    def _check_file(self, where: str, name: object) -> None:
        if name is None:
            return
        if not isinstance(name, str):
            raise invalid(where, "its File is not a string")
        if self._file is not None and name != self._file:
            raise invalid(
                where,
                f"it is about {name!r}, others are about {self._file!r}; a job's input S3Uri matches by prefix, "
                "so give it the hold-out's file in a folder of its own",
            )
        self._file = name

    def _line(self, where: str, answer: Mapping[str, Any]) -> int:
        line = answer.get("Line")
        if line is None and answer.get("ErrorCode") is not None:
            message = answer.get("ErrorMessage", "no message")
            raise invalid(where, f"the whole input failed with {answer['ErrorCode']}: {message}")
        # Classification writes the number as a string, entity recognition as a number: who knows for how long.
        if isinstance(line, str) and line.isascii() and line.isdecimal():
            line = int(line) if len(line) < 10 else len(self._answers)
        if not isinstance(line, int) or isinstance(line, bool):
            raise invalid(where, "its Line is not a number; the job must be run with ONE_DOC_PER_LINE")
        if not 0 <= line < len(self._answers):
            raise invalid(where, f"its Line is {answer['Line']}, but the hold-out has {len(self._answers)} lines")
        return line


class _LabelReader:
    def __init__(self, *, labels: Sequence[str], scores: LabelScores | None, thresholds: Thresholds) -> None:
        """`scores` notes what a MULTI_LABEL model gives; None: the mode is MULTI_CLASS."""
        self._places = {label: place for place, label in enumerate(labels)}
        self._scores = scores
        self._multi_label = scores is not None
        self._thresholds = thresholds

    def read(self, where: str, line: int, answer: Mapping[str, Any]) -> tuple[LabelSet, float]:
        member, other = ("Labels", "Classes") if self._multi_label else ("Classes", "Labels")
        if member not in answer and other in answer:
            mode = "MULTI_LABEL" if self._multi_label else "MULTI_CLASS"
            raise invalid(where, f"it has {other}, but the flywheel's mode is {mode}: the model is not of its kind")
        scores = read_scores(where, member, answer.get(member))
        if self._scores is not None:
            self._scores.note(line, scores)
        else:
            unknown = len(self._places)
            scores.sort(key=lambda scored: (-scored[1], self._places.get(scored[0], unknown), scored[0]))
        labels = labels_of(scores, multi_label=self._multi_label, thresholds=self._thresholds)
        return frozenset(labels), margin_of(scores, multi_label=self._multi_label, thresholds=self._thresholds)


def read_scores(where: str, member: str, entries: object) -> list[tuple[str, float]]:
    if not isinstance(entries, list):
        raise invalid(where, f"its {member} is not a list")
    scores = []
    for entry in entries:
        name, score = (entry.get("Name"), entry.get("Score")) if isinstance(entry, dict) else (None, None)
        if not isinstance(name, str) or isinstance(score, bool) or not isinstance(score, int | float):
            raise invalid(where, f"an entry of its {member} is not a Name with a Score")
        if not -math.inf < score < math.inf:
            raise invalid(where, f"the Score of {name!r} is {score}")
        scores.append((name, score))
    return scores


def entities_of(where: str, answer: Mapping[str, Any]) -> list[tuple[Span, float]]:
    """The entities in a recognizer's answer, with their scores, in the order of the text. Raises InvalidPredictions."""
    entries = answer.get("Entities")
    if not isinstance(entries, list):
        raise invalid(where, "its Entities is not a list")
    found = []
    for entry in entries:
        given = entry if isinstance(entry, dict) else {}
        members: list[Any] = [given.get(member) for member in ("BeginOffset", "EndOffset", "Type", "Score")]
        begin, end, name, score = members
        if (type(begin), type(end)) != (int, int) or type(score) not in (int, float) or not isinstance(name, str):
            raise invalid(where, "an entry of its Entities is not a Type with BeginOffset, EndOffset and Score")
        if not 0 <= begin < end or not -math.inf < score < math.inf:
            raise invalid(where, f"an entity goes from {begin} to {end} with the Score {score}")
        found.append((Span(begin, end, name), float(score)))
    return sorted(found)


def invalid(where: str, problem: str) -> InvalidPredictions:
    return InvalidPredictions(
        f"The job's output cannot be used: {where}: {problem}. Look at the job's input and output, then run it again."
    )
