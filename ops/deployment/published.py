"""Finding a deployed flywheel by what its stack publishes in Parameter Store."""

from __future__ import annotations

import json
import os
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_pascal

from flywheel.comprehend.active_model import ActiveModelService
from flywheel.comprehend.flywheel import FlywheelService
from flywheel.comprehend.imported_models import ImportedModels
from flywheel.comprehend.model_kind import ModelKind, ModelType
from flywheel.environment import OrNone
from flywheel.model_kinds import kind_of
from flywheel.pipeline import FlywheelPipeline
from flywheel.preparation import ConflictingLabels, RepeatedDocuments
from flywheel.promotions import start_promotion
from flywheel.records.decisions import Evidence
from flywheel.records.promotions import PromotionMode
from flywheel.store.bucket import IntakeBucket
from flywheel.store.parameters import PARAMETER_ROOT, PublishedModels
from flywheel.turn import start_turn
from ops.deployment.clients import Clients
from ops.deployment.errors import (
    ImportsModelsError,
    InvalidSettingError,
    NoDeploymentError,
    OperatorError,
    UnreadableDeploymentError,
)
from ops.deployment.executions import execution_arn

NAME_VARIABLE = "FLYWHEEL_NAME"
SETTINGS_FILE = "cdk.json"
_FLYWHEEL = "flywheel-arn"
_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9])*")
ModelT = TypeVar("ModelT", bound=BaseModel)


class PublishedParts(BaseModel):
    """What the JSON in the parameter `deployment` has of every deployment."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    intake_bucket: str
    promotion_machine_arn: str
    promotion_queue_url: str
    topic_arn: str
    model_type: ModelType = ModelType.DOCUMENT_CLASSIFIER
    label_delimiter: str
    parameters: dict[str, str | int | float | bool] = {}


class PublishedImports(PublishedParts):
    """Of one that imports models."""

    imported_model_arn: str
    """What the ARNs of all imported versions begin with."""


class Published(PublishedParts):
    """Of a flywheel."""

    lake_bucket: str
    publish_answers_arn: str | None = None
    """None of deployments of earlier versions."""
    turn_machine_arn: str
    turn_queue_url: str
    mode: Literal["MULTI_CLASS", "MULTI_LABEL"]
    """Of a document classifier."""
    labels: tuple[str, ...] | None
    """A recognizer's entity types. None where they are too many for a parameter."""
    language: str
    generation: int | None = None
    """None of deployments of earlier versions, which did not say it."""


class PromotionParameters(BaseModel):
    """Of the Flywheel and of the Import stack."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_pascal)

    promotion_mode: PromotionMode = PromotionMode.AUTOMATIC
    models_to_keep: int = 5
    selection_metric: str = "F1Score"
    """The Import stack has none: of imported models this score is shown."""


class ImportParameters(PromotionParameters):
    """Of the Import stack."""

    source_account: str
    source_flywheel_name: str


class Parameters(PromotionParameters):
    """Of the Flywheel stack; the defaults are for deployments of earlier versions, which lack some."""

    minimum_documents_per_label: int = 50
    maximum_bad_lines_percent: float = 5
    conflicting_labels: ConflictingLabels = ConflictingLabels.KEEP
    repeated_documents: RepeatedDocuments = RepeatedDocuments.DROP
    machine_labels: Literal["KEEP", "REFUSE"] = "KEEP"
    manifest_attribute: OrNone = None
    quiet_period_minutes: float = 0
    minimum_hours_between_iterations: float = 0
    trigger_on_upload: bool = True
    evidence: Evidence = Evidence.ITERATION
    holdout_documents: int = 2000
    reviewers_per_item: int = 1


ParametersT = TypeVar("ParametersT", bound=PromotionParameters)


@dataclass(frozen=True)
class AnyDeployment(ABC):
    """What is deployed in the Region of `clients`: a flywheel, or what imports the models of one. Both serve models."""

    name: str
    published: PublishedParts
    clients: Clients

    @property
    @abstractmethod
    def service(self) -> ActiveModelService: ...

    @property
    @abstractmethod
    def parameters(self) -> PromotionParameters:
        """Raises UnreadableDeploymentError."""

    @property
    def region(self) -> str:
        return self.clients.region

    @property
    def kind(self) -> ModelKind:
        return kind_of(self.published.model_type)

    @property
    def prefix(self) -> str:
        """What the names of its values in Parameter Store begin with."""
        return f"{PARAMETER_ROOT}/{self.name}"

    @property
    def models(self) -> PublishedModels:
        """The active, previous and desired model in Parameter Store, as they are now."""
        return PublishedModels(ssm=self.clients.ssm, prefix=self.prefix)

    @cached_property
    def intake(self) -> IntakeBucket:
        return IntakeBucket(s3=self.clients.s3, bucket=self.published.intake_bucket)

    def promotion_execution(self, promotion: str) -> str:
        """The ARN of its execution, whether or not it has begun."""
        return execution_arn(self.published.promotion_machine_arn, promotion)

    def read_published(self, last: str, kind: type[ModelT]) -> ModelT | None:
        """What another of its stacks publishes under `last`; None if it is not deployed.

        Raises UnreadableDeploymentError.
        """
        name = f"{self.prefix}/{last}"
        value = self.clients.parameter(name)
        return None if value is None else _parse(value, kind, parameter=name)

    def poke_promotions(self) -> None:
        """Sends one message to the promotion queue. It starts nothing by itself: start_promotion looks and decides."""
        self._send(self.published.promotion_queue_url, start_promotion.Poke.OPERATOR)

    def _send(self, queue_url: str, poke: StrEnum) -> None:
        self.clients.sqs.send_message(QueueUrl=queue_url, MessageBody=json.dumps({"poke": poke.value}))

    def _parameters(self, kind: type[ParametersT]) -> ParametersT:
        """Raises UnreadableDeploymentError."""
        try:
            return kind.model_validate(self.published.parameters)
        except ValidationError as error:
            wrong = error.errors()[0]
            problem = f"{wrong['loc'][0]} is {wrong['input']!r}"
            raise UnreadableDeploymentError(parameter=f"{self.prefix}/deployment", problem=problem) from error


@dataclass(frozen=True)
class ImportDeployment(AnyDeployment):
    """A deployment that imports models."""

    published: PublishedImports

    @property
    def parameters(self) -> ImportParameters:
        """Raises UnreadableDeploymentError."""
        return self._parameters(ImportParameters)

    @property
    def service(self) -> ImportedModels:
        """It has neither key nor role: the command line imports nothing and starts no job by itself."""
        return ImportedModels(
            comprehend=self.clients.comprehend,
            kind=self.kind,
            intake=self.intake,
            model_arn=self.published.imported_model_arn,
        )


@dataclass(frozen=True)
class Deployment(AnyDeployment):
    """A flywheel."""

    published: Published
    flywheel_arn: str

    @cached_property
    def labels(self) -> tuple[str, ...]:
        if self.published.labels is not None:
            return self.published.labels
        return self.service.describe().task.labels

    @property
    def multi_label(self) -> bool:
        return self.published.mode == "MULTI_LABEL"

    @property
    def parameters(self) -> Parameters:
        """Raises UnreadableDeploymentError."""
        return self._parameters(Parameters)

    @property
    def service(self) -> FlywheelService:
        return FlywheelService(comprehend=self.clients.comprehend, flywheel_arn=self.flywheel_arn, kind=self.kind)

    @property
    def pipeline(self) -> FlywheelPipeline:
        """What the pipeline's own functions are asked with."""
        return FlywheelPipeline(intake=self.intake, service=self.service, published=self.models)

    def turn_execution(self, turn: str) -> str:
        """The ARN of its execution, whether or not it has begun."""
        return execution_arn(self.published.turn_machine_arn, turn)

    def poke(self) -> None:
        """As `poke_promotions`, for the turn queue, where start_turn looks and decides."""
        self._send(self.published.turn_queue_url, start_turn.Poke.OPERATOR)


def find_deployment(clients: Clients, *, name: str | None = None, folder: Path | None = None) -> Deployment:
    """As `find_any_deployment`, for what needs a flywheel. Raises ImportsModelsError, too."""
    return require_flywheel(find_any_deployment(clients, name=name, folder=folder))


def require_flywheel(found: AnyDeployment) -> Deployment:
    """Raises ImportsModelsError."""
    match found:
        case Deployment():
            return found
        case ImportDeployment():
            source = found.parameters
            raise ImportsModelsError(
                name=found.name, flywheel=source.source_flywheel_name, account=source.source_account
            )
    raise TypeError(found)


def find_any_deployment(clients: Clients, *, name: str | None = None, folder: Path | None = None) -> AnyDeployment:
    """The deployment called `name`; without it the one that FLYWHEEL_NAME or the cdk.json in `folder` (default: the
    current one) names, else the only one that there is.

    Raises NoDeploymentError, OperatorError if there are several, InvalidSettingError, UnreadableDeploymentError and
    botocore's errors.
    """
    chosen = choose_name(name=name, folder=folder)
    if chosen is None:
        deployed = list_deployments(clients)
        if not deployed:
            raise NoDeploymentError(region=clients.region, name=None, name_came_from=None, deployed=())
        if len(deployed) > 1:
            raise OperatorError(
                f"Several flywheels are deployed in {clients.region}: choose with --name ({', '.join(deployed)})."
            )
        chosen = deployed[0], "the only one"
    name, came_from = chosen
    found = _read_parameters(clients, name)
    parameter, value, flywheel_arn = (
        f"{PARAMETER_ROOT}/{name}/deployment",
        found.get("deployment"),
        found.get(_FLYWHEEL),
    )
    if value is not None and _imports(value):
        imports = _parse(value, PublishedImports, parameter=parameter)
        return ImportDeployment(name=name, published=imports, clients=clients)
    if value is None or flywheel_arn is None:
        raise NoDeploymentError(
            region=clients.region, name=name, name_came_from=came_from, deployed=list_deployments(clients)
        )
    published = _parse(value, Published, parameter=parameter)
    return Deployment(name=name, flywheel_arn=flywheel_arn, published=published, clients=clients)


def _imports(value: str) -> bool:
    """Whether this parameter `deployment` is of a deployment that imports models."""
    try:
        return bool(_object(json.loads(value)).get("role") == "import")
    except ValueError:
        return False


def list_deployments(clients: Clients) -> list[str]:
    """The names of the flywheels that are deployed in the Region of `clients`, sorted."""
    pages = clients.ssm.get_paginator("get_parameters_by_path").paginate(Path=PARAMETER_ROOT, Recursive=True)
    names = [parameter["Name"] for page in pages for parameter in page["Parameters"]]
    below = (name.removeprefix(f"{PARAMETER_ROOT}/").split("/") for name in names)
    return sorted(parts[0] for parts in below if parts[1:] == ["deployment"])


def is_deployed(clients: Clients, name: str) -> bool:
    return "deployment" in _read_parameters(clients, name)


def choose_name(*, name: str | None = None, folder: Path | None = None) -> tuple[str, str] | None:
    """The name that was asked for and where it came from, None if none was. Raises InvalidSettingError."""
    if name:
        chosen = name, "from --name"
    elif os.environ.get(NAME_VARIABLE):
        chosen = os.environ[NAME_VARIABLE], f"from {NAME_VARIABLE}"
    elif (from_settings := name_in(read_context(folder or Path.cwd()))) is not None:
        chosen = from_settings, f"from {SETTINGS_FILE} in this folder"
    else:
        return None
    if not _NAME.fullmatch(chosen[0]):
        raise InvalidSettingError(
            f"{chosen[0]!r} ({chosen[1]}) cannot be the name of a flywheel: letters, digits and hyphens between them."
        )
    return chosen


def read_settings_file(folder: Path) -> dict[str, Any]:
    """The settings in the cdk.json of ``folder``, unchecked; empty if there is none. Raises InvalidSettingError."""
    return _settings_in(read_context(folder))


def read_context(folder: Path) -> dict[str, Any]:
    """The CDK context in the cdk.json of ``folder``; empty if there is none. Raises InvalidSettingError."""
    settings = folder / SETTINGS_FILE
    if not settings.is_file():
        return {}
    try:
        content = json.loads(settings.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InvalidSettingError(f"{settings} is not valid JSON ({error}): mend it, or choose with --name.") from error
    return _object(_object(content).get("context"))


def name_in(context: Mapping[str, Any]) -> str | None:
    """The flywheel's name in a CDK context."""
    name = _settings_in(context).get("name")
    return name if isinstance(name, str) and name else None


def role_in(context: Mapping[str, Any]) -> str:
    """`train` or `import`, in a CDK context."""
    return str(_settings_in(context).get("role", "train"))


def environments_in(context: Mapping[str, Any]) -> list[str]:
    """The names of the environments in a CDK context."""
    return list(_object(context.get("environments")))


def _settings_in(context: Mapping[str, Any]) -> dict[str, Any]:
    """As in synthesis: a context key of its own overrides the one among the settings."""
    return {**_object(context.get("flywheel")), **{key: value for key, value in context.items() if value}}


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _read_parameters(clients: Clients, name: str) -> dict[str, str]:
    prefix = f"{PARAMETER_ROOT}/{name}/"
    answer = clients.ssm.get_parameters(Names=[f"{prefix}{last}" for last in ("deployment", _FLYWHEEL)])
    return {parameter["Name"].removeprefix(prefix): parameter["Value"] for parameter in answer["Parameters"]}


def _parse(value: str, kind: type[ModelT], *, parameter: str) -> ModelT:
    try:
        return kind.model_validate_json(value)
    except ValidationError as error:
        wrong = sorted({".".join(str(part) for part in problem["loc"]) or "not JSON" for problem in error.errors()})
        raise UnreadableDeploymentError(parameter=parameter, problem=f"wrong or missing: {', '.join(wrong)}") from error
