"""Joins Comprehend's answers to a part with the part's text, in the order of the input."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from flywheel.analysis.answers import Answers
from flywheel.analysis.classify_part import attempts_of
from flywheel.analysis.errors import PartFailed
from flywheel.analysis.review_picks import CandidateWriter, Picks
from flywheel.analysis.rows import csv_row, error_csv_fields, error_json_members, field, json_row
from flywheel.analysis.split_analysis import LineError
from flywheel.confidence import NO_THRESHOLDS
from flywheel.evaluation.errors import InvalidPredictions
from flywheel.faults.errors import UnknownRecord
from flywheel.records.analyses import AnalysisBeginning, CollectedPart, Counts, InputFormat, PartFacts, RunFolder
from flywheel.records.thresholds import thresholds_of
from flywheel.store.stream import buffered

if TYPE_CHECKING:
    from flywheel.analysis.begin_analysis import JobLimits
    from flywheel.comprehend.active_model import ActiveModelService
    from flywheel.records.analyses import PartFolder, PartItem
    from flywheel.store.bucket import IntakeBucket


@dataclass(frozen=True, kw_only=True)
class Collector:
    intake: IntakeBucket
    service: ActiveModelService
    limits: JobLimits
    low_confidence: float
    """Documents with a lower confidence are marked for review."""
    delimiter: str
    """Joins several labels in the CSV output."""
    review: int = 0
    """Most documents of low confidence of a job that are put into the review queue."""
    audit_percent: float = 0
    """The share of the others that may be, too."""

    def collect(self, item: PartItem) -> CollectedPart:
        """Write the part's rows. A repeated call writes the same, or finds them complete. Raises PartFailed."""
        folder = RunFolder(item.job, item.run)
        place = folder.part(item.part)
        known = self.intake.read(place.collected, CollectedPart)
        if known is not None:
            return known
        facts = self.intake.require(place.facts, PartFacts)
        beginning = self.intake.require(folder.beginning, AnalysisBeginning)
        lines = beginning.format is InputFormat.LINES
        with tempfile.TemporaryDirectory() as temporary:
            path = Path(temporary)
            answers = Answers(
                path / "answers",
                kind=self.service.kind,
                documents=facts.documents,
                low_confidence=self.low_confidence,
                delimiter=self.delimiter,
                picks=Picks(most=self.review, audit_percent=self.audit_percent, part=place.collected),
            )
            model_arn = self._read_answers(item, answers, began_with=beginning.model_arn) if facts.documents else None
            with (
                (path / "jsonl").open("w", encoding="utf-8", newline="") as as_json,
                (path / "csv").open("w", encoding="utf-8", newline="") as as_csv,
                (path / "spool").open("w+b") as spool,
                (path / "review").open("wb") as review,
            ):
                rows = _Rows(as_json=as_json, as_csv=as_csv, numbered=lines, limits=self.limits)
                candidates = CandidateWriter(spool, most=self.review, at=beginning.began_at)
                self._join(place, answers, rows, candidates, line_base=item.line_base)
                index = candidates.write(review)
            answers.close()
            counts = answers.counts()
            errors = dict(sorted((Counter(counts.errors) + rows.errors).items()))
            collected = CollectedPart(
                counts=counts.model_copy(update={"errors": errors}),
                model_arn=model_arn,
                jsonl_bytes=(path / "jsonl").stat().st_size,
                csv_bytes=(path / "csv").stat().st_size,
                candidates=len(index.candidates),
                too_long_for_review=candidates.too_long,
            )
            if index.candidates:
                self.intake.upload_file(path / "review", place.review)
                self.intake.write(place.review_index, index)
            self.intake.upload_file(path / "jsonl", place.jsonl)
            self.intake.upload_file(path / "csv", place.csv)
        self.intake.write(place.collected, collected)
        return collected

    def _read_answers(self, item: PartItem, answers: Answers, *, began_with: str) -> str | None:
        """Read the answers into `answers`. Returns the model that gave them, if Comprehend said it: otherwise that is
        most likely the one that the analysis job began with."""
        attempts = attempts_of(item, intake=self.intake, service=self.service)
        known = attempts.last()
        if known is None:
            raise UnknownRecord(attempts.key)
        if not known.archive or known.failure:
            failure = known.failure or "it has not ended"
            attempts.note(known, failure=failure)
            raise PartFailed(f"Classification job {known.job_id}: {failure}")
        thresholds = NO_THRESHOLDS
        if self.service.kind.has_thresholds:
            thresholds = thresholds_of(known.model_arn or began_with, intake=self.intake)
        try:
            with self.intake.open(known.archive) as archive:
                answers.read(archive, thresholds=thresholds, model_arn=known.model_arn)
        except InvalidPredictions as error:
            # The next execution of the analysis job makes another attempt.
            attempts.note(known, failure=str(error))
            raise PartFailed(str(error)) from error
        return known.model_arn

    def _join(
        self, place: PartFolder, answers: Answers, rows: _Rows, candidates: CandidateWriter, *, line_base: int
    ) -> None:
        documents = self._documents(place)
        document = 0
        for entry in self._index(place):
            match entry:
                case ["file", str(name), int(before), bool(continued)]:
                    rows.begin_file(name, before + (line_base if continued else 0))
                case ["documents", int(count)]:
                    for _ in range(count):
                        as_json, as_csv = answers.members(document)
                        text = next(documents)
                        rows.write(text, as_json, as_csv)
                        picked = answers.for_review(document)
                        if picked is not None:
                            lane, order, suggestion = picked
                            candidates.note(text, suggestion, lane=lane, order=order)
                        document += 1
                case ["error", str(code), str(text)]:
                    rows.write_error(LineError(code), text)

    def _documents(self, place: PartFolder) -> Iterator[str]:
        with self.intake.open(place.documents) as stream:
            for line in buffered(stream):
                yield line[:-1].decode()

    def _index(self, place: PartFolder) -> Iterator[list[Any]]:
        with self.intake.open(place.index) as stream:
            for line in buffered(stream):
                yield json.loads(line)


class _Rows:
    """Writes the rows of both outputs, JSON lines and CSV."""

    def __init__(self, *, as_json: TextIO, as_csv: TextIO, numbered: bool, limits: JobLimits) -> None:
        self._as_json = as_json
        self._as_csv = as_csv
        self._numbered = numbered
        self._limits = limits
        self._file_json = self._file_csv = ""
        self._line = 0
        self.errors: Counter[str] = Counter()

    def begin_file(self, name: str, lines_before: int) -> None:
        self._file_json, self._file_csv = json.dumps(name, ensure_ascii=False), field(name)
        self._line = lines_before

    def write(self, text: str, as_json: str, as_csv: str) -> None:
        self._line += 1
        line = self._line if self._numbered else None
        self._as_json.write(json_row(file=self._file_json, line=line, text=text, members=as_json))
        self._as_csv.write(csv_row(file=self._file_csv, line=line, text=text, fields=as_csv))

    def write_error(self, error: LineError, text: str) -> None:
        message = error.sentence(document_bytes=self._limits.document_bytes)
        self.errors[error] += 1
        self.write(text, error_json_members(error, message), error_csv_fields(error, message))


def total(parts: Iterable[Counts]) -> Counts:
    documents = low = 0
    labels: Counter[str] = Counter()
    errors: Counter[str] = Counter()
    for counts in parts:
        documents += counts.documents
        low += counts.low_confidence
        labels.update(counts.labels)
        errors.update(counts.errors)
    return Counts(
        documents=documents,
        labels=dict(sorted(labels.items())),
        low_confidence=low,
        errors=dict(sorted(errors.items())),
    )
