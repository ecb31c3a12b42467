"""Finding a deployed flywheel by what its stack publishes in Parameter Store."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from flywheel.comprehend.flywheel import FlywheelService
from flywheel.document_classification import DOCUMENT_CLASSIFICATION
from flywheel.preparation import ConflictingLabels
from flywheel.records.decisions import Evidence
from flywheel.records.promotions import PromotionMode
from flywheel.store.bucket import IntakeBucket
from flywheel.store.parameters import PublishedModels
from ops.clients import Clients
from ops.errors import (
    PARAMETER_ROOT,
    InvalidSettingError,
    NoDeploymentError,
    SeveralDeploymentsError,
    UnreadableDeploymentError,
)

NAME_VARIABLE = "FLYWHEEL_NAME"
SETTINGS_FILE = "cdk.json"
_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9])*")
_NAME_OPTION = "from --name"


class Published(BaseModel):
    """The JSON in the parameter `deployment`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    intake_bucket: str
    lake_bucket: str
    turn_machine_arn: str
    turn_queue_url: str
    promotion_machine_arn: str
    promotion_queue_url: str
    topic_arn: str
    mode: Literal["MULTI_CLASS", "MULTI_LABEL"]
    labels: tuple[str, ...] | None
    """None where they are too many for a parameter."""
    label_delimiter: str
    language: str
    parameters: dict[str, str | int | float | bool] = {}


@dataclass(frozen=True)
class Deployment:
    """A flywheel that is deployed in the Region of `clients`."""

    name: str
    flywheel_arn: str
    published: Published
    clients: Clients

    @property
    def region(self) -> str:
        return self.clients.region

    @cached_property
    def labels(self) -> tuple[str, ...]:
        if self.published.labels is not None:
            return self.published.labels
        return self.service.describe().task.labels

    @property
    def multi_label(self) -> bool:
        return self.published.mode == "MULTI_LABEL"

    @property
    def models(self) -> PublishedModels:
        """The active, previous and desired model in Parameter Store, as they are now."""
        return PublishedModels(ssm=self.clients.ssm, prefix=f"{PARAMETER_ROOT}/{self.name}")

    @cached_property
    def intake(self) -> IntakeBucket:
        return IntakeBucket(s3=self.clients.s3, bucket=self.published.intake_bucket)

    @property
    def minimum_documents_per_label(self) -> int:
        return int(self._number("MinimumDocumentsPerLabel", 50))

    @property
    def maximum_bad_lines_percent(self) -> float:
        return self._number("MaximumBadLinesPercent", 5)

    @property
    def conflicting_labels(self) -> ConflictingLabels:
        value = self.published.parameters.get("ConflictingLabels", ConflictingLabels.KEEP)
        try:
            return ConflictingLabels(str(value))
        except ValueError as error:
            raise self._unreadable("ConflictingLabels", value) from error

    @property
    def quiet_period_minutes(self) -> float:
        return self._number("QuietPeriodMinutes", 0)

    @property
    def minimum_hours_between_iterations(self) -> float:
        return self._number("MinimumHoursBetweenIterations", 0)

    @property
    def trigger_on_upload(self) -> bool:
        return str(self.published.parameters.get("TriggerOnUpload", "true")).lower() == "true"

    @property
    def promotion_mode(self) -> PromotionMode:
        value = self.published.parameters.get("PromotionMode", PromotionMode.AUTOMATIC)
        try:
            return PromotionMode(str(value))
        except ValueError as error:
            raise self._unreadable("PromotionMode", value) from error

    @property
    def evidence(self) -> Evidence:
        value = self.published.parameters.get("Evidence", Evidence.ITERATION)
        try:
            return Evidence(str(value))
        except ValueError as error:
            raise self._unreadable("Evidence", value) from error

    @property
    def holdout_documents(self) -> int:
        return int(self._number("HoldoutDocuments", 2000))

    @property
    def models_to_keep(self) -> int:
        return int(self._number("ModelsToKeep", 5))

    @property
    def service(self) -> FlywheelService:
        return FlywheelService(
            comprehend=self.clients.comprehend, flywheel_arn=self.flywheel_arn, kind=DOCUMENT_CLASSIFICATION
        )

    @property
    def selection_metric(self) -> str:
        return str(self.published.parameters.get("SelectionMetric", "F1Score"))

    def _number(self, parameter: str, default: float) -> float:
        value = self.published.parameters.get(parameter, default)
        try:
            return float(value)
        except ValueError as error:
            raise self._unreadable(parameter, value) from error

    def _unreadable(self, parameter: str, value: object) -> UnreadableDeploymentError:
        return UnreadableDeploymentError(
            parameter=f"{PARAMETER_ROOT}/{self.name}/deployment", problem=f"{parameter} is {value!r}"
        )


def find_deployment(clients: Clients, *, name: str | None = None, folder: Path | None = None) -> Deployment:
    """The deployment called `name`; without it the one that FLYWHEEL_NAME or the cdk.json in `folder` (default: the
    current one) names, else the only one that there is.

    Raises NoDeploymentError, SeveralDeploymentsError, InvalidSettingError, UnreadableDeploymentError and botocore's.
    """
    chosen = choose_name(name=name, folder=folder)
    if chosen is None:
        deployed = list_deployments(clients)
        if not deployed:
            raise NoDeploymentError(region=clients.region, name=None, name_came_from=None, deployed=())
        if len(deployed) > 1:
            raise SeveralDeploymentsError(region=clients.region, deployed=deployed)
        chosen = deployed[0], "the only one"
    name, came_from = chosen
    found = _read_parameters(clients, name)
    if "deployment" not in found or "flywheel-arn" not in found:
        raise NoDeploymentError(
            region=clients.region, name=name, name_came_from=came_from, deployed=list_deployments(clients)
        )
    return Deployment(
        name=name,
        flywheel_arn=found["flywheel-arn"],
        published=_parse(found["deployment"], parameter=f"{PARAMETER_ROOT}/{name}/deployment"),
        clients=clients,
    )


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
        chosen = name, _NAME_OPTION
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


def _settings_in(context: Mapping[str, Any]) -> dict[str, Any]:
    """As in synthesis: a context key of its own overrides the one among the settings."""
    return {**_object(context.get("flywheel")), **{key: value for key, value in context.items() if value}}


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _read_parameters(clients: Clients, name: str) -> dict[str, str]:
    prefix = f"{PARAMETER_ROOT}/{name}/"
    answer = clients.ssm.get_parameters(Names=[f"{prefix}{last}" for last in ("deployment", "flywheel-arn")])
    return {parameter["Name"].removeprefix(prefix): parameter["Value"] for parameter in answer["Parameters"]}


def _parse(value: str, *, parameter: str) -> Published:
    try:
        return Published.model_validate_json(value)
    except ValidationError as error:
        wrong = sorted({".".join(str(part) for part in problem["loc"]) or "not JSON" for problem in error.errors()})
        raise UnreadableDeploymentError(parameter=parameter, problem=f"wrong or missing: {', '.join(wrong)}") from error
