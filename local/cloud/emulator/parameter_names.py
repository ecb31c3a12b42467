"""Parameter Store's calls on several parameters: IAM compares each of them, where MiniStack compares `*`."""

from __future__ import annotations

import json
from typing import Any

from local.cloud.emulator import service_roles
from local.cloud.emulator.ministack import app, iam_actions, responses

_ON_SEVERAL = ("GetParameters", "DeleteParameters")


def teach() -> None:
    _compare_the_first()
    _compare_the_others()


def _compare_the_first() -> None:
    original = iam_actions.extract_resource_arn

    def extract(service: str, method: str, path: str, headers: dict[str, str], body: bytes, *rest: Any) -> Any:
        parameters = parameters_of(headers, body) if service == "ssm" else []
        return parameters[0] if parameters else original(service, method, path, headers, body, *rest)

    iam_actions.extract_resource_arn = extract


def _compare_the_others() -> None:
    original = app.SERVICE_HANDLERS["ssm"]

    async def handle(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]
    ) -> tuple[int, dict[str, str], bytes]:
        action = f"ssm:{_operation(headers)}"
        checks: list[tuple[str, str, dict[str, str]]] = [
            (action, parameter, {}) for parameter in parameters_of(headers, body)[1:]
        ]
        refused = service_roles.refusal_of_caller(headers=headers, query=query, checks=checks)
        if refused is not None:
            text = json.dumps({"__type": "AccessDeniedException", "Message": refused})
            return 400, {"Content-Type": "application/x-amz-json-1.1"}, text.encode()
        answer: tuple[int, dict[str, str], bytes] = await original(method, path, headers, body, query)
        return answer

    app.SERVICE_HANDLERS["ssm"] = handle


def _operation(headers: dict[str, str]) -> str:
    return headers.get("x-amz-target", "").rpartition(".")[2]


def parameters_of(headers: dict[str, str], body: bytes) -> list[str]:
    """The ARNs of the parameters that a call on several of them names; none of any other call."""
    if _operation(headers) not in _ON_SEVERAL:
        return []
    try:
        names = json.loads(body or b"{}").get("Names")
    except (ValueError, AttributeError):
        return []
    prefix = f"arn:aws:ssm:{responses.get_region()}:{responses.get_account_id()}:parameter/"
    return [f"{prefix}{name.lstrip('/')}" for name in names or [] if isinstance(name, str)]
