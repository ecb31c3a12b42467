"""How far the current turn is, from its execution in Step Functions."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from flywheel.records import turn_folders
from flywheel.records.turns import TurnRecord
from flywheel.store.record import Record
from flywheel.turn.report_turn import readable_cause
from ops.deployment import Deployment
from ops.executions import current_step, find_execution, runs


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
    return progress_of(deployment, turn_folders.name_of(number)) if number else None


def progress_of(deployment: Deployment, turn: str) -> TurnProgress | None:
    """Where `turn` is; None if its record says how it ended."""
    if deployment.intake.read(turn_folders.record_key(turn), TurnRecord) is not None:
        return None
    arn = deployment.turn_execution(turn)
    execution = find_execution(deployment.clients, arn)
    if execution is None:
        return TurnProgress(turn=turn, state=TurnState.STARTING)
    running = runs(execution)
    return TurnProgress(
        turn=turn,
        state=TurnState.RUNNING if running else TurnState.ENDED,
        began_at=execution["startDate"],
        step=current_step(deployment.clients, arn) if running else None,
        execution_status=execution["status"],
        error=execution.get("error"),
        cause=readable_cause(execution.get("cause")),
    )
