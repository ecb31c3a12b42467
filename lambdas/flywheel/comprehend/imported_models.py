"""The models that a deployment without a flywheel imported, and which of them is active."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flywheel.comprehend.active_model import ActiveModelService, ActiveModelState
from flywheel.comprehend.jobs import JobSecurity
from flywheel.records.imports import ACTIVE_MODEL_KEY, ActiveImport, version_name
from flywheel.records.model_arn import ModelArn

if TYPE_CHECKING:
    from mypy_boto3_comprehend import ComprehendClient

    from flywheel.comprehend.model_kind import Model, ModelKind, Task
    from flywheel.store.bucket import IntakeBucket


class ImportedModels(ActiveModelService):
    """Comprehend knows no active model where there is no flywheel: a record in the intake bucket holds it."""

    arn = None

    def __init__(
        self,
        *,
        comprehend: ComprehendClient,
        kind: ModelKind,
        intake: IntakeBucket,
        model_arn: str,
        key_arn: str | None = None,
        role_arn: str | None = None,
    ) -> None:
        """`model_arn` is the ARN that all imported versions have, without a version. `key_arn` is the key that encrypts
        them, `role_arn` the role with which Comprehend reads and writes in jobs."""
        super().__init__(comprehend=comprehend, kind=kind)
        name = ModelArn.parse(model_arn)
        if name is None:
            raise ValueError(f"{model_arn} is not the ARN of a model.")
        self.name = name.name
        self.model_arn = model_arn
        self._place = name.place
        self._intake = intake
        self._security = JobSecurity(output_key=key_arn, volume_key=key_arn)
        self._role_arn = role_arn

    @property
    def place(self) -> str:
        return self._place

    def version_arn(self, source_arn: str) -> str:
        """ARN of the version that is, or will be, imported from `source_arn`."""
        return f"{self.model_arn}/version/{version_name(source_arn)}"

    def import_version(self, source_arn: str) -> None:
        """Ask Comprehend to import the version; it takes minutes. Raises ClientError."""
        optional = {"ModelKmsKeyId": self._security.volume_key, "DataAccessRoleArn": self._role_arn}
        self._comprehend.import_model(
            SourceModelArn=source_arn,
            ModelName=self.name,
            VersionName=version_name(source_arn),
            Tags=[{"Key": key, "Value": value} for key, value in sorted(self.tags().items())],
            **{member: value for member, value in optional.items() if value},
        )

    def describe(self) -> ActiveModelState:
        return ActiveModelState(
            active=True,
            arn=None,
            task=None,
            language=None,
            active_model_arn=self.find_active_model(),
            data_access_role_arn=self._role_arn,
            security=self._security,
        )

    def find_active_model(self) -> str | None:
        found = self._intake.read(ACTIVE_MODEL_KEY, ActiveImport)
        return found.model_arn if found else None

    def set_active_model(self, model_arn: str) -> None:
        self._intake.write(ACTIVE_MODEL_KEY, ActiveImport(model_arn=model_arn))

    def task_of(self, model_arn: str) -> Task:
        return self.kind.task_of_model(self.kind.describe_model(self._comprehend, model_arn))

    def flywheel_of(self, model: Model) -> str | None:  # noqa: ARG002 - whatever Comprehend says of the source's
        return None

    def own_models(self) -> list[Model]:
        found = (self.kind.model(item) for item in self.kind.list_models(self._comprehend))
        own = [model for model in found if model.arn.startswith(f"{self.model_arn}/version/")]
        return sorted(own, key=lambda model: (model.submitted_at, model.arn))

    def tags(self) -> dict[str, str]:
        return self._intake.tags()

    def blocked_by(self) -> str | None:
        return None

    def at(self, flywheel_arn: str | None) -> ImportedModels:  # noqa: ARG002 - there is no flywheel
        return self
