"""Records of turns: what they found, what they did, how they ended; and their keys."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from flywheel.faults.errors import NotCurrentTurn
from flywheel.records.datasets import DatasetSummary, LabelConflict, WaitingDocuments
from flywheel.records.decisions import DecisionKind, Evidence, HoldoutComparison, ModelScore
from flywheel.records.one_at_a_time import Series, Starter
from flywheel.records.promotions import Promotion
from flywheel.records.uploads import IncompleteFolder, Upload, UploadOutcome, UploadResult
from flywheel.store.record import Record

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

    from flywheel.store.bucket import IntakeBucket


PAUSE_KEY = "turns/paused"
REQUEST_KEY = "turns/request.json"
TURNS = Series(word="turn", folder="turns/", error=NotCurrentTurn)
name_of = TURNS.name_of
number_of = TURNS.number_of
folder = TURNS.folder_of
current_number = TURNS.current_number
require_current = TURNS.require_current


class TurnRequest(Record):
    """An operator's request for a turn now."""

    by: str
    at: datetime
    overrule_minimum: bool = False
    """Compose datasets even if labels have fewer documents than MinimumDocumentsPerLabel."""


class Pause(Record):
    by: str
    at: datetime
    reason: str = ""


class BatchList(Record):
    bucket: str
    key: str
    count: int


class TurnBeginning(Record):
    """What a turn found when it began. Written once: a redriven turn works on the same uploads."""

    turn: str
    began_at: datetime
    flywheel_arn: str
    labels: tuple[str, ...]
    multi_label: bool
    request: TurnRequest | None = None
    unfinished_iteration: str | None = None
    active_model_arn: str | None = None
    changed_outside: str | None = None
    """A sentence, if the active model was changed outside the pipeline."""
    uploads: tuple[Upload, ...] = ()
    replaced: tuple[Upload, ...] = ()
    """Versions of uploads that a newer version of the same key replaced before a turn collected them."""
    set_aside: tuple[Upload, ...] = ()
    """Uploads that an earlier turn could not read. This turn leaves them where they are."""
    incomplete: tuple[IncompleteFolder, ...] = ()
    """Folders that wait for some of their files. This turn leaves them where they are."""
    collected: bool = True
    """False when the turn left the uploads alone; `not_collected_because` says why."""
    not_collected_because: str | None = None

    @property
    def only_decides(self) -> bool:
        """The turn finishes an iteration that somebody, or an earlier turn, had started, and leaves all else."""
        return self.unfinished_iteration is not None


def begin_key(turn: str) -> str:
    return f"{folder(turn)}begin.json"


def uploads_folder(turn: str) -> str:
    return f"{folder(turn)}uploads/"


def result_key(turn: str, upload: Upload) -> str:
    return f"{uploads_folder(turn)}{upload.id}.json"


def composition_key(turn: str) -> str:
    return f"{folder(turn)}datasets.json"


class IterationStart(Record):
    turn: str
    iteration_id: str | None
    reason: str


def iteration_key(turn: str) -> str:
    return f"{folder(turn)}iteration.json"


class DeletedModels(Record):
    """ARNs of the old models that a turn deleted, and of those that it could not delete because they are in use."""

    deleted: tuple[str, ...] = ()
    in_use: tuple[str, ...] = ()


def deleted_key(turn: str) -> str:
    return f"{folder(turn)}deleted-models.json"


class TurnOutcome(StrEnum):
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    ABORTED = "ABORTED"


class UploadCounts(Record):
    """Counts over all uploads of a turn, including those that the turn's record leaves out."""

    outcomes: dict[UploadOutcome, int] = {}
    documents: int = 0
    duplicates: int = 0
    bad_lines: int = 0
    unprepared: int = 0
    replaced: int = 0
    set_aside: int = 0
    """An earlier turn could not read them."""

    @property
    def not_prepared(self) -> int:
        """Uploads that a turn tried to prepare and that are still where they were dropped."""
        return self.unprepared + self.set_aside + self.outcomes.get(UploadOutcome.UNREADABLE, 0)

    @property
    def uploads(self) -> int:
        """Uploads that have an outcome."""
        return sum(self.outcomes.values())


class ReviewedDocuments(Record):
    """Documents of a turn's uploads that came from people's review."""

    documents: int
    reviewers: dict[str, int]
    """ARN of each reviewer, and how many of the documents rest on their answers; those with the most first."""


class TurnRecord(Record):
    """`turn.json`. It is read often and as a whole, so members that grow with the uploads are limited
    (`flywheel.turn.uploads`)."""

    turn: str
    outcome: TurnOutcome
    flywheel_arn: str
    model_type: str = "DOCUMENT_CLASSIFIER"
    """Comprehend's ModelType; records of earlier versions lack it."""
    began_at: datetime | None
    ended_at: datetime
    decision: DecisionKind = DecisionKind.NOTHING
    reasons: tuple[str, ...] = ()
    error: str | None = None
    cause: str | None = None
    upload_counts: UploadCounts | None = None
    """None in records of earlier versions of the pipeline, which hold every upload. `counts` reads both."""
    uploads: tuple[UploadResult, ...] = ()
    """At most 200, preferably rejected ones, and shortened. The full records are in `uploads_folder`."""
    uploads_folder: str | None = None
    """Prefix of `<upload id>.json`, the UploadResult of every upload."""
    reviewed: ReviewedDocuments | None = None
    """None if none came from review."""
    unprepared: tuple[Upload, ...] = ()
    """Uploads whose preparation failed; they stay where they are. At most 100."""
    replaced: tuple[Upload, ...] = ()
    """At most 100."""
    incomplete: tuple[IncompleteFolder, ...] = ()
    """Folders that wait for some of their files. At most 100."""
    datasets: tuple[DatasetSummary, ...] = ()
    waiting: tuple[WaitingDocuments, ...] = ()
    leaked: dict[str, int] = {}
    duplicates: dict[str, int] = {}
    refused: dict[str, int] = {}
    conflicts: dict[str, int] = {}
    conflict_examples: tuple[LabelConflict, ...] = ()
    excluded: dict[str, int] = {}
    """`waiting` to `excluded` are as in Composition."""
    iteration_id: str | None = None
    decided_at: datetime | None = None
    selection_metric: str | None = None
    """The metric that decided; None without a decision."""
    active: ModelScore | None = None
    candidate: ModelScore | None = None
    evidence: Evidence = Evidence.ITERATION
    holdout: HoldoutComparison | None = None
    promotion: Promotion | None = None
    """The state of the candidate's promotion. `report_promotion` updates it when the promotion ends."""
    deleted_models: DeletedModels = DeletedModels()
    changed_outside: str | None = None
    request: TurnRequest | None = None
    more: bool = False

    @property
    def counts(self) -> UploadCounts:
        if self.upload_counts is not None:
            return self.upload_counts
        outcomes = Counter(result.outcome for result in self.uploads)
        return UploadCounts(outcomes=dict(outcomes), unprepared=len(self.unprepared), replaced=len(self.replaced))


def record_key(turn: str) -> str:
    return f"{folder(turn)}turn.json"


def page_key(turn: str) -> str:
    """The turn's report as an HTML page."""
    return f"{folder(turn)}index.html"


def turn_starter(*, intake: IntakeBucket, stepfunctions: SFNClient, machine_arn: str) -> Starter:
    def ended_at(turn: str) -> datetime | None:
        record = intake.read(record_key(turn), TurnRecord)
        return record.ended_at if record else None

    return Starter(series=TURNS, ended_at=ended_at, intake=intake, stepfunctions=stepfunctions, machine_arn=machine_arn)
