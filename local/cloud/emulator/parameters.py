"""Parameter Store: who may name which parameter, who made which version, and who is told of a change.

IAM compares each parameter of a call on several, where MiniStack compares `*`. Of a parameter 100 versions are kept,
each with who made it; MiniStack keeps all, made by the root user. Every change puts a "Parameter Store Change" event on
the default bus, one by CloudFormation too: AWS promises these events on a best-effort basis only, here none is lost.
"""

from __future__ import annotations

import contextvars
import json
from collections.abc import Mapping
from typing import Any

from local.cloud.emulator import service_roles
from local.cloud.emulator.messages.events import put_event
from local.cloud.emulator.ministack import app, iam_actions, iam_evaluator, responses, ssm

_ON_SEVERAL = ("GetParameters", "DeleteParameters")
_VERSIONS_KEPT = 100

_caller: contextvars.ContextVar[str | None] = contextvars.ContextVar("caller", default=None)


def teach() -> None:
    _name_parameters()
    _handle_for_caller()
    _keep_versions()
    _tell_changes()


def _name_parameters() -> None:
    """The first parameter is what MiniStack compares; `_handle_for_caller` asks for the others."""
    original = iam_actions.extract_resource_arn

    def extract(service: str, method: str, path: str, headers: dict[str, str], body: bytes, *rest: Any) -> Any:
        parameters = parameters_of(headers, body) if service == "ssm" else []
        return parameters[0] if parameters else original(service, method, path, headers, body, *rest)

    iam_actions.extract_resource_arn = extract


def _handle_for_caller() -> None:
    handle = app.SERVICE_HANDLERS["ssm"]

    async def handle_for_caller(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]
    ) -> Any:
        action = f"ssm:{service_roles.operation_of(headers)}"
        refused = service_roles.refusal_of_caller(
            headers=headers,
            query=query,
            checks=[(action, parameter, {}) for parameter in parameters_of(headers, body)[1:]],
        )
        if refused is not None:
            return service_roles.refused(refused)
        token = _caller.set(iam_evaluator.request_caller_arn(headers, query))
        try:
            return await handle(method, path, headers, body, query)
        finally:
            _caller.reset(token)

    app.SERVICE_HANDLERS["ssm"] = handle_for_caller


def _keep_versions() -> None:
    """AWS gives up the oldest version for a new one, unless the oldest has a label."""
    put = ssm._put_parameter

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

    ssm._put_parameter = put_limited


def _tell_changes() -> None:
    put, delete, delete_several = ssm._put_parameter, ssm._delete_parameter, ssm._delete_parameters

    def put_and_tell(request: dict[str, Any]) -> Any:
        answer = put(request)
        if _succeeded(answer):
            parameter = _found(request["Name"])
            _tell("Create" if parameter["Version"] == 1 else "Update", parameter)
        return answer

    def delete_and_tell(request: dict[str, Any]) -> Any:
        parameter = _found(request.get("Name"))
        answer = delete(request)
        if _succeeded(answer):
            _tell("Delete", parameter)
        return answer

    def delete_several_and_tell(request: dict[str, Any]) -> Any:
        parameters = {name: _found(name) for name in request.get("Names") or []}
        answer = delete_several(request)
        if _succeeded(answer):
            for name in json.loads(answer[2])["DeletedParameters"]:
                _tell("Delete", parameters[name])
        return answer

    # CloudFormation calls the first two as well.
    ssm._put_parameter = put_and_tell
    ssm._delete_parameter = delete_and_tell
    ssm._delete_parameters = delete_several_and_tell


def parameters_of(headers: dict[str, str], body: bytes) -> list[str]:
    """The ARNs of the parameters that a call on several of them names; none of any other call."""
    if service_roles.operation_of(headers) not in _ON_SEVERAL:
        return []
    try:
        names = json.loads(body or b"{}").get("Names")
    except (ValueError, AttributeError):
        return []
    prefix = f"arn:aws:ssm:{responses.get_region()}:{responses.get_account_id()}:parameter/"
    return [f"{prefix}{name.lstrip('/')}" for name in names or [] if isinstance(name, str)]


def _succeeded(answer: Any) -> bool:
    return bool(answer[0] < 300)


def _found(name: Any) -> Mapping[str, Any]:
    """The parameter as it is now, empty without one."""
    _, parameter = ssm._lookup_parameter(name)
    return parameter or {}


def _tell(operation: str, parameter: Mapping[str, Any]) -> None:
    detail = {"operation": operation, "name": parameter["Name"], "type": parameter["Type"]}
    if parameter.get("Description"):
        detail["description"] = parameter["Description"]
    put_event("aws.ssm", "Parameter Store Change", detail, resource=parameter["ARN"])
