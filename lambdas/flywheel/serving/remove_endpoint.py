"""Starts the run of the serve machine that removes the endpoint when the stack is destroyed."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from flywheel.errors import FlywheelError

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


class RemovalNotStarted(FlywheelError):
    """Nothing removes the endpoint: the stack has to be destroyed again."""


def remove_endpoint(*, request_id: str, answer: dict[str, Any], stepfunctions: SFNClient, machine_arn: str) -> None:
    """The execution hands `answer` on to report_serving, which answers CloudFormation. Raises RemovalNotStarted.

    The parameter `serving` is gone by then (it depends on the custom resource), so nothing is wanted any more.
    """
    try:
        # Lambda may repeat the event: then the removal runs already.
        with contextlib.suppress(stepfunctions.exceptions.ExecutionAlreadyExists):
            stepfunctions.start_execution(
                stateMachineArn=machine_arn, name=f"remove-{request_id}", input=json.dumps({"answer": answer})
            )
    except (ClientError, BotoCoreError) as error:
        raise RemovalNotStarted(
            "The endpoint, if there is one, is still there and billed by the hour: its removal by "
            f"{machine_arn} could not be started ({error}). Destroy the stack again."
        ) from error
