"""`TimeoutSeconds` and `HeartbeatSeconds` of a Task given as JSONata expressions, which MiniStack does not evaluate.

They are evaluated with the state's arguments, so that its `Retry` and `Catch` see what goes wrong. As on AWS, anything
but a positive integer fails the state: `{% 0.001 * 3600 %}` is 3.6 and needs `$ceil`.
"""

from __future__ import annotations

import json
from typing import Any

from local.cloud.emulator.ministack import stepfunctions

FIELDS = ("TimeoutSeconds", "HeartbeatSeconds")
_MOST = 99_999_999


def teach() -> None:
    execute, evaluate_arguments = stepfunctions._execute_task, stepfunctions._apply_jsonata_arguments

    def execute_with_own_limits(
        state: dict[str, Any], value: Any, execution: dict[str, Any], context: dict[str, Any]
    ) -> Any:
        # A copy, because the limits are written into the state that runs and not into the machine's definition.
        return execute(dict(state), value, execution, context)

    def evaluate_with_limits(state: dict[str, Any], value: Any, context: Any = None) -> Any:
        if state.get("Type") == "Task":
            for name in FIELDS:
                if isinstance(state.get(name), str):
                    state[name] = _seconds(state, name, value, context)
        return evaluate_arguments(state, value, context)

    stepfunctions._execute_task = execute_with_own_limits
    stepfunctions._apply_jsonata_arguments = evaluate_with_limits


def is_limit(value: Any) -> bool:
    """Whether AWS takes the value for one of the two fields."""
    # JSONata knows one kind of number: 3.0 is 3.
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= _MOST and value % 1 == 0


def _seconds(state: dict[str, Any], name: str, value: Any, context: Any) -> int:
    seconds = stepfunctions._jsonata_state_field(state, name, "number", value, context)
    if not is_limit(seconds):
        raise stepfunctions._ExecutionError(
            "States.QueryEvaluationError",
            f"The JSONata expression '{state[name]}' specified for the field '{name}' returned {json.dumps(seconds)}. "
            f"Expected a positive integer of at most {_MOST}.",
        )
    return int(seconds)
