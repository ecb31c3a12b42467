"""Describes, creates, changes and deletes the flywheel's endpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from flywheel.comprehend.answers import required
from flywheel.faults.errors import FlywheelError
from flywheel.faults.fault_names import INVALID
from flywheel.faults.service_faults import error_code, error_message

if TYPE_CHECKING:
    from mypy_boto3_comprehend import ComprehendClient


class EndpointRefused(FlywheelError):
    """Comprehend refuses to create or change the endpoint. The message is Comprehend's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.invalid = code in INVALID
        """The request has an invalid value."""


class EndpointFailed(FlywheelError):
    """The endpoint is FAILED, and so is the one that replaced it. The message is Comprehend's."""


class EndpointStatus(StrEnum):
    CREATING = "CREATING"
    DELETING = "DELETING"
    FAILED = "FAILED"
    IN_SERVICE = "IN_SERVICE"
    UPDATING = "UPDATING"


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    arn: str
    status: EndpointStatus
    message: str
    model_arn: str | None
    """None: Comprehend does not say."""
    flywheel_arn: str | None
    """None: the endpoint is bound to a model, not to a flywheel."""
    desired_units: int | None
    """None: Comprehend does not say."""


_REFUSALS = INVALID | {
    "ResourceLimitExceededException",
    "ResourceNotFoundException",
    "ResourceUnavailableException",
    "TooManyTagsException",
}


class EndpointService:
    """One endpoint with a fixed name."""

    def __init__(self, *, comprehend: ComprehendClient, arn: str) -> None:
        self._comprehend = comprehend
        self.arn = arn

    def describe(self) -> Endpoint | None:
        """None if the endpoint does not exist."""
        try:
            answer = self._comprehend.describe_endpoint(EndpointArn=self.arn)
        except self._comprehend.exceptions.ResourceNotFoundException:
            return None
        found = required(answer, "EndpointProperties", of=f"endpoint {self.arn}")
        return Endpoint(
            arn=self.arn,
            status=EndpointStatus(required(found, "Status", of=f"endpoint {self.arn}")),
            message=found.get("Message", "Comprehend gave no reason."),
            model_arn=found.get("ModelArn") or found.get("DesiredModelArn"),
            flywheel_arn=found.get("FlywheelArn"),
            desired_units=found.get("DesiredInferenceUnits") or found.get("CurrentInferenceUnits"),
        )

    def create(
        self, *, flywheel_arn: str | None, model_arn: str, units: int, role_arn: str | None, tags: Mapping[str, str]
    ) -> None:
        """Create the endpoint: bound to the flywheel, whose active model is `model_arn`, or without one to the model.
        Raises EndpointRefused.

        `role_arn` is for models that are encrypted with a customer managed key. There is no ClientRequestToken, because
        a repeated token could return the answer about a deleted endpoint (reference 1.2). The fixed name prevents a
        second endpoint.
        """
        optional = {"DataAccessRoleArn": role_arn} if role_arn else {}
        try:
            self._comprehend.create_endpoint(
                EndpointName=self.arn.rpartition("/")[2],
                DesiredInferenceUnits=units,
                Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
                **({"FlywheelArn": flywheel_arn} if flywheel_arn else {"ModelArn": model_arn}),
                **optional,
            )
        except ClientError as error:
            # ResourceInUse: somebody else has created it.
            _raise_refusal(error, besides="ResourceInUseException")

    def scale(self, units: int) -> None:
        """Raises EndpointRefused."""
        self._update(DesiredInferenceUnits=units)

    def move(self, *, flywheel_arn: str | None, model_arn: str, role_arn: str | None, units: int | None) -> None:
        """Bind the endpoint to another flywheel, whose active model is `model_arn`, or without one to the model, which
        it then keeps. Raises EndpointRefused.

        `role_arn` is as in `create`: the models of a new generation may be encrypted even if the former's are not.
        Whether UpdateEndpoint needs or refuses the model together with the flywheel is not documented, so both are
        tried.
        """
        role = {"DesiredDataAccessRoleArn": role_arn} if role_arn else {}
        desired_units = {"DesiredInferenceUnits": units} if units else {}
        flywheel = {"FlywheelArn": flywheel_arn} if flywheel_arn else {}
        try:
            self._update(**flywheel, DesiredModelArn=model_arn, **desired_units, **role)
        except EndpointRefused as refused:
            if not (flywheel and refused.invalid):
                raise
            self._update(**flywheel, **role)

    def _update(self, **changes: Any) -> None:
        try:
            self._comprehend.update_endpoint(EndpointArn=self.arn, **changes)
        except ClientError as error:
            # ResourceInUse: the endpoint is changing already, for instance because it follows a promotion.
            _raise_refusal(error, besides="ResourceInUseException")

    def delete(self) -> None:
        """Delete the endpoint. If it is changing, nothing happens: the caller describes it again later."""
        try:
            self._comprehend.delete_endpoint(EndpointArn=self.arn)
        except ClientError as error:
            if error_code(error) not in {"ResourceInUseException", "ResourceNotFoundException"}:
                raise


def _raise_refusal(error: ClientError, *, besides: str) -> None:
    code = error_code(error)
    if code == besides:
        return
    if code in _REFUSALS:
        raise EndpointRefused(code, error_message(error)) from error
    raise error
