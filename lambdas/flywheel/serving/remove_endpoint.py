"""Starts the execution of the serve machine that removes the endpoint when the stack is destroyed."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from flywheel.faults.errors import FlywheelError

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


class RemovalNotStarted(FlywheelError):
    """The endpoint is not being removed: the stack has to be destroyed again."""


def remove_endpoint(*, request_id: str, answer: dict[str, Any], stepfunctions: SFNClient, machine_arn: str) -> None:
    """Start the execution. It gives `answer` to report_serving, which answers CloudFormation. Raises RemovalNotStarted.

    CloudFormation has deleted the parameter `serving` before, because it depends on the custom resource. So there is no
    target, and the endpoint is deleted.
    """
    try:
        # Lambda may deliver the event twice: then the removal runs already.
        with contextlib.suppress(stepfunctions.exceptions.ExecutionAlreadyExists):
            stepfunctions.start_execution(
                stateMachineArn=machine_arn, name=f"remove-{request_id}", input=json.dumps({"answer": answer})
            )
    except (ClientError, BotoCoreError) as error:
        raise RemovalNotStarted(
            "The endpoint, if there is one, is still there and billed by the hour: its removal by "
            f"{machine_arn} could not be started ({error}). Destroy the stack again."
        ) from error
