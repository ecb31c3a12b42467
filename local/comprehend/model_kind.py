"""The interface for everything that differs between Comprehend's kinds of custom model.

Its implementations are the modules ``kind`` of ``document_classification`` and ``entity_recognition``.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from local.comprehend.settings import Settings
from local.comprehend.training_data import Contents, DataFile, DataSource, ModelData, Part

if TYPE_CHECKING:
    from local.comprehend.jobs.job_input import JobInput
    from local.comprehend.state import Model

Predict = Callable[["JobInput", Path, Path], None]
"""Reads the input of a job, answers it with the model at the first path, and writes the output at the second. Raises
InvalidJobInputError. It runs in a worker process."""

MinimumOf = Literal["dataset", "flywheel", "model"]
"""Whose training data are held against a minimum."""


class Task(Protocol):
    """What a model is for, as a flywheel's TaskConfig says it."""

    @property
    def language(self) -> str: ...

    def described(self, *, with_labels: bool) -> dict[str, Any]:
        """As in FlywheelProperties."""

    def require_match(self, model: Any) -> None:
        """Raise InvalidRequestException unless a model of that task can be a flywheel's of this one."""


class TrainedModel(Protocol):
    """What training gave."""

    @property
    def documents(self) -> int:
        """How many it learnt from."""


class Evaluation(Protocol):
    """The figures that a test of a model gives."""

    @property
    def test_documents(self) -> int: ...

    def iteration_metrics(self, settings: Settings) -> dict[str, float | None]:
        """As in FlywheelModelEvaluationMetrics."""

    def statistics(self) -> dict[str, object]:
        """The files of the model's statistics: name and content."""


class ModelKind(Protocol):
    """One of Comprehend's kinds of custom model."""

    @property
    def model_type(self) -> str:
        """A flywheel's ModelType."""

    @property
    def words(self) -> str:
        """Such as "document classifier"."""

    @property
    def model_noun(self) -> str:
        """Such as "DocumentClassifier": in names of operations and members."""

    @property
    def name_member(self) -> str:
        """The member with a model's name in requests and answers."""

    @property
    def arn_resource(self) -> str:
        """The resource type in a model's ARN."""

    @property
    def endpoint_resource(self) -> str:
        """The resource type in an endpoint's ARN."""

    @property
    def detection(self) -> str:
        """The operation that an endpoint answers."""

    @property
    def has_built_in(self) -> bool:
        """Whether AWS has models of this kind that nobody trained; the local service has none."""

    @property
    def job_noun(self) -> str:
        """Such as "DocumentClassificationJob": in names of operations and members."""

    @property
    def job_words(self) -> str:
        """Such as "document classification job"."""

    @property
    def job_resource(self) -> str:
        """The resource type in a job's ARN."""

    @property
    def archive_mark(self) -> str:
        """What stands for the kind in the name of a job's output."""

    def task(self, config: dict[str, Any]) -> Task:
        """The task that a request's TaskConfig names; raises InvalidRequestException."""

    def sources(self, config: dict[str, Any]) -> tuple[DataSource, ...]:
        """Where CreateDataset's InputDataConfig says that the data are; raises InvalidRequestException."""

    def task_of_training(self, request: dict[str, Any]) -> Task:
        """The task of a model without a flywheel, by the request that creates it; raises InvalidRequestException."""

    def training_sources(self, config: dict[str, Any]) -> tuple[tuple[DataSource, ...], tuple[DataSource, ...]]:
        """Where that request's InputDataConfig says that training data and test data are; without test data some of the
        others are held out. Raises InvalidRequestException."""

    def input_of_flywheel(self, task: Any, sources: tuple[DataSource, ...]) -> dict[str, Any]:
        """The InputDataConfig of a model that a flywheel trained on these sources."""

    def checked_contents(self, files: tuple[DataFile, ...], *, task: Any, settings: Settings) -> Contents:
        """Read documents and hold them against the quotas; raises InvalidTrainingDataError saying what is wrong."""

    def maximum_dataset_bytes(self, settings: Settings) -> int: ...

    def require_minimum(
        self, contents: Contents, *, parts: frozenset[Part], task: Any, settings: Settings, what: MinimumOf
    ) -> None:
        """Raise InvalidTrainingDataError unless the training data of a dataset, a flywheel or a model without one have
        the minimum of all that occurs in them."""

    def train_model(self, data: ModelData, path: Path) -> TrainedModel:
        """Train on the training documents and save the model at ``path``; raises InvalidTrainingDataError. It runs in a
        worker process."""

    def learnt(self, task: Any, trained: Any) -> Task:
        """The task of a trained model, which may be to tell what it found in its data."""

    def evaluate_model(self, data: ModelData, path: Path) -> Evaluation:
        """Score the model at ``path`` on the test documents. It runs in a worker process."""

    def load_model(self, path: Path) -> None:
        """Make the process ready to :meth:`detect` with the model at ``path`` at once. It runs in a worker process."""

    def detect(self, path: Path, text: str) -> Any:
        """What the model at ``path`` finds in the text, for :meth:`answer`. It runs in a worker process."""

    def answer(self, found: Any, task: Any, settings: Settings, /) -> dict[str, Any]:
        """The answer of :attr:`detection`."""

    def maximum_text_bytes(self, settings: Settings) -> int:
        """Of the text that :attr:`detection` takes, in UTF-8."""

    def predict(self, settings: Settings) -> Predict:
        """How a job answers its input."""

    def properties(self, model: Model, settings: Settings) -> dict[str, Any]:
        """What is particular to the kind in a model's description."""
