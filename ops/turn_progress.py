"""How far the current turn is, from its execution in Step Functions."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from flywheel.records import turn_folders
from flywheel.records.turns import TurnRecord
from flywheel.store.record import Record
from flywheel.turn.report_turn import readable_cause
from ops.deployment import Deployment

_EVENTS_A_PAGE = 100


class TurnState(StrEnum):
    STARTING = "STARTING"
    """Its number is taken, its execution has not begun."""
    RUNNING = "RUNNING"
    ENDED = "ENDED"
    """Its execution has ended and its record is still to come."""


class TurnProgress(Record):
    """A turn without a record."""

    turn: str
    state: TurnState
    began_at: datetime | None = None
    step: str | None = None
    """The state of the turn machine that was entered last."""
    execution_status: str | None = None
    """Step Functions' own word."""
    error: str | None = None
    cause: str | None = None
    """As the execution gives them, if it failed."""


def running_turn(deployment: Deployment) -> TurnProgress | None:
    """The turn that goes on now, None between turns."""
    number = turn_folders.current_number(deployment.intake)
    if number == 0:
        return None
    return progress_of(deployment, turn_folders.name_of(number))


def progress_of(deployment: Deployment, turn: str) -> TurnProgress | None:
    """Where `turn` is; None if its record says how it ended."""
    if deployment.intake.read(turn_folders.record_key(turn), TurnRecord) is not None:
        return None
    stepfunctions = deployment.clients.stepfunctions
    arn = execution_arn(deployment, turn)
    try:
        execution = stepfunctions.describe_execution(executionArn=arn)
    except stepfunctions.exceptions.ExecutionDoesNotExist:
        return TurnProgress(turn=turn, state=TurnState.STARTING)
    running = execution["status"] in {"RUNNING", "PENDING_REDRIVE"}
    return TurnProgress(
        turn=turn,
        state=TurnState.RUNNING if running else TurnState.ENDED,
        began_at=execution["startDate"],
        step=current_step(deployment, arn) if running else None,
        execution_status=execution["status"],
        error=execution.get("error"),
        cause=readable_cause(execution.get("cause")),
    )


def execution_arn(deployment: Deployment, turn: str) -> str:
    machine = deployment.published.turn_machine_arn
    return f"{machine.replace(':stateMachine:', ':execution:', 1)}:{turn}"


def current_step(deployment: Deployment, arn: str) -> str | None:
    """Newest events first: the last state entered is on the first page unless its task retried a hundred times."""
    pages = deployment.clients.stepfunctions.get_paginator("get_execution_history").paginate(
        executionArn=arn,
        reverseOrder=True,
        includeExecutionData=False,
        PaginationConfig={"PageSize": _EVENTS_A_PAGE},
    )
    for page in pages:
        for event in page["events"]:
            entered = event.get("stateEnteredEventDetails")
            if entered:
                return entered["name"]
    return None
