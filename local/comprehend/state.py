"""What the service knows, for each account and Region. It lives in memory and ends with the process."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from local.comprehend.identifiers import Scope
from local.comprehend.inferences import InferenceThroughput
from local.comprehend.model_kind import Evaluation, ModelKind
from local.comprehend.training_data import Contents, DataFile, DataSource


class FlywheelStatus(StrEnum):
    CREATING = "CREATING"
    ACTIVE = "ACTIVE"
    DELETING = "DELETING"
    FAILED = "FAILED"


class DatasetStatus(StrEnum):
    CREATING = "CREATING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"


class IterationStatus(StrEnum):
    TRAINING = "TRAINING"
    EVALUATING = "EVALUATING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"


class ModelStatus(StrEnum):
    SUBMITTED = "SUBMITTED"
    TRAINING = "TRAINING"
    TRAINED = "TRAINED"
    TRAINED_WITH_WARNING = "TRAINED_WITH_WARNING"
    IN_ERROR = "IN_ERROR"
    STOP_REQUESTED = "STOP_REQUESTED"
    STOPPED = "STOPPED"
    DELETING = "DELETING"


class JobStatus(StrEnum):
    SUBMITTED = "SUBMITTED"
    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    STOP_REQUESTED = "STOP_REQUESTED"
    STOPPED = "STOPPED"


class EndpointStatus(StrEnum):
    CREATING = "CREATING"
    IN_SERVICE = "IN_SERVICE"
    UPDATING = "UPDATING"
    DELETING = "DELETING"
    FAILED = "FAILED"


USABLE_MODEL = frozenset({ModelStatus.TRAINED, ModelStatus.TRAINED_WITH_WARNING})


@dataclass(kw_only=True)
class Resource:
    """What each of them has; AWS says of some that they are submitted, not created."""

    arn: str
    created: float
    message: str | None = None

    @property
    def position(self) -> tuple[float, str]:
        return self.created, self.arn


@dataclass(kw_only=True)
class Dataset(Resource):
    """``files`` are the service's own copies of the data, in ``folder``; there are none unless it is COMPLETED.

    ``of_model``: it came with the model that the flywheel was created with, and was enough to train that.
    """

    name: str
    type: str
    s3_uri: str
    description: str | None
    source: tuple[DataSource, ...]
    folder: Path
    of_model: bool = False
    status: DatasetStatus = DatasetStatus.CREATING
    ended: float | None = None
    contents: Contents = field(default_factory=Contents)
    files: tuple[DataFile, ...] = ()


@dataclass(kw_only=True)
class Iteration:
    """``evaluated_model_arn`` is set from the start, its evaluation when it is done; neither without an active model to
    evaluate."""

    id: str
    flywheel_arn: str
    created: float
    status: IterationStatus
    manifest_prefix: str
    message: str | None = None
    ended: float | None = None
    evaluated_model_arn: str | None = None
    evaluated: Evaluation | None = None
    trained_model_arn: str | None = None
    trained: Evaluation | None = None

    @property
    def position(self) -> tuple[float, str]:
        return self.created, self.id

    @property
    def running(self) -> bool:
        return self.status in (IterationStatus.TRAINING, IterationStatus.EVALUATING)


@dataclass(kw_only=True)
class Flywheel(Resource):
    """``used`` are the ARNs of datasets that a completed iteration has seen: the others are new to the next one.
    ``deleting`` is set at once, while the status may still read ACTIVE for a while."""

    name: str
    role_arn: str
    lake_uri: str
    kind: ModelKind
    task: Any
    security: dict[str, Any]
    modified: float
    status: FlywheelStatus = FlywheelStatus.CREATING
    deleting: bool = False
    active_model_arn: str | None = None
    first_model_name: str | None = None
    latest_iteration: str | None = None
    datasets: dict[str, Dataset] = field(default_factory=dict)
    iterations: dict[str, Iteration] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    def datasets_of(self, type_: str) -> list[Dataset]:
        return [dataset for dataset in self.datasets.values() if dataset.type == type_]

    @property
    def usable(self) -> bool:
        return self.status is FlywheelStatus.ACTIVE and not self.deleting

    @property
    def iterating(self) -> bool:
        return any(iteration.running for iteration in self.iterations.values())

    @property
    def ingesting(self) -> bool:
        return any(dataset.status is DatasetStatus.CREATING for dataset in self.datasets.values())


@dataclass(kw_only=True)
class Model(Resource):
    """``task``, ``trained`` and ``evaluation`` are of the model's kind; the latter two are None until it is trained.

    ``version`` and ``flywheel_arn`` are None for a model that was created without. ``input_config`` and
    ``output_config`` are as in its description, ``train`` and ``test`` where its data were read. A model with a
    ``source_model_arn`` was imported and has no data.
    """

    name: str
    version: str | None
    kind: ModelKind
    task: Any
    role_arn: str | None
    security: dict[str, Any]
    path: Path
    input_config: dict[str, Any] | None = None
    train: tuple[DataSource, ...] = ()
    test: tuple[DataSource, ...] = ()
    flywheel_arn: str | None = None
    source_model_arn: str | None = None
    output_config: dict[str, Any] | None = None
    status: ModelStatus = ModelStatus.SUBMITTED
    ended: float | None = None
    training_started: float | None = None
    training_ended: float | None = None
    trained: Any = None
    evaluation: Any = None

    @property
    def in_training(self) -> bool:
        return self.status in (ModelStatus.SUBMITTED, ModelStatus.TRAINING, ModelStatus.STOP_REQUESTED)


@dataclass(kw_only=True)
class Job(Resource):
    """``request`` is what the job was asked for with, ``model`` what it predicts with: given, or the active one of the
    flywheel when it was asked for. ``archive_uri`` is known from the start."""

    id: str
    request: dict[str, Any]
    model: Model
    input_format: str
    archive_uri: str
    folder: Path
    status: JobStatus = JobStatus.SUBMITTED
    ended: float | None = None

    @property
    def kind(self) -> ModelKind:
        return self.model.kind

    @property
    def role_arn(self) -> str:
        return str(self.request["DataAccessRoleArn"])

    @property
    def input_uri(self) -> str:
        return str(self.request["InputDataConfig"]["S3Uri"])

    @property
    def running(self) -> bool:
        return self.status in (JobStatus.SUBMITTED, JobStatus.IN_PROGRESS, JobStatus.STOP_REQUESTED)


@dataclass(kw_only=True)
class Endpoint(Resource):
    """What it answers with (``model``, ``units``: None until it first serves), and what it is to answer with.

    ``flywheel_arn`` is None for an endpoint that stays with its model.
    """

    name: str
    flywheel_arn: str | None
    model: Model
    desired_model: Model
    desired_units: int
    role_arn: str | None
    desired_role_arn: str | None
    modified: float
    units: int | None = None
    status: EndpointStatus = EndpointStatus.CREATING
    throughput: InferenceThroughput = field(default_factory=InferenceThroughput)

    @property
    def kind(self) -> ModelKind:
        return self.model.kind

    @property
    def serving(self) -> bool:
        return self.status in (EndpointStatus.IN_SERVICE, EndpointStatus.UPDATING)

    @property
    def claimed_units(self) -> int:
        """What counts against the quotas: while scaling down, what it still has."""
        return max(self.desired_units, self.units or 0)


@dataclass(frozen=True, kw_only=True)
class AnsweredRequest:
    """A request that carried a client request token, and the resource it made."""

    request: dict[str, Any]
    resource: str


@dataclass(frozen=True, kw_only=True)
class ResourcePolicy:
    """Who else may import a model; ``document`` is JSON as it was given."""

    document: str
    revision: str
    created: float
    modified: float


@dataclass(kw_only=True)
class RegionState:
    """Everything of one account in one Region, by ARN; ``policies`` by the ARN of their model. ``answered`` is keyed by
    operation, what it is unique in, and token."""

    scope: Scope
    flywheels: dict[str, Flywheel] = field(default_factory=dict)
    models: dict[str, Model] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    endpoints: dict[str, Endpoint] = field(default_factory=dict)
    policies: dict[str, ResourcePolicy] = field(default_factory=dict)
    tags: dict[str, dict[str, str | None]] = field(default_factory=dict)
    answered: dict[tuple[str, str, str], AnsweredRequest] = field(default_factory=dict)

    def forget(self, arn: str) -> None:
        """Drop a deleted resource with its policy, tags and client request tokens, and those of what was made within
        it, so that its name can be used anew."""
        for known in (self.flywheels, self.models, self.endpoints, self.policies):
            known.pop(arn, None)
        self.tags = {tagged: tags for tagged, tags in self.tags.items() if not f"{tagged}/".startswith(f"{arn}/")}
        self.answered = {
            key: answered for key, answered in self.answered.items() if arn not in (answered.resource, key[1])
        }


@dataclass(kw_only=True)
class DroppedDocuments:
    """What ingestion left out of a dataset without saying so, as the service does."""

    dataset_arn: str
    documents: int
    dropped_documents: int
    unknown_labels: Counter[str]
