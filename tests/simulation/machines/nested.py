"""What a task of `states:startExecution.sync:2` comes to, once the execution that it started has ended."""

from __future__ import annotations

import json
from typing import Any

from tests.simulation.machines.execution import Execution
from tests.simulation.machines.host import TaskFailed


def result_of(execution: Execution) -> dict[str, Any]:
    """Wait for its end and return the task's result. Raises TaskFailed."""
    execution.wait()
    described = {
        "ExecutionArn": execution.arn,
        "Input": json.dumps(execution.input),
        "InputDetails": {"Included": True},
        "Name": execution.name,
        "StartDate": _milliseconds(execution.start_date),
        "StateMachineArn": execution.machine.arn,
        "Status": execution.status,
        "StopDate": _milliseconds(execution.stop_date),
    }
    if execution.status == "SUCCEEDED":
        return {**described, "Output": execution.output, "OutputDetails": {"Included": True}}
    # How it failed is absent if nobody said it.
    how = {"Cause": execution.cause, "Error": execution.error}
    told = {name: value for name, value in sorted({**described, **how}.items()) if value is not None}
    raise TaskFailed("States.TaskFailed", json.dumps(told))


def _milliseconds(moment: float | None) -> int | None:
    return None if moment is None else int(moment * 1000)
