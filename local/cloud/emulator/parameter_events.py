"""Every change of a parameter puts a "Parameter Store Change" event on the default bus, which MiniStack does not.

So does a change by CloudFormation. AWS promises these events on a best-effort basis only; here none is lost.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from local.cloud.emulator.ministack import eventbridge, ssm


def teach() -> None:
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
    entry = {
        "Source": "aws.ssm",
        "DetailType": "Parameter Store Change",
        "Detail": json.dumps(detail),
        "Resources": [parameter["ARN"]],
    }
    eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)
