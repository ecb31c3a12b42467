"""The parameters that the pipeline writes at run time: the active, previous and desired model, and the endpoint."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

PARAMETER_ROOT = "/comprehend-flywheel"
"""The names of all flywheels' parameters begin with it."""
ACTIVE = "active-model-arn"
PREVIOUS = "previous-model-arn"
DESIRED = "desired-model-arn"
ENDPOINT = "endpoint-arn"
RUN_TIME_NAMES = (ACTIVE, PREVIOUS, DESIRED)
"""Deleted with the Flywheel stack. The endpoint's parameter is deleted with the endpoint."""


@dataclass(frozen=True, kw_only=True)
class DesiredModel:
    """The value of `desired-model-arn`, with the version that wrote it."""

    arn: str
    version: int
    at: datetime

    @property
    def request_id(self) -> str:
        """Id of the promotion request that this edit makes. It has the time too, because the versions of a deleted
        parameter start again at 1."""
        return f"desired-{self.version}-{self.at:%Y%m%dT%H%M%SZ}"


@dataclass(frozen=True, kw_only=True)
class PublishedActive:
    arn: str
    since: datetime
    """When the parameter was last written: only a change of the active model writes it."""


class PublishedModels:
    def __init__(self, *, ssm: SSMClient, prefix: str) -> None:
        self._ssm = ssm
        self._prefix = prefix

    def active(self) -> str | None:
        return self._value(ACTIVE)

    def active_since(self) -> PublishedActive | None:
        try:
            found = self._ssm.get_parameter(Name=f"{self._prefix}/{ACTIVE}")["Parameter"]
        except self._ssm.exceptions.ParameterNotFound:
            return None
        return PublishedActive(arn=found["Value"], since=found["LastModifiedDate"])

    def previous(self) -> str | None:
        return self._value(PREVIOUS)

    def desired(self) -> DesiredModel | None:
        try:
            found = self._ssm.get_parameter(Name=f"{self._prefix}/{DESIRED}")["Parameter"]
        except self._ssm.exceptions.ParameterNotFound:
            return None
        return DesiredModel(arn=found["Value"], version=found["Version"], at=found["LastModifiedDate"])

    def publish(self, model_arn: str, *, keep_desired: bool = False) -> None:
        """Write `model_arn` as the active and desired model, and the model it replaces as the previous one.

        `keep_desired` leaves `desired-model-arn` as it is: it has a person's edit that is still to be handled.
        `active-model-arn` is written last, so that a call that is killed and repeated has the same result.
        """
        former = self.active()
        if former and former != model_arn:
            self._put(PREVIOUS, former)
        if not keep_desired:
            self._put(DESIRED, model_arn)
        if former != model_arn:
            self._put(ACTIVE, model_arn)

    def endpoint(self) -> str | None:
        """The ARN of the endpoint while it is in service."""
        return self._value(ENDPOINT)

    def publish_endpoint(self, arn: str) -> None:
        self._put(ENDPOINT, arn)

    def forget_endpoint(self) -> None:
        self._ssm.delete_parameters(Names=[f"{self._prefix}/{ENDPOINT}"])

    def _value(self, name: str) -> str | None:
        try:
            return self._ssm.get_parameter(Name=f"{self._prefix}/{name}")["Parameter"]["Value"]
        except self._ssm.exceptions.ParameterNotFound:
            return None

    def _put(self, name: str, value: str) -> None:
        # A standard parameter may have 4 KB; Comprehend's ARNs have at most 256 characters.
        if self._value(name) != value:
            self._ssm.put_parameter(Name=f"{self._prefix}/{name}", Value=value, Type="String", Overwrite=True)
