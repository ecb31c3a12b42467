"""The names of analysis jobs, their keys in the intake bucket, and the records under them."""

from __future__ import annotations

import re
from datetime import datetime
from enum import StrEnum

from pydantic import ConfigDict

from flywheel.records.review import Lane, rank_of_margin
from flywheel.store.record import Record

INPUT = "analysis/input/"
OUTPUT = "analysis/output/"
WORK = "analysis/jobs/"
BEGUN = "analysis/begun/"
OPTIONS = "job.json"
"""In the job's input folder. Holds the job's options, and says that all of its input files are there."""
PREDICTIONS_JSONL, PREDICTIONS_CSV, SUMMARY = "predictions.jsonl", "predictions.csv", "summary.json"
_READABLE = 60
"""Most characters of the job's name in an execution's name; Step Functions allows 80 in all."""


class InputFormat(StrEnum):
    """What a document is; the words are Comprehend's."""

    LINES = "ONE_DOC_PER_LINE"
    FILES = "ONE_DOC_PER_FILE"


class JobOptions(Record):
    """`analysis/input/<job>/job.json`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: InputFormat = InputFormat.LINES


class InputFile(Record):
    key: str
    version_id: str
    size: int


class Segment(Record):
    """A file, or a range of one: the lines that begin in it, up to `end`."""

    file: InputFile
    start: int
    end: int

    @property
    def goes_on(self) -> bool:
        """Whether the file continues after this segment."""
        return self.end < self.file.size


class Unit(Record):
    """`units/<unit>/plan.json`: the input that one invocation of split_analysis reads."""

    segments: tuple[Segment, ...]


class PartFacts(Record):
    """`parts/<part>/part.json`."""

    part: str
    documents: int
    """Lines of documents.txt, which Comprehend classifies."""
    errors: int
    """Lines with an error, which Comprehend does not get."""
    continued: bool
    """The part begins in the middle of a file, whose earlier lines are in another unit."""


class UnitFacts(Record):
    """`units/<unit>/unit.json`: the result of splitting a unit; written last."""

    parts: tuple[PartFacts, ...]
    lines_of_last: int
    """Lines of the unit's last segment; the file may continue in the next unit."""


class UnitFailure(Record):
    """`units/<unit>/failure.json`: why a unit could not be split."""

    reason: str


class AnalysisBeginning(Record):
    """`begin.json`: the input of a run, and the model that classifies all of it."""

    job: str
    run: str
    began_at: datetime
    format: InputFormat
    files: int
    objects: int
    """The files, and job.json if it is there."""
    bytes: int
    newest: datetime
    """When the newest of the objects was written."""
    units: int
    model_arn: str
    flywheel_arn: str | None
    """The flywheel that trained the model; None for a model that no flywheel trained."""


class Begun(Record):
    """`analysis/begun/<job>`: the last run that began. The schedule compares it with the input, to find jobs whose S3
    event got lost."""

    run: str


class PartItem(Record):
    """An item of the distributed map over the parts."""

    job: str
    run: str
    part: str
    line_base: int
    """Lines of the part's first file that are in earlier units."""
    alone: bool
    """No other part of the job has documents."""


class Counts(Record):
    """Predictions of a part, or of a whole job, in figures."""

    documents: int = 0
    """Documents with an answer."""
    labels: dict[str, int] = {}
    low_confidence: int = 0
    errors: dict[str, int] = {}
    """Lines that could not be classified, by error code."""


class CollectedPart(Record):
    """`parts/<part>/collected.json`, written last: the part's rows are complete."""

    counts: Counts
    model_arn: str | None
    jsonl_bytes: int
    csv_bytes: int
    candidates: int = 0
    """For the review queue; there is no object of them if there are none."""
    too_long_for_review: int = 0
    """Documents that would be candidates, if people could read such long texts."""


class ReviewCandidate(Record):
    """A document of a part that may enter the review queue."""

    item: str
    lane: Lane
    order: float
    """From 0 to 1, lowest first: the margin, or for audit a random number."""

    @property
    def rank(self) -> int:
        return rank_of_margin(self.order)


class ReviewCandidates(Record):
    """`parts/<part>/review.json`: the documents of `review.jsonl`, line by line."""

    candidates: tuple[ReviewCandidate, ...]


class JoinedJob(Record):
    """`joined.json`: the output files are complete."""

    counts: Counts
    models: tuple[str, ...]
    parts: int
    queued: int = 0
    """Documents that were put into the review queue."""
    too_long_for_review: int = 0


class AnalysisOutcome(StrEnum):
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    STOPPED = "STOPPED"


class AnalysisSummary(Record):
    """`analysis/output/<job>/summary.json`."""

    job: str
    run: str
    outcome: AnalysisOutcome
    reason: str
    format: InputFormat | None = None
    files: int = 0
    documents: int = 0
    labels: dict[str, int] = {}
    low_confidence: int = 0
    low_confidence_threshold: float
    errors: dict[str, int] = {}
    models: tuple[str, ...] = ()
    parts: int = 0
    queued: int = 0
    """Documents that were put into the review queue."""
    too_long_for_review: int = 0
    """Documents that would have been, if they were not so long."""
    began_at: datetime | None = None
    ended_at: datetime
    predictions: tuple[str, ...] = ()
    """Keys of the output files."""

    @property
    def error_lines(self) -> int:
        return sum(self.errors.values())


def input_folder(job: str) -> str:
    return f"{INPUT}{job}/"


def output_key(job: str, name: str) -> str:
    return f"{OUTPUT}{job}/{name}"


def job_of(key: str) -> str | None:
    """The job that an input object belongs to; None for an object outside a job's folder."""
    job, slash, _ = key.removeprefix(INPUT).partition("/")
    return job if slash and job and key.startswith(INPUT) else None


def execution_name(job: str, run: str) -> str:
    """The same for the same input, so that starting it twice starts one execution."""
    return f"{readable(job)}-{run}"


def run_of(execution: str, *, job: str) -> str | None:
    """The run in an execution's name; None if a person chose the name."""
    run = execution.removeprefix(f"{readable(job)}-")
    return run if re.fullmatch(r"[0-9a-f]{16}", run) else None


def readable(job: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "-", job)[:_READABLE]


class RunFolder:
    """The keys of a run's intermediate objects."""

    def __init__(self, job: str, run: str) -> None:
        self.job = job
        self.run = run
        self.prefix = f"{WORK}{job}/{run}/"
        self.beginning = f"{self.prefix}begin.json"
        self.units = f"{self.prefix}units.json"
        self.parts = f"{self.prefix}parts.json"
        self.joined = f"{self.prefix}joined.json"

    def plan(self, unit: int) -> str:
        return f"{self.prefix}units/{unit:05d}/plan.json"

    def unit(self, unit: int) -> str:
        return f"{self.prefix}units/{unit:05d}/unit.json"

    def unit_failure(self, unit: int) -> str:
        return f"{self.prefix}units/{unit:05d}/failure.json"

    def part(self, part: str) -> PartFolder:
        return PartFolder(f"{self.prefix}parts/{part}/")


class PartFolder:
    def __init__(self, prefix: str) -> None:
        self.documents_folder = f"{prefix}documents/"
        """Holds only documents.txt, because a job's S3Uri matches by prefix."""
        self.documents = f"{self.documents_folder}documents.txt"
        self.index = f"{prefix}index.jsonl"
        self.facts = f"{prefix}part.json"
        self.attempt = f"{prefix}attempt.json"
        self.answers = f"{prefix}answers/"
        self.jsonl = f"{prefix}{PREDICTIONS_JSONL}"
        self.csv = f"{prefix}{PREDICTIONS_CSV}"
        self.review = f"{prefix}review.jsonl"
        self.review_index = f"{prefix}review.json"
        self.collected = f"{prefix}collected.json"


def part_name(unit: int, number: int) -> str:
    """Names sort in the order of the input."""
    return f"{unit:05d}-{number:05d}"
