"""Deletes the parameters that the pipeline wrote at run time. No template has them, so CloudFormation does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from flywheel.faults.errors import FlywheelError
from flywheel.store.parameters import RUN_TIME_NAMES

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient


class ParametersNotDeleted(FlywheelError):
    """The parameters are still there."""


def delete_runtime_parameters(*, ssm: SSMClient, prefix: str) -> None:
    """Raises ParametersNotDeleted. A parameter that does not exist is no error."""
    names = [f"{prefix}/{name}" for name in RUN_TIME_NAMES]
    try:
        ssm.delete_parameters(Names=names)
    except (ClientError, BotoCoreError) as error:
        raise ParametersNotDeleted(
            f"{', '.join(names)} could not be deleted ({error}). Destroy the stack again."
        ) from error
