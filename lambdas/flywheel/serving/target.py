"""The target of the endpoint: the parameter `serving`. The Serving stack writes it, and deletes it before the rest."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import Field, ValidationError, field_validator

from flywheel.faults.errors import FlywheelError
from flywheel.serving.hours import WeeklyTime, is_open
from flywheel.store.record import Record

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

SERVING = "serving"
NONE = "none"


class InvalidServingTarget(FlywheelError):
    """The parameter `serving` was not written by the Serving stack."""


class EndpointTarget(Record):
    """Numbers are strings in the parameter, as CloudFormation writes them."""

    inference_units: int = Field(ge=0)
    maximum_inference_units: int = Field(ge=0)
    smoke_test_key: str = ""
    """Key of a file in the intake bucket; empty: no smoke test."""
    smoke_test_minimum: float = Field(ge=0, le=1, default=0)
    """The share of the smoke test's documents that has to be right."""
    hours_start: str = ""
    hours_end: str = ""
    """Both are given, or neither: then the endpoint is served at all hours."""

    @field_validator("smoke_test_key", "hours_start", "hours_end", mode="before")
    @classmethod
    def none_is_nothing(cls, value: object) -> object:
        """The stack writes "none", because the CDK CLI takes an empty parameter as "keep the value"."""
        return "" if value == NONE else value

    @field_validator("hours_start", "hours_end")
    @classmethod
    def is_a_time(cls, expression: str) -> str:
        if expression:
            WeeklyTime.of(expression)
        return expression

    @property
    def most_units(self) -> int:
        return max(self.inference_units, self.maximum_inference_units)

    @property
    def scales(self) -> bool:
        return self.most_units > self.inference_units

    def in_hours(self, now: datetime) -> bool:
        """`now` in UTC."""
        if not (self.hours_start and self.hours_end):
            return True
        return is_open(start=WeeklyTime.of(self.hours_start), end=WeeklyTime.of(self.hours_end), now=now)


def read_target(*, ssm: SSMClient, prefix: str) -> EndpointTarget | None:
    """None if no Serving stack is deployed, or if it is being destroyed. Raises InvalidServingTarget."""
    name = f"{prefix}/{SERVING}"
    try:
        value = ssm.get_parameter(Name=name)["Parameter"]["Value"]
    except ssm.exceptions.ParameterNotFound:
        return None
    try:
        return EndpointTarget.model_validate_json(value)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, item['loc'])) or 'all'}: {item['msg']}" for item in error.errors())
        raise InvalidServingTarget(f"The parameter {name} belongs to the Serving stack, but holds: {wrong}.") from error
