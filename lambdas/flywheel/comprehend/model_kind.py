"""What differs between Comprehend's kinds of custom model: everything else asks the kind.

`flywheel.document_classification` is the one that there is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from flywheel.comprehend.confidence import confidence_of

if TYPE_CHECKING:
    from mypy_boto3_comprehend import ComprehendClient

    from flywheel.records.decisions import Metrics


@dataclass(frozen=True, kw_only=True)
class Task:
    """What a flywheel trains its models for."""

    labels: tuple[str, ...] = ()
    multi_label: bool = False
    """A document has any number of the labels, not exactly one."""

    @property
    def mode(self) -> str:
        return "MULTI_LABEL" if self.multi_label else "MULTI_CLASS"


@dataclass(frozen=True, kw_only=True)
class Model:
    """A version of a model."""

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
class StartedJob:
    id: str
    model_arn: str | None
    """The model that the job is done by, as Comprehend names it."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """A job that has a model answer documents."""

    id: str
    running: bool
    completed: bool
    message: str | None
    archive_uri: str


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """What a model says of one text."""

    scores: tuple[tuple[str, float], ...]
    """Label and score, the best first; of a multi-label model all labels."""
    multi_label: bool

    @property
    def confidence(self) -> float:
        return confidence_of(self.scores, multi_label=self.multi_label)


class ModelKind(Protocol):
    """One of Comprehend's kinds of custom model that a flywheel can train."""

    @property
    def words(self) -> str:
        """Such as "document classifier"."""

    @property
    def job_words(self) -> str:
        """Such as "classification job"."""

    @property
    def arn_resource(self) -> str:
        """What stands before the name in a model's ARN."""

    @property
    def endpoint_resource(self) -> str:
        """What stands before the name in an endpoint's ARN."""

    @property
    def scalable_dimension(self) -> str:
        """Of Application Auto Scaling."""

    def task(self, config: Any) -> Task:
        """What DescribeFlywheel's TaskConfig says; it may be empty until the flywheel is ACTIVE."""

    def dataset_input(self, *, s3_uri: str, delimiter: str | None) -> Any:
        """CreateDataset's InputDataConfig for the file of documents at `s3_uri`."""

    def describe_model(self, comprehend: ComprehendClient, model_arn: str) -> Any:
        """The properties of a version. Raises the client's ResourceNotFoundException, IncompleteAnswer."""

    def list_models(self, comprehend: ComprehendClient) -> Iterator[Any]:
        """The properties of every version in the account and Region."""

    def delete_model(self, comprehend: ComprehendClient, model_arn: str) -> None: ...

    def model(self, properties: Any) -> Model:
        """Raises IncompleteAnswer."""

    def training_metrics(self, properties: Any) -> Metrics | None:
        """What a version scored in its own training, None if it is not said."""

    def iteration_metrics(self, block: Any) -> Metrics:
        """One of an iteration's two metric blocks."""

    def start_job(self, comprehend: ComprehendClient, *, model_arn: str | None, request: dict[str, Any]) -> StartedJob:
        """`request` holds the members that jobs of every kind have. Raises ClientError, IncompleteAnswer."""

    def describe_job(self, comprehend: ComprehendClient, job_id: str) -> Any:
        """The job's properties. Raises the client's JobNotFoundException, IncompleteAnswer."""

    def detect(self, comprehend: ComprehendClient, *, endpoint_arn: str, text: str) -> Prediction:
        """Raises ClientError."""
