"""What the pipeline publishes in Parameter Store at run time: the active, previous and desired model."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

ACTIVE = "active-model-arn"
PREVIOUS = "previous-model-arn"
DESIRED = "desired-model-arn"
ENDPOINT = "endpoint-arn"
RUN_TIME_NAMES = (ACTIVE, PREVIOUS, DESIRED)
"""Those of the Flywheel stack, removed with it; the endpoint's is removed with the endpoint."""


@dataclass(frozen=True, kw_only=True)
class DesiredModel:
    arn: str
    version: int
    at: datetime

    @property
    def request_id(self) -> str:
        """Of the request that this edit is. The versions of a parameter that is deleted begin anew."""
        return f"desired-{self.version}-{self.at:%Y%m%dT%H%M%SZ}"


@dataclass(frozen=True, kw_only=True)
class PublishedActive:
    arn: str
    since: datetime
    """Each version of the parameter is a change of the active model."""


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

    def publish(self, model_arn: str, *, another_is_desired: bool = False) -> None:
        """Make `model_arn` the active and desired model, and the one it replaces the previous.

        `another_is_desired` leaves the desired model as it is: a person edited it, and it is still to be looked at.
        Killed anywhere and repeated, the result is the same: *active*, by which it is seen that there is something to
        do, is written last.
        """
        former = self.active()
        if former and former != model_arn:
            self._put(PREVIOUS, former)
        if not another_is_desired:
            self._put(DESIRED, model_arn)
        if former != model_arn:
            # Each version of this parameter is a change of the active model.
            self._put(ACTIVE, model_arn)

    def endpoint(self) -> str | None:
        """The ARN of the endpoint that answers."""
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
        # A parameter takes 4 KB: these are ARNs, which Comprehend keeps below 256 characters.
        if self._value(name) != value:
            self._ssm.put_parameter(Name=f"{self._prefix}/{name}", Value=value, Type="String", Overwrite=True)
