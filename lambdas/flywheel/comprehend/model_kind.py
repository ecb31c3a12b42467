"""What differs between Comprehend's kinds of custom model: everything else asks the kind.

`flywheel.document_classification` is the one that there is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from flywheel.confidence import confidence_of

if TYPE_CHECKING:
    from mypy_boto3_comprehend import ComprehendClient

    from flywheel.evaluation import DifferenceInterval, Evaluation, Metric, Predictions
    from flywheel.evaluation.predictions import Readable
    from flywheel.preparation import Preparation
    from flywheel.records.decisions import Metrics
    from flywheel.records.uploads import Split


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


@dataclass(frozen=True, kw_only=True)
class DatasetLimits:
    """Of one dataset."""

    documents: int
    bytes: int
    minimum_bytes: int
    document_bytes: int
    """The least that a document can have."""


class Answer(Protocol):
    """What a model says of one document of an analysis job."""

    @property
    def labels(self) -> Sequence[str]:
        """What the document counts as."""

    @property
    def score(self) -> float: ...

    @property
    def low_confidence(self) -> bool: ...

    def members(self) -> dict[str, object]:
        """Of the row in predictions.jsonl."""


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

    @property
    def dataset_limits(self) -> DatasetLimits:
        """Comprehend's."""

    def prepare(self, **upload: Any) -> Preparation:
        """Reads an upload; parameters and errors as of `flywheel.preparation.prepare`."""

    def minimum(
        self,
        split: Split,
        combinations: dict[str, int],
        *,
        task: Task,
        minimum: int,
        first: bool,
        size: Callable[[frozenset[str]], int],
        overrule: bool = False,
    ) -> DatasetMinimum:
        """What of the documents that wait may become a dataset of the split.

        `combinations` are documents by label combination, `minimum` is MinimumDocumentsPerLabel, `first` says that the
        flywheel has no dataset of the split. `size` gives the bytes of the documents without those that have one of
        the labels. `overrule` is an operator's word that it is enough.
        """

    def read_answers(self, archive: Readable, *, documents: int, task: Task) -> Predictions:
        """What a job answered to each line of its one file. Raises InvalidPredictions."""

    def evaluate(self, truths: Sequence[tuple[str, ...]], answers: Predictions, *, task: Task) -> Evaluation:
        """A model's answers scored against what people said of each document."""

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
        """How much better the candidate's answers are than the active model's, and how sure that is."""

    def answer(self, where: str, line: Any, *, low_confidence: float) -> Answer:
        """A line of a job's output that is no error; `where` it stands is for messages. Raises InvalidPredictions."""

    def detect(self, comprehend: ComprehendClient, *, endpoint_arn: str, text: str) -> Prediction:
        """Raises ClientError."""


@dataclass(frozen=True, kw_only=True)
class DatasetMinimum:
    """`held_back` are the labels whose documents wait; `missing` says for each label how many more are needed.

    `unknown` are those of `held_back` that the flywheel does not have, left from when its label list was another.
    """

    dataset: bool
    held_back: frozenset[str] = frozenset()
    missing: tuple[tuple[str, int], ...] = ()
    unknown: tuple[str, ...] = ()
    too_small: int | None = None
    """The bytes of what would be a dataset but for Comprehend's minimum, `minimum_bytes`."""
    minimum_bytes: int = 0

    def reason(self) -> str:
        """Sentences for people; empty if nothing waits."""
        return " ".join(sentence for sentence in (self._missing(), self._unknown(), self._too_small()) if sentence)

    def _too_small(self) -> str:
        if self.too_small is None:
            return ""
        return f"A dataset needs {self.minimum_bytes} bytes; these are {self.too_small}."

    def _unknown(self) -> str:
        if not self.unknown:
            return ""
        some = ", ".join(self.unknown[:10])
        rest = f" and {len(self.unknown) - 10} more" if len(self.unknown) > 10 else ""
        return f"Their labels are not in the flywheel's label list: {some}{rest}."

    def _missing(self) -> str:
        if not self.missing:
            return ""
        some = ", ".join(f"{number} more of {label}" for label, number in self.missing[:10])
        rest = f" and {len(self.missing) - 10} more labels" if len(self.missing) > 10 else ""
        return f"Not enough documents yet: {some}{rest} needed."
