"""Comprehend's calls about a flywheel: with pagination, statuses as enums, and None for absent members."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from flywheel.comprehend.active_model import ActiveModelService, ActiveModelState
from flywheel.comprehend.answers import pages, required
from flywheel.comprehend.jobs import BUSY, JobSecurity
from flywheel.faults.errors import ServiceBusy
from flywheel.faults.service_faults import error_code, error_message
from flywheel.records.decisions import ModelScore

if TYPE_CHECKING:
    from mypy_boto3_comprehend import ComprehendClient

    from flywheel.comprehend.model_kind import Model, ModelKind, Task
    from flywheel.records.uploads import Split

FOUND_WITHIN = timedelta(minutes=5)
"""A new resource may not be found for this long. Whether Comprehend's reads lag is not documented."""


class IterationStatus(StrEnum):
    TRAINING = "TRAINING"
    EVALUATING = "EVALUATING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    STOP_REQUESTED = "STOP_REQUESTED"
    STOPPED = "STOPPED"

    @property
    def running(self) -> bool:
        """Whether TRAINING comes before EVALUATING is not documented (reference 4.2), so nothing depends on it."""
        return self in {IterationStatus.TRAINING, IterationStatus.EVALUATING, IterationStatus.STOP_REQUESTED}


class DatasetStatus(StrEnum):
    CREATING = "CREATING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"


@dataclass(frozen=True, kw_only=True)
class FlywheelState(ActiveModelState):
    arn: str
    task: Task


@dataclass(frozen=True, kw_only=True)
class Dataset:
    name: str
    arn: str
    type: str
    status: DatasetStatus
    message: str | None
    documents: int | None
    available_at: datetime | None
    came_with_model: bool = False
    """Comprehend made it of the data of the model that the flywheel was created with."""


@dataclass(frozen=True, kw_only=True)
class Iteration:
    id: str
    status: IterationStatus
    created_at: datetime
    message: str | None
    evaluated: ModelScore | None
    trained: ModelScore | None


class FlywheelService(ActiveModelService):
    """One flywheel."""

    arn: str

    def __init__(self, *, comprehend: ComprehendClient, flywheel_arn: str, kind: ModelKind) -> None:
        super().__init__(comprehend=comprehend, kind=kind)
        self.arn = flywheel_arn

    @property
    def place(self) -> str:
        return self.arn.rpartition(":")[0]

    @property
    def exceptions(self) -> Any:
        return self._comprehend.exceptions

    def describe(self) -> FlywheelState:
        answer = self._comprehend.describe_flywheel(FlywheelArn=self.arn)
        properties = required(answer, "FlywheelProperties", of=f"flywheel {self.arn}")
        # The labels may be absent until the flywheel is ACTIVE (reference 2.3).
        security = properties.get("DataSecurityConfig", {})
        return FlywheelState(
            arn=self.arn,
            active=properties.get("Status") == "ACTIVE",
            task=self.kind.task(properties.get("TaskConfig", {})),
            language=properties.get("TaskConfig", {}).get("LanguageCode"),
            active_model_arn=properties.get("ActiveModelArn"),
            data_access_role_arn=properties.get("DataAccessRoleArn"),
            security=JobSecurity(
                output_key=security.get("DataLakeKmsKeyId"),
                volume_key=security.get("VolumeKmsKeyId"),
                vpc=security.get("VpcConfig") or None,
            ),
        )

    def tags(self) -> dict[str, str]:
        """The flywheel's tags: those of the setting `tags`, and what people added. They are read here because a
        function's environment (4 KB) has no room for them. Without AWS's own tags, which cannot be set."""
        found = self._comprehend.list_tags_for_resource(ResourceArn=self.arn).get("Tags", [])
        return {tag["Key"]: tag.get("Value", "") for tag in found if not tag["Key"].lower().startswith("aws:")}

    def dataset_arn(self, name: str) -> str:
        return f"{self.arn}/dataset/{name}"

    def datasets(self) -> list[Dataset]:
        """All datasets of the flywheel, including those that somebody created in the console."""
        found = pages(self._comprehend.list_datasets, FlywheelArn=self.arn, MaxResults=100)
        return [_dataset(item) for page in found for item in page.get("DatasetPropertiesList", [])]

    def dataset(self, name: str) -> Dataset | None:
        try:
            answer = self._comprehend.describe_dataset(DatasetArn=self.dataset_arn(name))
        except self._comprehend.exceptions.ResourceNotFoundException:
            return None
        return _dataset(required(answer, "DatasetProperties", of=f"dataset {name}"))

    def create_dataset(self, *, name: str, split: Split, s3_uri: str, delimiter: str | None, token: str) -> None:
        """Register a dataset, with the flywheel's tags. If the name exists, nothing happens: it belongs to this turn.

        Raises ServiceBusy while a quota prevents it.
        """
        try:
            self._comprehend.create_dataset(
                FlywheelArn=self.arn,
                DatasetName=name,
                DatasetType=split.dataset_type,  # type: ignore[arg-type]  # TRAIN or TEST
                InputDataConfig=self.kind.dataset_input(s3_uri=s3_uri, delimiter=delimiter),
                ClientRequestToken=token,
                Tags=[{"Key": key, "Value": value} for key, value in sorted(self.tags().items())],
            )
        except ClientError as error:
            # A quota is reached, or the name exists and the dataset is not found yet.
            if error_code(error) not in BUSY:
                raise
            if self.dataset(name) is None:
                raise ServiceBusy(f"Comprehend takes no dataset now: {error_message(error)}") from error

    def iterations(self) -> Iterator[Iteration]:
        """Newest first. Pages are read only as needed."""
        for page in pages(self._comprehend.list_flywheel_iteration_history, FlywheelArn=self.arn, MaxResults=25):
            items = [self._iteration(item) for item in page.get("FlywheelIterationPropertiesList", [])]
            # Only a published sample, not the documentation, shows this order (reference 2.7).
            yield from sorted(items, key=lambda item: item.created_at, reverse=True)

    def iteration(self, iteration_id: str) -> Iteration:
        answer = self._comprehend.describe_flywheel_iteration(FlywheelArn=self.arn, FlywheelIterationId=iteration_id)
        return self._iteration(required(answer, "FlywheelIterationProperties", of=f"iteration {iteration_id}"))

    def start_iteration(self, *, token: str) -> str:
        """The new iteration's id. With the same token a repeated call returns the same id (reference 1.2)."""
        answer = self._comprehend.start_flywheel_iteration(FlywheelArn=self.arn, ClientRequestToken=token)
        iteration_id: str = required(answer, "FlywheelIterationId", of="the iteration that it starts")
        return iteration_id

    def at(self, flywheel_arn: str | None) -> FlywheelService:
        return FlywheelService(comprehend=self._comprehend, flywheel_arn=flywheel_arn or self.arn, kind=self.kind)

    def find_active_model(self) -> str | None:
        try:
            return self.describe().active_model_arn
        except self._comprehend.exceptions.ResourceNotFoundException:
            return None

    def set_active_model(self, model_arn: str) -> None:
        self._comprehend.update_flywheel(FlywheelArn=self.arn, ActiveModelArn=model_arn)

    def task_of(self, model_arn: str) -> Task:  # noqa: ARG002 - all models of a flywheel have its task
        return self.describe().task

    def flywheel_of(self, model: Model) -> str | None:
        return model.flywheel_arn

    def own_models(self) -> list[Model]:
        return self.models.trained_by(self.arn)

    def blocked_by(self) -> str | None:
        newest = next(self.iterations(), None)
        return f"iteration {newest.id} runs" if newest is not None and newest.status.running else None

    def _iteration(self, item: Any) -> Iteration:
        iteration_id = required(item, "FlywheelIterationId", of="an iteration")
        return Iteration(
            id=iteration_id,
            status=IterationStatus(required(item, "Status", of=f"iteration {iteration_id}")),
            created_at=required(item, "CreationTime", of=f"iteration {iteration_id}"),
            message=item.get("Message"),
            evaluated=self._score(item, "Evaluated"),
            trained=self._score(item, "Trained"),
        )

    def _score(self, item: Any, which: str) -> ModelScore | None:
        """A model and its metrics in an iteration. The metrics, or both, may be absent (reference 4.1)."""
        arn = item.get(f"{which}ModelArn")
        if not arn:
            return None
        metrics = self.kind.iteration_metrics(item.get(f"{which}ModelMetrics") or {})
        return ModelScore(arn=arn, metrics=metrics, source="this iteration")


def _dataset(item: Any) -> Dataset:
    arn = required(item, "DatasetArn", of="a dataset")
    return Dataset(
        name=item.get("DatasetName") or arn.rpartition("/")[2],
        arn=arn,
        type=item.get("DatasetType", "TRAIN"),
        status=DatasetStatus(required(item, "Status", of=f"dataset {arn}")),
        message=item.get("Message"),
        documents=item.get("NumberOfDocuments"),
        available_at=item.get("EndTime"),
        # A published sample of ListDatasets has this description (reference 2.2).
        came_with_model=item.get("Description", "").endswith("Dataset created by Flywheel creation."),
    )
