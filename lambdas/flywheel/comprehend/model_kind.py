"""The interface for everything that differs between Comprehend's kinds of custom model.

`flywheel.document_classification` and `flywheel.entity_recognition` implement it; `flywheel.model_kinds` chooses.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, Self

from flywheel.comprehend.answers import required
from flywheel.confidence import NO_THRESHOLDS
from flywheel.records.predictions import Suggestion

if TYPE_CHECKING:
    from mypy_boto3_comprehend import ComprehendClient

    from flywheel.comprehend.real_time import Message, RealTime
    from flywheel.confidence import Thresholds
    from flywheel.evaluation import ChosenThresholds, DifferenceInterval, Evaluation, Metric, Predictions
    from flywheel.evaluation.predictions import Readable
    from flywheel.preparation import LabelledDocument, Preparation, Problem, SourceFile, UploadOptions
    from flywheel.records.decisions import Metrics
    from flywheel.records.uploads import DocumentForm


class ModelType(StrEnum):
    """Comprehend's names of the kinds, for a flywheel's ModelType."""

    DOCUMENT_CLASSIFIER = "DOCUMENT_CLASSIFIER"
    ENTITY_RECOGNIZER = "ENTITY_RECOGNIZER"


@dataclass(frozen=True, kw_only=True)
class Task:
    """The task that a flywheel trains its models for."""

    labels: tuple[str, ...] = ()
    multi_label: bool = False
    """A document may have any number of labels; otherwise it has exactly one."""

    @property
    def mode(self) -> str:
        return "MULTI_LABEL" if self.multi_label else "MULTI_CLASS"


@dataclass(frozen=True, kw_only=True)
class Model:
    """A model version."""

    arn: str
    status: str
    flywheel_arn: str | None
    """The flywheel that trained it; None for a model that no flywheel trained."""
    mode: str | None
    """Of a document classifier."""
    language: str | None
    submitted_at: datetime
    warning: str | None
    """Comprehend's message about a model that is TRAINED_WITH_WARNING."""
    key: str | None = None
    """The customer managed key that the model is under, as it was named when the model was made."""

    @classmethod
    def of(cls, properties: Any, *, arn: str) -> Self:
        """From the properties that all kinds of model have. Raises IncompleteAnswer."""
        status = required(properties, "Status", of=f"model {arn}")
        return cls(
            arn=arn,
            status=status,
            flywheel_arn=properties.get("FlywheelArn"),
            mode=properties.get("Mode"),
            language=properties.get("LanguageCode"),
            submitted_at=required(properties, "SubmitTime", of=f"model {arn}"),
            warning=properties.get("Message") if status == "TRAINED_WITH_WARNING" else None,
            key=properties.get("ModelKmsKeyId"),
        )

    @property
    def trained(self) -> bool:
        return self.status in {"TRAINED", "TRAINED_WITH_WARNING"}


@dataclass(frozen=True, kw_only=True)
class StartedJob:
    id: str
    model_arn: str | None
    """The model that the job uses, as Comprehend says."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """An asynchronous job in which a model predicts documents."""

    id: str
    running: bool
    completed: bool
    message: str | None
    archive_uri: str


@dataclass(frozen=True, kw_only=True)
class Prediction(ABC):
    """The endpoint's prediction for one text."""

    labels: tuple[str, ...]
    """The labels that the document gets; of a recognizer its entities as `Span.label`."""
    confidence: float
    """From 0 to 1."""
    margin: float
    """From 0 (the model could as well have said something else) to 1."""

    @property
    def has_thresholds(self) -> bool:
        """Whether labels and confidence depend on the model's thresholds."""
        return False

    def at(self, thresholds: Thresholds) -> Self:  # noqa: ARG002 - most kinds have none
        """The same with these thresholds."""
        return self

    @abstractmethod
    def recorded(self) -> dict[str, Any]:
        """What only this kind has in a Suggestion."""

    def suggestion(self, *, model_arn: str | None) -> Suggestion:
        """`model_arn`: None if it is not certain which model that was."""
        return Suggestion(
            labels=self.labels,
            confidence=self.confidence,
            margin=self.margin,
            model_arn=model_arn,
            **self.recorded(),
        )

    @abstractmethod
    def answered(self, *, prediction_id: str, kept: bool) -> Message:
        """The prediction as the real-time API answers it: one of `RealTime.documents`."""


@dataclass(frozen=True, kw_only=True)
class DatasetLimits:
    """Comprehend's limits of one dataset."""

    documents: int
    bytes: int
    minimum_bytes: int
    document_bytes: int
    """The fewest bytes that a document can have."""
    minimum_documents: int = 1
    counted: str = "documents"
    """What is counted of a label: documents, or annotations of an entity type."""


class Answer(Protocol):
    """A model's prediction for one document of an analysis job."""

    @property
    def labels(self) -> Sequence[str]:
        """The labels that the document gets."""

    @property
    def score(self) -> float: ...

    @property
    def low_confidence(self) -> bool: ...

    @property
    def margin(self) -> float:
        """As of `Prediction`."""

    def suggestion(self, *, model_arn: str | None) -> Suggestion:
        """As of `Prediction`."""

    def members(self) -> dict[str, object]:
        """The prediction as members of a row in predictions.jsonl."""


class ModelKind(Protocol):
    """One of Comprehend's kinds of custom model that a flywheel can train."""

    @property
    def words(self) -> str:
        """Such as "document classifier"."""

    @property
    def job_words(self) -> str:
        """Such as "classification job"."""

    @property
    def counted(self) -> str:
        """What is counted by label: documents, or annotations."""

    @property
    def label_word(self) -> str:
        """What a label is called, such as "entity type"."""

    @property
    def arn_resource(self) -> str:
        """The resource type in a model's ARN."""

    @property
    def scalable_dimension(self) -> str:
        """The scalable dimension of an endpoint in Application Auto Scaling."""

    def task(self, config: Any) -> Task:
        """The task in DescribeFlywheel's TaskConfig, which may be empty until the flywheel is ACTIVE."""

    def task_of_model(self, properties: Any) -> Task:
        """The task that a model version was trained for, as far as its properties show. Of a document classifier they
        have no labels."""

    def dataset_input(self, *, s3_uri: str, delimiter: str | None) -> Any:
        """CreateDataset's InputDataConfig for the file of documents at `s3_uri`."""

    def describe_model(self, comprehend: ComprehendClient, model_arn: str) -> Any:
        """The properties of a model version. Raises the client's ResourceNotFoundException, IncompleteAnswer."""

    def list_models(self, comprehend: ComprehendClient) -> Iterator[Any]:
        """The properties of all model versions in the account and Region."""

    def delete_model(self, comprehend: ComprehendClient, model_arn: str) -> None: ...

    def model(self, properties: Any) -> Model:
        """Raises IncompleteAnswer."""

    def label_difference(self, properties: Any, labels: Sequence[str]) -> str | None:
        """How the labels of a model version differ from these, as far as its properties show; None if they do not."""

    def training_metrics(self, properties: Any) -> Metrics | None:
        """A model version's scores from its training; None if Comprehend gives none."""

    def iteration_metrics(self, block: Any) -> Metrics:
        """The scores in one of an iteration's two metric blocks."""

    def start_job(self, comprehend: ComprehendClient, *, model_arn: str | None, request: dict[str, Any]) -> StartedJob:
        """`request` has the members that all kinds of job share. Raises ClientError, IncompleteAnswer."""

    def describe_job(self, comprehend: ComprehendClient, job_id: str) -> Any:
        """The job's properties. Raises the client's JobNotFoundException, IncompleteAnswer."""

    @property
    def dataset_limits(self) -> DatasetLimits:
        """Comprehend's limits of a dataset."""

    @property
    def stored_form(self) -> DocumentForm:
        """How prepared documents are stored."""

    @property
    def takes_folders(self) -> bool:
        """Whether files below `train/<name>/` belong together."""

    def missing_parts(self, files: Sequence[SourceFile]) -> str | None:
        """What a folder lacks to be an upload, in words; None if it is complete. Only the files' beginnings are
        read."""

    def prepare(
        self,
        *,
        files: Sequence[SourceFile],
        name: str,
        sink: BinaryIO,
        hashes: BinaryIO,
        label_hashes: BinaryIO,
        bad_lines: BinaryIO,
        task: Task,
        delimiter: str,
        options: UploadOptions,
        combination_hashes: BinaryIO | None = None,
    ) -> Preparation:
        """Read an upload: one file, or several that belong together. Other parameters as of
        `flywheel.preparation.prepare`; `combination_hashes` is of annotated documents only, and stays empty where the
        digest of its labels tells a document's combination. The keys of the result's `labels` are as in records."""

    def read_documents(self, content: bytes, *, task: Task, delimiter: str) -> list[LabelledDocument] | Problem:
        """The documents of a small file in a format of uploads, or what is wrong with it. Without `task.labels` all
        labels are allowed."""

    def upload_line(self, text: str, labels: Sequence[str], members: Mapping[str, Any]) -> str:
        """A document as a line of JSON Lines that `prepare` reads, with its line end. `labels` are those of a document
        classifier, or entities as `Span.label`; `members` are further ones, which `prepare` ignores. Raises ValueError
        for what is no entity, and for one of nothing but white space, which `prepare` takes."""

    def labels_in(self, text: str, labels: Sequence[str], *, read_as: str) -> tuple[str, ...]:
        """The labels that `read_documents` gave to a document, in its `text` as it was before; `read_as` is the text
        that it gave. Entities stand where their texts stand. Raises FlywheelError."""

    def read_answers(
        self, archive: Readable, *, documents: int, task: Task, thresholds: Thresholds = NO_THRESHOLDS
    ) -> Predictions:
        """A job's predictions for each line of its input file. `thresholds` are the model's. Raises
        InvalidPredictions."""

    @property
    def has_thresholds(self) -> bool:
        """Whether a model can have thresholds (`records.thresholds`)."""

    def fit(
        self, truths: Sequence[tuple[str, ...]], answers: Predictions, *, task: Task
    ) -> tuple[Predictions, ChosenThresholds | None]:
        """A model's predictions as they are to be scored, and the thresholds that the documents choose for it; None
        unless the task is MULTI_LABEL."""

    def evaluate(self, truths: Sequence[tuple[str, ...]], answers: Predictions, *, task: Task) -> Evaluation:
        """Score a model's predictions against the documents' true labels."""

    def gain(
        self,
        truths: Sequence[tuple[str, ...]],
        *,
        candidate: Predictions,
        active: Predictions,
        task: Task,
        metric: Metric,
        confidence_level: float,
    ) -> DifferenceInterval:
        """The candidate's metric minus the active model's, with a confidence interval."""

    def label_of(self, answered: str) -> str:
        """The label, or the entity type, of what a document has or gets: of one of `Predictions.by_line`."""

    def answer(self, where: str, line: Any, *, low_confidence: float, thresholds: Thresholds) -> Answer:
        """The prediction in a line of a job's output. `where` the line is, for messages. `thresholds` are the model's.
        Raises InvalidPredictions."""

    def detect(self, comprehend: ComprehendClient, *, endpoint_arn: str, text: str) -> Prediction:
        """Raises ClientError, and FlywheelError for an answer that cannot be used."""

    @property
    def real_time(self) -> RealTime:
        """Its part of the real-time API."""
