"""The optimised integration `events:putEvents`: MiniStack takes `Detail` as text only and lets refused entries pass.

As AWS has it ("Add EventBridge events with Step Functions"): `Detail` is an object, the ARNs of execution and machine
are appended to the `Resources` of each entry, and a refused entry fails the state.
"""

from __future__ import annotations

import json
from typing import Any

from local.cloud.emulator.ministack import eventbridge, stepfunctions
from local.cloud.emulator.step_functions import attempts

_RESOURCE = "arn:aws:states:::events:putEvents"


def teach() -> None:
    stepfunctions._SERVICE_DISPATCH[_RESOURCE] = lambda _resource, arguments: _put(arguments)


def _put(arguments: dict[str, Any]) -> Any:
    execution = attempts.current_attempt().execution
    arns = [execution["executionArn"], execution["stateMachineArn"]]
    entries = [
        {**entry, "Detail": _text(entry.get("Detail")), "Resources": [*entry.get("Resources", []), *arns]}
        for entry in arguments["Entries"]
    ]
    status, _, body = eventbridge._put_events({**arguments, "Entries": entries})
    answer = json.loads(body)
    if status >= 400:
        raise stepfunctions._ExecutionError("EventBridge.EventBridgeException", json.dumps(answer))
    if answer["FailedEntryCount"]:
        raise stepfunctions._ExecutionError("EventBridge.FailedEntry", json.dumps(answer))
    return answer


def _text(detail: Any) -> str:
    return detail if isinstance(detail, str) else json.dumps(detail)
