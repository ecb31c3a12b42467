"""Executions of the state machines, as Step Functions tells them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ops.deployment.clients import Clients

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions.type_defs import DescribeExecutionOutputTypeDef

_EVENTS_A_PAGE = 100


def execution_arn(machine_arn: str, name: str) -> str:
    return f"{machine_arn.replace(':stateMachine:', ':execution:', 1)}:{name}"


def find_execution(clients: Clients, arn: str) -> DescribeExecutionOutputTypeDef | None:
    """None if it has not begun, or was forgotten: 90 days after its end.

    Step Functions' answer is eventually consistent: of an execution that has just begun it may be None, and one that
    has just ended or gone on may still be told as it was before.
    """
    try:
        return clients.stepfunctions.describe_execution(executionArn=arn)
    except clients.stepfunctions.exceptions.ExecutionDoesNotExist:
        return None


def runs(execution: DescribeExecutionOutputTypeDef) -> bool:
    return execution["status"] in {"RUNNING", "PENDING_REDRIVE"}


def current_step(clients: Clients, arn: str) -> str | None:
    """The state that it entered last.

    Newest events come first: it is on the first page unless its task retried a hundred times.
    """
    pages = clients.stepfunctions.get_paginator("get_execution_history").paginate(
        executionArn=arn, reverseOrder=True, includeExecutionData=False, PaginationConfig={"PageSize": _EVENTS_A_PAGE}
    )
    entered = (event.get("stateEnteredEventDetails") for page in pages for event in page["events"])
    return next((details["name"] for details in entered if details), None)
