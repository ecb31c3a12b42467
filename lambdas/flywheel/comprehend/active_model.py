"""Who knows which model is active: a flywheel, or a deployment that imports models."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flywheel.comprehend.jobs import JobSecurity, JobService
from flywheel.comprehend.model import ModelService
from flywheel.faults.errors import IncompleteAnswer

if TYPE_CHECKING:
    from mypy_boto3_comprehend import ComprehendClient

    from flywheel.comprehend.model_kind import Model, ModelKind, StartedJob, Task


@dataclass(frozen=True, kw_only=True)
class ActiveModelState:
    active: bool
    """A model can be made active. A flywheel's status is ACTIVE then, whether an iteration runs or not."""
    arn: str | None
    """The flywheel's; None in a deployment that imports models."""
    task: Task | None
    """The task that every active model must have been trained for. None: that of the active model, whatever it is."""
    language: str | None
    active_model_arn: str | None
    data_access_role_arn: str | None
    security: JobSecurity


class ActiveModelService(ABC):
    """Tells the active model, and changes it. The client retries throttling and faults, then raises ClientError."""

    arn: str | None
    """The flywheel's; None in a deployment that imports models."""

    def __init__(self, *, comprehend: ComprehendClient, kind: ModelKind) -> None:
        self._comprehend = comprehend
        self.kind = kind
        self.models = ModelService(comprehend=comprehend, kind=kind)
        self.jobs = JobService(comprehend=comprehend, kind=kind)

    @property
    @abstractmethod
    def place(self) -> str:
        """`arn:<partition>:comprehend:<Region>:<account>`, as the ARN of every model begins that can be active."""

    @abstractmethod
    def describe(self) -> ActiveModelState: ...

    @abstractmethod
    def find_active_model(self) -> str | None:
        """None if there is none, or no flywheel."""

    @abstractmethod
    def set_active_model(self, model_arn: str) -> None: ...

    @abstractmethod
    def task_of(self, model_arn: str) -> Task:
        """The task of a model that is active, or is to be."""

    @abstractmethod
    def flywheel_of(self, model: Model) -> str | None:
        """ARN of the flywheel of this account that trained the model."""

    @abstractmethod
    def own_models(self) -> list[Model]:
        """The model versions that the deployment made, oldest first."""

    @abstractmethod
    def tags(self) -> dict[str, str]:
        """Of the deployment: those of the setting `tags`, and what people added."""

    @abstractmethod
    def blocked_by(self) -> str | None:
        """What keeps the active model from being changed now, such as an iteration; None if nothing does."""

    @abstractmethod
    def at(self, flywheel_arn: str | None) -> ActiveModelService:
        """The service for another flywheel, for instance of a former generation."""

    def start_job(
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
        """As `JobService.start`, with the deployment's encryption keys and VPC, and its role if `role_arn` is None.

        Raises IncompleteAnswer, ModelNotUsable, ServiceBusy.
        """
        found = self.describe()
        role = role_arn or found.data_access_role_arn
        if role is None:
            raise IncompleteAnswer(member="DataAccessRoleArn", of=f"flywheel {found.arn}")
        return self.jobs.start(
            model_arn=model_arn,
            flywheel_arn=flywheel_arn,
            documents_uri=documents_uri,
            output_uri=output_uri,
            role_arn=role,
            security=found.security,
            name=name,
            token=token,
        )
