"""The flywheel that a template describes, and how an existing one differs from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_pascal

from flywheel.comprehend.model_kind import ModelKind, ModelType
from flywheel.model_kinds import kind_of


class Tag(BaseModel):
    model_config = ConfigDict(frozen=True, alias_generator=to_pascal, populate_by_name=True)

    key: str
    value: str = ""


class WantedFlywheel(BaseModel):
    """The properties of the custom resource, in CloudFormation's spelling."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_pascal, populate_by_name=True)

    flywheel_arn: str
    initial_model_arn: str
    initial_model_data: tuple[str, ...]
    """S3 URIs: the data of the initial model begin with one of them."""
    model_type: ModelType
    language_code: str
    mode: str | None = None
    """Of a document classifier."""
    labels: tuple[str, ...]
    """Or entity types."""
    data_access_role_arn: str
    data_lake_s3_uri: str
    data_security_config: dict[str, Any] = Field(default_factory=dict)
    """As CreateFlywheel takes it."""
    tags: tuple[Tag, ...] = ()

    @property
    def name(self) -> str:
        return self.flywheel_arn.rpartition("/")[2]

    @property
    def kind(self) -> ModelKind:
        return kind_of(self.model_type)

    def is_ours(self, properties: Any) -> bool:
        """Whether this flywheel has its data lake where the template puts it: nobody else's flywheel does."""
        uri: str = properties.get("DataLakeS3Uri", "")
        return uri.startswith(self.data_lake_s3_uri)

    def task_differences(self, properties: Any) -> Iterator[str]:
        """How what an ACTIVE flywheel is for differs from the settings."""
        config = properties.get("TaskConfig", {})
        task = self.kind.task(config)
        yield from differing("language", config.get("LanguageCode"), self.language_code)
        if self.mode is not None:
            yield from differing("mode", task.mode, self.mode)
        # They are optional in Comprehend's model of the answer.
        if task.labels and set(task.labels) != set(self.labels):
            yield f"its labels are {_listed(task.labels)}, and the settings name {_listed(self.labels)}"


def differing(what: str, found: str | None, wanted: str) -> Iterator[str]:
    """What Comprehend does not say is not compared."""
    if found not in (None, wanted):
        yield f"its {what} is {found}, and the setting {what} is {wanted}"


def _listed(labels: Sequence[str]) -> str:
    return ", ".join(sorted(labels))
