"""The names of analysis jobs, their keys in the intake bucket, and the records under them."""

from __future__ import annotations

import re
from datetime import datetime
from enum import StrEnum

from pydantic import ConfigDict

from flywheel.store.record import Record

INPUT = "analysis/input/"
OUTPUT = "analysis/output/"
WORK = "analysis/jobs/"
BEGUN = "analysis/begun/"
OPTIONS = "job.json"
"""Below the job's input folder: the options, and the word that the drop is complete."""
PREDICTIONS_JSONL, PREDICTIONS_CSV, SUMMARY = "predictions.jsonl", "predictions.csv", "summary.json"
_READABLE = 60
"""Characters of the job in an execution's name, which may have 80 with the run's."""


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
        """The file has more after it."""
        return self.end < self.file.size


class Unit(Record):
    """`units/<unit>/plan.json`: what one function splits."""

    segments: tuple[Segment, ...]


class PartFacts(Record):
    """`parts/<part>/part.json`."""

    part: str
    documents: int
    """Lines of documents.txt, which Comprehend classifies."""
    errors: int
    """Lines that it is not asked about."""
    continued: bool
    """It begins inside a file whose earlier lines another unit has."""


class UnitFacts(Record):
    """`units/<unit>/unit.json`: what became of a unit; written last."""

    parts: tuple[PartFacts, ...]
    lines_of_last: int
    """Lines of the unit's last segment, whose file may go on in the next unit."""


class UnitFailure(Record):
    """`units/<unit>/failure.json`: why a unit could not be split."""

    reason: str


class AnalysisBeginning(Record):
    """`begin.json`: what a run consists of, and with which model all of it is classified."""

    job: str
    run: str
    began_at: datetime
    format: InputFormat
    files: int
    objects: int
    """The files, and job.json if it is there."""
    bytes: int
    newest: datetime
    """When the last of the objects came."""
    units: int
    model_arn: str
    flywheel_arn: str | None
    """The model's; None for a model from elsewhere."""


class Begun(Record):
    """`analysis/begun/<job>`: the last run that began, for who looks for drops that nobody was told of."""

    run: str


class PartItem(Record):
    """An item of the distributed map over the parts."""

    job: str
    run: str
    part: str
    line_base: int
    """Lines that its first file has before the unit."""
    alone: bool
    """The job has no other part with documents."""


class Counts(Record):
    """What was predicted in a part, or in all of a job."""

    documents: int = 0
    """Documents with an answer."""
    labels: dict[str, int] = {}
    low_confidence: int = 0
    errors: dict[str, int] = {}
    """By code: lines that could not be classified."""


class CollectedPart(Record):
    """`parts/<part>/collected.json`, last: the part's rows are there."""

    counts: Counts
    model_arn: str | None
    jsonl_bytes: int
    csv_bytes: int


class JoinedJob(Record):
    """`joined.json`: the outputs are there."""

    counts: Counts
    models: tuple[str, ...]
    parts: int


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
    began_at: datetime | None = None
    ended_at: datetime
    predictions: tuple[str, ...] = ()
    """The keys of what was predicted."""

    @property
    def error_lines(self) -> int:
        return sum(self.errors.values())


def input_folder(job: str) -> str:
    return f"{INPUT}{job}/"


def output_key(job: str, name: str) -> str:
    return f"{OUTPUT}{job}/{name}"


def job_of(key: str) -> str | None:
    """The job that an object of the input belongs to; None for one that lies in no folder."""
    job, slash, _ = key.removeprefix(INPUT).partition("/")
    return job if slash and job and key.startswith(INPUT) else None


def execution_name(job: str, run: str) -> str:
    """Follows from the input: a repeated start of the same input is the same execution."""
    return f"{readable(job)}-{run}"


def run_of(execution: str, *, job: str) -> str | None:
    """The run that an execution of the job is named after; None for one that a person named."""
    run = execution.removeprefix(f"{readable(job)}-")
    return run if re.fullmatch(r"[0-9a-f]{16}", run) else None


def readable(job: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "-", job)[:_READABLE]


class RunFolder:
    """The keys of what one run makes on the way."""

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
        """Alone in its folder: a job's S3Uri matches by prefix."""
        self.documents = f"{self.documents_folder}documents.txt"
        self.index = f"{prefix}index.jsonl"
        self.facts = f"{prefix}part.json"
        self.attempt = f"{prefix}attempt.json"
        self.answers = f"{prefix}answers/"
        self.jsonl = f"{prefix}{PREDICTIONS_JSONL}"
        self.csv = f"{prefix}{PREDICTIONS_CSV}"
        self.collected = f"{prefix}collected.json"


def part_name(unit: int, number: int) -> str:
    """Sorts as the input does."""
    return f"{unit:05d}-{number:05d}"
