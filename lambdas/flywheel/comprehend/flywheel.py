"""What the pipeline asks Comprehend, in one place: pages followed, statuses as enums, absent members as None."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from flywheel.errors import IncompleteAnswer, ModelNotUsable, ServiceBusy
from flywheel.fault_names import THROTTLES
from flywheel.records.decisions import Metrics, ModelScore
from flywheel.service_faults import error_code, error_message

if TYPE_CHECKING:
    from mypy_boto3_comprehend import ComprehendClient

    from flywheel.records.uploads import Split

FOUND_WITHIN = timedelta(minutes=5)
"""Until then what was made a moment ago may not be found yet; whether Comprehend's reads lag is not documented."""
_BUSY = THROTTLES | {"ResourceInUseException", "ResourceLimitExceededException"}
"""Of a request to make or start something: later there may be room for it."""


class IterationStatus(StrEnum):
    TRAINING = "TRAINING"
    EVALUATING = "EVALUATING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    STOP_REQUESTED = "STOP_REQUESTED"
    STOPPED = "STOPPED"

    @property
    def running(self) -> bool:
        """The order of the two is not documented (reference 4.2), so nothing depends on it."""
        return self in {IterationStatus.TRAINING, IterationStatus.EVALUATING, IterationStatus.STOP_REQUESTED}


class DatasetStatus(StrEnum):
    CREATING = "CREATING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"


@dataclass(frozen=True, kw_only=True)
class FlywheelState:
    arn: str
    active: bool
    """The flywheel's status is ACTIVE: it may be iterating or not."""
    labels: tuple[str, ...]
    multi_label: bool
    language: str | None
    active_model_arn: str | None
    data_access_role_arn: str | None
    security: JobSecurity


@dataclass(frozen=True, kw_only=True)
class JobSecurity:
    """How the flywheel's training is protected, and so the jobs that its models do."""

    output_key: str | None = None
    volume_key: str | None = None
    vpc: dict[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class StartedJob:
    id: str
    model_arn: str | None
    """The model that the job is done by, as Comprehend names it."""


@dataclass(frozen=True, kw_only=True)
class ClassificationJob:
    id: str
    running: bool
    completed: bool
    message: str | None
    archive_uri: str


@dataclass(frozen=True, kw_only=True)
class Model:
    """A version of a document classifier."""

    arn: str
    status: str
    flywheel_arn: str | None
    """The flywheel whose iteration trained it; None for a model from elsewhere."""
    mode: str | None
    language: str | None
    submitted_at: datetime
    warning: str | None
    """What Comprehend says about a model that is TRAINED_WITH_WARNING."""

    @property
    def trained(self) -> bool:
        return self.status in {"TRAINED", "TRAINED_WITH_WARNING"}


@dataclass(frozen=True, kw_only=True)
class Dataset:
    name: str
    arn: str
    type: str
    status: DatasetStatus
    message: str | None
    documents: int | None
    available_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Iteration:
    id: str
    status: IterationStatus
    created_at: datetime
    message: str | None
    evaluated: ModelScore | None
    trained: ModelScore | None


class FlywheelService:
    """One flywheel of Comprehend. Throttling and faults are retried by the client, then raised as ClientError."""

    def __init__(self, *, comprehend: ComprehendClient, flywheel_arn: str) -> None:
        self._comprehend = comprehend
        self.arn = flywheel_arn

    @property
    def exceptions(self) -> Any:
        return self._comprehend.exceptions

    def describe(self) -> FlywheelState:
        answer = self._comprehend.describe_flywheel(FlywheelArn=self.arn)
        properties = required(answer, "FlywheelProperties", of=f"flywheel {self.arn}")
        # The labels may be absent until the flywheel is ACTIVE (reference 2.3).
        config = properties.get("TaskConfig", {}).get("DocumentClassificationConfig", {})
        security = properties.get("DataSecurityConfig", {})
        return FlywheelState(
            arn=self.arn,
            active=properties.get("Status") == "ACTIVE",
            labels=tuple(config.get("Labels", ())),
            multi_label=config.get("Mode") == "MULTI_LABEL",
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
        """The flywheel's own: the setting `tags`, which has no room in a function's environment (4 KB), and what people
        added. AWS's, such as CloudFormation's, can be put on nothing."""
        found = self._comprehend.list_tags_for_resource(ResourceArn=self.arn).get("Tags", [])
        return {tag["Key"]: tag.get("Value", "") for tag in found if not tag["Key"].lower().startswith("aws:")}

    def dataset_arn(self, name: str) -> str:
        return f"{self.arn}/dataset/{name}"

    def datasets(self) -> list[Dataset]:
        """Every dataset of the flywheel, also those that somebody made in the console."""
        found: list[Dataset] = []
        token: dict[str, Any] = {}
        while True:
            page = self._comprehend.list_datasets(FlywheelArn=self.arn, MaxResults=100, **token)
            found += [_dataset(item) for item in page.get("DatasetPropertiesList", [])]
            if not page.get("NextToken"):
                return found
            token = {"NextToken": page["NextToken"]}

    def dataset(self, name: str) -> Dataset | None:
        try:
            answer = self._comprehend.describe_dataset(DatasetArn=self.dataset_arn(name))
        except self._comprehend.exceptions.ResourceNotFoundException:
            return None
        return _dataset(required(answer, "DatasetProperties", of=f"dataset {name}"))

    def create_dataset(self, *, name: str, split: Split, s3_uri: str, delimiter: str | None, token: str) -> None:
        """Register a dataset, with the flywheel's tags. One of that name that exists is success: the name belongs to
        the turn that made it.

        Raises ServiceBusy while a quota does not let it.
        """
        config: dict[str, Any] = {"S3Uri": s3_uri} | ({"LabelDelimiter": delimiter} if delimiter else {})
        try:
            self._comprehend.create_dataset(
                FlywheelArn=self.arn,
                DatasetName=name,
                DatasetType=split.dataset_type,  # type: ignore[arg-type]  # TRAIN or TEST
                InputDataConfig={
                    "DataFormat": "COMPREHEND_CSV",
                    "DocumentClassifierInputDataConfig": config,  # type: ignore[typeddict-item]  # LabelDelimiter is optional
                },
                ClientRequestToken=token,
                Tags=[{"Key": key, "Value": value} for key, value in sorted(self.tags().items())],
            )
        except ClientError as error:
            # A quota of datasets at once or in all, or the name is taken and the dataset does not show yet.
            if error_code(error) not in _BUSY:
                raise
            if self.dataset(name) is None:
                raise ServiceBusy(f"Comprehend takes no dataset now: {error_message(error)}") from error

    def iterations(self) -> Iterator[Iteration]:
        """Newest first; read only as far as needed."""
        token: dict[str, Any] = {}
        while True:
            page = self._comprehend.list_flywheel_iteration_history(FlywheelArn=self.arn, MaxResults=25, **token)
            items = [_iteration(item) for item in page.get("FlywheelIterationPropertiesList", [])]
            # The order is newest first in the one published sample only (reference 2.7).
            yield from sorted(items, key=lambda item: item.created_at, reverse=True)
            if not page.get("NextToken"):
                return
            token = {"NextToken": page["NextToken"]}

    def iteration(self, iteration_id: str) -> Iteration:
        answer = self._comprehend.describe_flywheel_iteration(FlywheelArn=self.arn, FlywheelIterationId=iteration_id)
        return _iteration(required(answer, "FlywheelIterationProperties", of=f"iteration {iteration_id}"))

    def start_iteration(self, *, token: str) -> str:
        """The new iteration's id. The token makes a repeated call return the same one (reference 1.2)."""
        answer = self._comprehend.start_flywheel_iteration(FlywheelArn=self.arn, ClientRequestToken=token)
        iteration_id: str = required(answer, "FlywheelIterationId", of="the iteration that it starts")
        return iteration_id

    def start_classification(
        self,
        *,
        model_arn: str | None = None,
        flywheel_arn: str | None = None,
        documents_uri: str,
        output_uri: str,
        role_arn: str | None = None,
        name: str,
        token: str,
    ) -> StartedJob:
        """A job over files with one document a line, by a model or by the active model of a flywheel.

        Comprehend reads and writes as `role_arn`, which is the flywheel's own role unless given; the rest is protected
        as the flywheel's training is. The token makes a repeated call return the same job. Raises ModelNotUsable if
        the model is gone or not trained, ServiceBusy if too many jobs run.
        """
        flywheel = self.describe()
        security = flywheel.security
        role = role_arn or flywheel.data_access_role_arn
        if role is None:
            raise IncompleteAnswer(member="DataAccessRoleArn", of=f"flywheel {self.arn}")
        optional: dict[str, Any] = {
            "DocumentClassifierArn": model_arn,
            "FlywheelArn": flywheel_arn,
            "VolumeKmsKeyId": security.volume_key,
            "VpcConfig": security.vpc,
        }
        output = {"S3Uri": output_uri} | ({"KmsKeyId": security.output_key} if security.output_key else {})
        try:
            answer = self._comprehend.start_document_classification_job(
                JobName=name,
                InputDataConfig={"S3Uri": documents_uri, "InputFormat": "ONE_DOC_PER_LINE"},
                OutputDataConfig=output,  # type: ignore[arg-type]  # KmsKeyId is optional
                DataAccessRoleArn=role,
                ClientRequestToken=token,
                **{member: value for member, value in optional.items() if value},
            )
        except ClientError as error:
            if error_code(error) in {"ResourceNotFoundException", "ResourceUnavailableException"}:
                raise ModelNotUsable(model_arn or flywheel_arn or "the model", error_message(error)) from error
            if error_code(error) in _BUSY:
                raise ServiceBusy(f"Comprehend starts no classification job now: {error_message(error)}") from error
            raise
        return StartedJob(
            id=required(answer, "JobId", of=f"job {name}"), model_arn=answer.get("DocumentClassifierArn", model_arn)
        )

    def classification_job(self, job_id: str) -> ClassificationJob | None:
        """None if Comprehend does not know it (any more)."""
        try:
            answer = self._comprehend.describe_document_classification_job(JobId=job_id)
        except self._comprehend.exceptions.JobNotFoundException:
            return None
        properties = required(answer, "DocumentClassificationJobProperties", of=f"job {job_id}")
        status = required(properties, "JobStatus", of=f"job {job_id}")
        return ClassificationJob(
            id=job_id,
            running=status not in {"COMPLETED", "FAILED", "STOPPED"},
            completed=status == "COMPLETED",
            message=properties.get("Message"),
            archive_uri=properties.get("OutputDataConfig", {}).get("S3Uri", ""),
        )

    def at(self, flywheel_arn: str) -> FlywheelService:
        """Another flywheel, for instance of a former generation."""
        return FlywheelService(comprehend=self._comprehend, flywheel_arn=flywheel_arn)

    def find_active_model(self) -> str | None:
        """None also where the flywheel is gone."""
        try:
            return self.describe().active_model_arn
        except self._comprehend.exceptions.ResourceNotFoundException:
            return None

    def set_active_model(self, model_arn: str) -> None:
        self._comprehend.update_flywheel(FlywheelArn=self.arn, ActiveModelArn=model_arn)

    def model(self, model_arn: str) -> Model | None:
        """None if there is no model of this ARN."""
        try:
            answer = self._comprehend.describe_document_classifier(DocumentClassifierArn=model_arn)
        except self._comprehend.exceptions.ResourceNotFoundException:
            return None
        return _model(required(answer, "DocumentClassifierProperties", of=f"model {model_arn}"))

    def models(self) -> list[Model]:
        """Every version that an iteration of this flywheel trained, oldest first."""
        pages = self._comprehend.get_paginator("list_document_classifiers").paginate()
        found = [_model(item) for page in pages for item in page.get("DocumentClassifierPropertiesList", [])]
        own = [model for model in found if model.flywheel_arn == self.arn]
        return sorted(own, key=lambda model: (model.submitted_at, model.arn))

    def delete_model(self, model_arn: str) -> None:
        """Raises ClientError, ResourceInUseException where something uses the model."""
        self._comprehend.delete_document_classifier(DocumentClassifierArn=model_arn)

    def score_of(self, model_arn: str) -> ModelScore | None:
        """The model's metrics from its own training, None if the model is gone or has none."""
        try:
            answer = self._comprehend.describe_document_classifier(DocumentClassifierArn=model_arn)
        except self._comprehend.exceptions.ResourceNotFoundException:
            return None
        properties = required(answer, "DocumentClassifierProperties", of=f"model {model_arn}")
        evaluation = properties.get("ClassifierMetadata", {}).get("EvaluationMetrics")
        if not evaluation:
            return None
        metrics = Metrics.model_validate(evaluation)
        return ModelScore(arn=model_arn, metrics=metrics, source="the model's training")


def required(answer: Any, member: str, *, of: str) -> Any:
    """The member of an answer, all of which the API's model leaves optional. Raises IncompleteAnswer."""
    if member not in answer:
        raise IncompleteAnswer(member=member, of=of)
    return answer[member]


def _model(item: Any) -> Model:
    arn = required(item, "DocumentClassifierArn", of="a model")
    status = required(item, "Status", of=f"model {arn}")
    return Model(
        arn=arn,
        status=status,
        flywheel_arn=item.get("FlywheelArn"),
        mode=item.get("Mode"),
        language=item.get("LanguageCode"),
        submitted_at=required(item, "SubmitTime", of=f"model {arn}"),
        warning=item.get("Message") if status == "TRAINED_WITH_WARNING" else None,
    )


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
    )


def _iteration(item: Any) -> Iteration:
    iteration_id = required(item, "FlywheelIterationId", of="an iteration")
    return Iteration(
        id=iteration_id,
        status=IterationStatus(required(item, "Status", of=f"iteration {iteration_id}")),
        created_at=required(item, "CreationTime", of=f"iteration {iteration_id}"),
        message=item.get("Message"),
        evaluated=_score(item, "Evaluated"),
        trained=_score(item, "Trained"),
    )


def _score(item: Any, which: str) -> ModelScore | None:
    """The model and its metrics in an iteration; both may be absent, together or alone (reference 4.1)."""
    arn = item.get(f"{which}ModelArn")
    if not arn:
        return None
    block = item.get(f"{which}ModelMetrics") or {}
    metrics = Metrics.model_validate({key.removeprefix("Average"): value for key, value in block.items()})
    return ModelScore(arn=arn, metrics=metrics, source="this iteration")
