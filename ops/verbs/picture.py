"""An execution of a state machine as a picture: its steps in their order, with what became of each.

A step is a state that does something; a wait's states, such as `AwaitIterationAsk`, belong to the step that their names
begin with. `tests/infrastructure/ops/test_picture.py` compares the steps with the machines.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from flywheel.store.record import Record
from flywheel.text.failure_cause import readable_cause
from ops.deployment.executions import find_execution, runs

if TYPE_CHECKING:
    from ops.deployment.clients import Clients

TURN: Mapping[str, str] = {
    "BeginTurn": "Look what is there",
    "PrepareTestUploads": "Check uploaded test documents",
    "PrepareTrainUploads": "Check uploaded training documents",
    "ComposeDatasets": "Compose datasets",
    "RegisterDatasets": "Give the datasets to Comprehend",
    "RunIteration": "Start an iteration",
    "AwaitIteration": "Comprehend trains and evaluates",
    "PrepareHoldout": "Freeze the hold-out",
    "PredictHoldouts": "Both models answer the hold-out",
    "CompareMetrics": "Compare the models",
    "RequestPromotion": "Ask for the promotion",
    "DeleteOldModels": "Delete old models",
    "ReportTurn": "Report",
}
"""In words, by step."""
PROMOTION: Mapping[str, str] = {
    "BeginPromotion": "Take the next request",
    "ImportModel": "Start the import",
    "AwaitImport": "Comprehend imports the model",
    "TryModel": "Start the trial",
    "AwaitTrial": "The model answers the smoke test",
    "JudgeModel": "Judge the trial",
    "CheckModel": "Check the model",
    "AskForApproval": "A person approves",
    "UpdateActiveModel": "Make it the active model",
    "ServeModel": "Bring the endpoint to it",
    "PublishModel": "Publish it",
    "TellTheBus": "Tell the event bus",
    "ShareModel": "Share it with other accounts",
    "PutBackFormerModel": "Put the former model back",
    "ServeFormerModel": "Bring the endpoint back",
    "ReportPromotion": "Report",
    "DeleteOldImports": "Delete old imports",
}
WHERE_MODELS_ARE_IMPORTED = frozenset(
    {"ImportModel", "AwaitImport", "TryModel", "AwaitTrial", "JudgeModel", "DeleteOldImports"}
)
WHERE_MODELS_ARE_TRAINED = frozenset({"ShareModel"})
ONLY_AFTER_A_FAILURE = frozenset({"PutBackFormerModel", "ServeFormerModel"})
"""Shown once they are entered."""
_MOST_EVENTS = 25_000
"""Step Functions keeps no more."""
_REPORTS_FAILURE = "ReportFailure"


class StepState(StrEnum):
    TO_COME = "to come"
    RUNNING = "running"
    DONE = "done"
    PASSED_OVER = "not needed"
    FAILED = "failed"
    STOPPED = "stopped"


class Step(Record):
    name: str
    words: str
    state: StepState
    entered_at: datetime | None = None
    left_at: datetime | None = None


class Picture(Record):
    name: str
    """Of the turn or promotion."""
    status: str
    """Step Functions' own word."""
    began_at: datetime
    ended_at: datetime | None = None
    steps: tuple[Step, ...]
    error: str | None = None
    cause: str | None = None


def picture(clients: Clients, arn: str, steps: Mapping[str, str]) -> Picture | None:
    """None if the execution has not begun, or was forgotten: 90 days after its end."""
    execution = find_execution(clients, arn)
    if execution is None:
        return None
    pages = clients.stepfunctions.get_paginator("get_execution_history").paginate(
        executionArn=arn, includeExecutionData=False, PaginationConfig={"PageSize": 1000, "MaxItems": _MOST_EVENTS}
    )
    running = runs(execution)
    return Picture(
        name=arn.rpartition(":")[2],
        status=execution["status"],
        began_at=execution["startDate"],
        ended_at=None if running else execution.get("stopDate"),
        steps=steps_of((event for page in pages for event in page["events"]), steps, status=execution["status"]),
        error=execution.get("error"),
        cause=readable_cause(execution.get("cause")),
    )


def steps_of(events: Iterable[Any], steps: Mapping[str, str], *, status: str) -> tuple[Step, ...]:
    """`events` are of the execution's history, oldest first; `status` is the execution's."""
    entered: dict[str, datetime] = {}
    left: dict[str, datetime] = {}
    last = failed = None
    for event in events:
        if details := event.get("stateEnteredEventDetails"):
            failed = last if details["name"] == _REPORTS_FAILURE else failed
            if (step := _step(details["name"], steps)) is not None:
                entered.setdefault(step, event["timestamp"])
                left.pop(step, None)
                last = step
        elif (details := event.get("stateExitedEventDetails")) and (step := _step(details["name"], steps)) is not None:
            left[step] = event["timestamp"]
    running = status in {"RUNNING", "PENDING_REDRIVE"}
    if not running and status != "SUCCEEDED":
        failed = failed or last
    order = list(steps)
    furthest = max((order.index(step) for step in entered), default=-1)
    return tuple(
        Step(
            name=name,
            words=words,
            state=_state(
                entered=name in entered,
                failed=name == failed,
                here=name == last and running,
                over=not running or order.index(name) < furthest,
                status=status,
            ),
            entered_at=entered.get(name),
            left_at=left.get(name),
        )
        for name, words in steps.items()
        if name in entered or name not in ONLY_AFTER_A_FAILURE
    )


def _state(*, entered: bool, failed: bool, here: bool, over: bool, status: str) -> StepState:
    if failed:
        return StepState.STOPPED if status == "ABORTED" else StepState.FAILED
    if here:
        return StepState.RUNNING
    if entered:
        return StepState.DONE
    return StepState.PASSED_OVER if over else StepState.TO_COME


def _step(state: str, steps: Mapping[str, str]) -> str | None:
    """The step that a state belongs to; None of a state within a map, which the map's own stands for."""
    named = [step for step in steps if state.startswith(step)]
    return max(named, key=len, default=None)


def steps_without(steps: Mapping[str, str], left_out: Iterable[str]) -> dict[str, str]:
    leave = frozenset(left_out)
    return {name: words for name, words in steps.items() if name not in leave}
