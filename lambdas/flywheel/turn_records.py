"""Records of turns: what they found, what they did, how they ended."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from flywheel.dataset_records import DatasetSummary, Waiting
from flywheel.decision_records import DecisionKind, Evidence, HoldoutComparison, ModelScore
from flywheel.promotion_records import Promotion
from flywheel.record import Record
from flywheel.upload_records import Upload, UploadResult


class TurnRequest(Record):
    """An operator's wish for a turn now."""

    by: str
    at: datetime
    overrule_minimum: bool = False
    """Compose datasets although labels have fewer documents than MinimumDocumentsPerLabel."""


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
    """A sentence, when the active model was changed past the pipeline."""
    uploads: tuple[Upload, ...] = ()
    replaced: tuple[Upload, ...] = ()
    """Versions that a newer one of the same key replaced before they were collected."""
    collected: bool = True
    """False when the turn left the uploads alone; `not_collected_because` says why."""
    not_collected_because: str | None = None


class IterationStart(Record):
    turn: str
    iteration_id: str | None
    reason: str


class DeletedModels(Record):
    """ARNs of old models that a turn deleted, and of those it would have, but for what uses them."""

    deleted: tuple[str, ...] = ()
    in_use: tuple[str, ...] = ()


class TurnOutcome(StrEnum):
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    ABORTED = "ABORTED"


class TurnRecord(Record):
    turn: str
    outcome: TurnOutcome
    flywheel_arn: str
    began_at: datetime | None
    ended_at: datetime
    decision: DecisionKind = DecisionKind.NOTHING
    reasons: tuple[str, ...] = ()
    error: str | None = None
    cause: str | None = None
    uploads: tuple[UploadResult, ...] = ()
    unprepared: tuple[Upload, ...] = ()
    """Collected, but their preparation failed: they stay where they are."""
    replaced: tuple[Upload, ...] = ()
    datasets: tuple[DatasetSummary, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    leaked: dict[str, int] = {}
    iteration_id: str | None = None
    decided_at: datetime | None = None
    selection_metric: str | None = None
    """The score that decided; None without a decision."""
    active: ModelScore | None = None
    candidate: ModelScore | None = None
    evidence: Evidence = Evidence.ITERATION
    holdout: HoldoutComparison | None = None
    promotion: Promotion | None = None
    """What became of it when this was last written; its end is noted here too."""
    deleted_models: DeletedModels = DeletedModels()
    changed_outside: str | None = None
    request: TurnRequest | None = None
    more: bool = False
