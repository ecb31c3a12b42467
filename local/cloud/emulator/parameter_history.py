"""Parameter Store keeps 100 versions of a parameter, each with who made it; MiniStack keeps all, made by the root user.

AWS gives up the oldest version for a new one, unless the oldest has a label.
"""

from __future__ import annotations

import contextvars
from typing import Any

from local.cloud.emulator.ministack import app, iam_evaluator, responses, ssm

_VERSIONS_KEPT = 100

_caller: contextvars.ContextVar[str | None] = contextvars.ContextVar("caller", default=None)


def teach() -> None:
    handle, put = app.SERVICE_HANDLERS["ssm"], ssm._put_parameter

    async def handle_for_caller(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]
    ) -> Any:
        token = _caller.set(iam_evaluator.request_caller_arn(headers, query))
        try:
            return await handle(method, path, headers, body, query)
        finally:
            _caller.reset(token)

    def put_limited(request: dict[str, Any]) -> Any:
        history = ssm._parameter_history.get(request.get("Name")) or []
        if len(history) >= _VERSIONS_KEPT and request.get("Overwrite") and history[0]["Labels"]:
            return responses.error_response_json(
                "ParameterMaxVersionLimitExceeded",
                f"The parameter has {_VERSIONS_KEPT} versions, and the oldest, {history[0]['Version']}, has a label. "
                "Move the label to another version.",
                400,
            )
        answer = put(request)
        if answer[0] < 300:
            history = ssm._parameter_history[request["Name"]]
            del history[:-_VERSIONS_KEPT]
            # CloudFormation's changes have no caller of their own here.
            history[-1]["LastModifiedUser"] = _caller.get() or history[-1]["LastModifiedUser"]
        return answer

    app.SERVICE_HANDLERS["ssm"] = handle_for_caller
    ssm._put_parameter = put_limited
