"""Starts the execution of the create machine that does what CloudFormation asks about the flywheel."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


def provide_flywheel(
    *, change: str, request_id: str, request: dict[str, Any], stepfunctions: SFNClient, machine_arn: str
) -> None:
    """Start the execution with the `request`, which it answers at its end. `change` is CloudFormation's RequestType.

    Raises ClientError.
    """
    # Lambda may deliver the event twice: then the execution runs already.
    with contextlib.suppress(stepfunctions.exceptions.ExecutionAlreadyExists):
        stepfunctions.start_execution(
            stateMachineArn=machine_arn,
            name=f"{change.lower()}-{request_id}",
            input=json.dumps({"request": request}),
        )
