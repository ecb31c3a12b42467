"""The records that the steps of a turn leave in the intake bucket; docs/interfaces.md lists their keys.

They are read by later steps, by later turns, by later versions of this code and by people: members are only ever
added, with a default, and unknown members are ignored.
"""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

LABEL_SEPARATOR_IN_RECORDS = "\x1f"
"""Joins the labels of one document in a record's keys: no label can hold a control character (reference 1.3)."""


class Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Split(StrEnum):
    """What a document is used for; the value is the prefix in the intake bucket."""

    TRAIN = "train"
    TEST = "test"

    @property
    def dataset_type(self) -> str:
        """Comprehend's DatasetType."""
        return self.value.upper()


class Upload(Record):
    """One version of a file that someone dropped."""

    key: str
    split: Split
    version_id: str
    etag: str
    size: int
    last_modified: datetime

    @property
    def name(self) -> str:
        return self.key.rsplit("/", 1)[-1]

    @property
    def id(self) -> str:
        """Readable, unique for each version of each key, safe in a key."""
        readable = re.sub(r"[^A-Za-z0-9._-]+", "-", self.name)[:60].strip("-.") or "upload"
        version = f"{self.key} {self.version_id}".encode()
        return f"{readable}-{hashlib.sha256(version).hexdigest()[:12]}"


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


class UploadOutcome(StrEnum):
    ACCEPTED = "accepted"
    PARTLY_ACCEPTED = "partly accepted"
    REJECTED = "rejected"
    DUPLICATE = "duplicate"
    """Its documents are already in a dataset, or already wait for one."""
    GONE = "gone"
    """Its version was deleted for good before it was read."""


class BadLine(Record):
    """One spelled-out problem; `line` is 1-based, None when it is about the whole file."""

    rule: str
    message: str
    fix: str
    line: int | None = None
    excerpt: str | None = None


class UploadResult(Record):
    upload: Upload
    outcome: UploadOutcome
    reason: str
    """One sentence for people."""
    documents: int = 0
    labels: dict[str, int] = {}
    """Documents by label combination, joined with LABEL_SEPARATOR_IN_RECORDS."""
    duplicates: int = 0
    bad_lines: dict[str, int] = {}
    """How many lines broke each rule."""
    examples: tuple[BadLine, ...] = ()
    content_hash: str | None = None
    report_key: str | None = None


class UploadSource(Record):
    """Where a part came from."""

    key: str
    version_id: str
    last_modified: datetime


class Part(Record):
    """Valid documents with one content hash, waiting for a dataset: `facts.json`."""

    content_hash: str
    split: Split
    documents: int
    bytes: int
    labels: dict[str, int]
    delimiter: str
    """What joins the labels of a document in the CSV; empty in MULTI_CLASS mode, where a document has one."""
    sources: tuple[UploadSource, ...]
    prepared_at: datetime


class DatasetPart(Record):
    content_hash: str
    documents: int
    """Documents of this part that are in the dataset."""
    bytes: int
    labels: dict[str, int]
    """As in Part, for the documents in the dataset."""
    delimiter: str
    sources: tuple[UploadSource, ...]
    held_back: int = 0
    """Documents that went back to `prepared/` because a label of theirs has too few."""
    held_back_hash: str | None = None
    """Content hash of the part that the held-back documents form."""
    leaked: int = 0
    """Documents dropped because their text stands in the other split."""
    accepted_in: str | None = None
    """Prefix of the older dataset it was copied from, for a new generation of the flywheel."""


class DatasetManifest(Record):
    name: str
    split: Split
    flywheel_arn: str
    turn: str
    composed_at: datetime
    parts: tuple[DatasetPart, ...]
    held_back_labels: tuple[str, ...] = ()

    @property
    def prefix(self) -> str:
        return f"datasets/{self.split}/{self.name}/"

    @property
    def documents_prefix(self) -> str:
        """What Comprehend reads: ends in a slash, because S3Uri matches by prefix."""
        return f"{self.prefix}documents/"

    @property
    def documents(self) -> int:
        return sum(part.documents for part in self.parts)


class AcceptedDataset(Record):
    dataset_arn: str
    number_of_documents: int | None = None
    accepted_at: datetime


class DatasetRef(Record):
    name: str
    split: Split


class Waiting(Record):
    """Documents that wait, and why."""

    split: Split
    documents: int
    labels: dict[str, int]
    """Documents by single label."""
    reason: str


class Composition(Record):
    turn: str
    datasets: tuple[DatasetRef, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    leaked: dict[str, int] = {}
    """Documents dropped by split because they stand in the other one."""
    more: bool = False
    """Documents wait only because the dataset was full: another turn has work to do."""


class IterationStart(Record):
    turn: str
    iteration_id: str | None
    reason: str


class DecisionKind(StrEnum):
    PROMOTE = "promote"
    KEEP = "keep"
    REPORT = "report"
    """Only test data were new: nothing was trained."""
    NOTHING = "nothing"


class Metrics(Record):
    """Scores from 0 to 1; a member is absent where the service gave none."""

    F1Score: float | None = None
    Precision: float | None = None
    Recall: float | None = None
    Accuracy: float | None = None


class ModelScore(Record):
    arn: str
    metrics: Metrics
    source: str
    """Where the metrics come from: "this iteration", "iteration <id>", "the model's training" or "hold-out <id>"."""


class Evidence(StrEnum):
    """What a decision compares; the values are those of the parameter Evidence."""

    ITERATION = "ITERATION"
    """The two metric blocks of the iteration."""
    HOLDOUT = "HOLDOUT"
    """Both models' own answers to the documents of one hold-out."""


class AverageScores(Record):
    """Over all labels, from 0 to 1."""

    precision: float
    recall: float
    f1: float


class LabelResult(Record):
    """A model on one label against all others: scores from 0 to 1."""

    label: str
    precision: float
    recall: float
    f1: float
    support: int
    """Documents of the hold-out that carry the label."""


class ConfusedPair(Record):
    """How many documents of one label were given another, or the same."""

    true: str
    predicted: str | None
    """None: no label, or one that is not the flywheel's."""
    documents: int


class HoldoutResult(Record):
    """What a model made of the hold-out, by scikit-learn's definitions."""

    arn: str
    accuracy: float
    macro: AverageScores
    micro: AverageScores
    labels: tuple[LabelResult, ...]
    """In the order of the flywheel's list."""
    confusions: tuple[ConfusedPair, ...] = ()
    """Pairs that occur; none in MULTI_LABEL mode."""
    errors: dict[str, int] = {}
    """Documents that Comprehend could not analyse, by ErrorCode: they count as wrong."""


class GainInterval(Record):
    """The candidate's metric less the active model's, and where it lies at `confidence_level`."""

    metric: str
    difference: float
    low: float
    high: float
    confidence_level: float


class HoldoutComparison(Record):
    """Both models on the same documents, as far as they could be asked."""

    holdout_id: str
    documents: int
    candidate: HoldoutResult | None = None
    active: HoldoutResult | None = None
    """None if there is no active model, if it could not be asked, or if the candidate is it."""
    interval: GainInterval | None = None
    dollars: float = 0.0
    """What the predictions that this decision asked for cost, at us-east-1's price. Those of earlier ones are there."""


class Decision(Record):
    iteration_id: str
    flywheel_arn: str
    turn: str
    decided_at: datetime
    decision: DecisionKind
    reasons: tuple[str, ...]
    selection_metric: str
    candidate: ModelScore | None = None
    active: ModelScore | None = None
    decided_against: str | None = None
    """The active model at the time of the decision: promotion is refused if it has changed since."""
    evidence: Evidence = Evidence.ITERATION
    holdout: HoldoutComparison | None = None


class PromotionMode(StrEnum):
    """What becomes of a candidate that a turn decided to promote."""

    AUTOMATIC = "AUTOMATIC"
    APPROVAL = "APPROVAL"
    NEVER = "NEVER"


class PromotionSource(StrEnum):
    TURN = "turn"
    OPERATOR = "operator"
    PARAMETER = "parameter"
    """Somebody edited `desired-model-arn`."""
    SERVING = "serving"
    """The model that answers failed its smoke test out of a promotion."""


class PromotionRequest(Record):
    """A wish to make a model the active one. It is open until there is an end of it."""

    id: str
    source: PromotionSource
    model_arn: str
    flywheel_arn: str
    requested_at: datetime
    by: str
    reason: str
    decided_against: str | None = None
    """The flywheel's active model when this was wished for: it is refused if that has changed since."""
    turn: str | None = None
    iteration_id: str | None = None
    selection_metric: str | None = None
    score: float | None = None
    """The candidate's, from 0 to 1."""


class PromotionBeginning(Record):
    """What a promotion works on. Written once: a redriven one works on the same request."""

    promotion: str
    began_at: datetime
    request: PromotionRequest | None = None
    """None: no request was open any more."""
    former_model_arn: str | None = None
    approval: bool = False
    """A person has to agree."""
    desired_version: int | None = None
    """Of `desired-model-arn`: a later one is somebody's edit meanwhile. None: there was none."""
    superseded: tuple[str, ...] = ()
    """Ids of the requests that this one makes pointless, if its model can become active at all."""


class ApprovalWait(Record):
    """A promotion waits for a person: whoever may call SendTaskSuccess answers with the token."""

    task_token: str
    asked_at: datetime
    ends_at: datetime


class PromotionStatus(StrEnum):
    REQUESTED = "requested"
    WAITING = "waiting for approval"
    PROMOTED = "promoted"
    ALREADY_ACTIVE = "already active"
    REFUSED = "refused"
    DECLINED = "declined"
    NOT_ANSWERED = "not answered in time"
    SUPERSEDED = "superseded"
    LEFT_TO_PEOPLE = "left to people"
    """PromotionMode is NEVER."""
    SMOKE_TEST_FAILED = "smoke test failed"
    """The endpoint answered wrongly with the model: it was taken back."""
    FAILED = "failed"
    STOPPED = "stopped"

    @property
    def made_active(self) -> bool:
        return self in {PromotionStatus.PROMOTED, PromotionStatus.ALREADY_ACTIVE}


class Promotion(Record):
    """What became of a request, so far or in the end."""

    request_id: str
    source: PromotionSource
    model_arn: str
    former_model_arn: str | None = None
    status: PromotionStatus
    reason: str
    at: datetime
    by: str
    """Who asked for it."""
    turn: str | None = None
    iteration_id: str | None = None
    promotion: str | None = None
    """The execution; None if it needed none."""
    answered_by: str | None = None
    """Who approved or declined it, as they said."""
    warning: str | None = None
    """What Comprehend said about a model that is TRAINED_WITH_WARNING."""
    serving: str | None = None
    """What became of the endpoint; None where none is wanted."""


class PromotionFailures(Record):
    """The executions that failed at a request that is still open."""

    promotions: tuple[str, ...]
    last: Promotion


class DeletedModels(Record):
    """ARNs of old models that a turn deleted, and of those it would have, but for what uses them."""

    deleted: tuple[str, ...] = ()
    in_use: tuple[str, ...] = ()


class TurnOutcome(StrEnum):
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    ABORTED = "ABORTED"


class DatasetSummary(Record):
    name: str
    split: Split
    documents: int
    labels: dict[str, int]
    """Documents by single label."""
    composed_at: datetime | None = None
    accepted_at: datetime | None = None
    """None until Comprehend says COMPLETED."""


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


def labels_of(combination: str) -> tuple[str, ...]:
    """The single labels of a key of a `labels` member."""
    return tuple(combination.split(LABEL_SEPARATOR_IN_RECORDS))


def by_single_label(combinations: dict[str, int]) -> dict[str, int]:
    """Documents by label, from documents by label combination."""
    single: dict[str, int] = {}
    for combination, documents in combinations.items():
        for label in labels_of(combination):
            single[label] = single.get(label, 0) + documents
    return single
