"""Encrypted queues and topics: who sends or receives needs the key as well.

MiniStack does not ask KMS when SQS or SNS use a customer's key. Senders need `kms:GenerateDataKey` and `kms:Decrypt`,
receivers `kms:Decrypt` (SQS and SNS Developer Guides, "Key management").
"""

from __future__ import annotations

from typing import Any

from local.cloud.emulator import service_roles
from local.cloud.emulator.ministack import app, iam_actions, responses, sns, sqs

_SENDING = ("kms:GenerateDataKey", "kms:Decrypt")
_NEEDED = {"sqs:SendMessage": _SENDING, "sqs:ReceiveMessage": ("kms:Decrypt",), "sns:Publish": _SENDING}


def teach() -> None:
    for service in ("sqs", "sns"):
        app.SERVICE_HANDLERS[service] = _asking_kms(service, app.SERVICE_HANDLERS[service])


def key_of(resource: str) -> str | None:
    """The ARN of the customer's key that a queue or topic (an ARN) is encrypted with, None without one."""
    service = resource.split(":")[2]
    if service == "sqs":
        attributes = (sqs._queue_by_arn(resource) or {}).get("attributes", {})
    elif service == "sns":
        attributes = (sns._topics.get(resource) or {}).get("attributes", {})
    else:
        return None
    return service_roles.key_arn(attributes.get("KmsMasterKeyId"))


def needed_with(action: str, resource: str) -> list[tuple[str, str]]:
    """The actions on a key, with the key, that go with an action on a queue or topic."""
    key = key_of(resource) if action in _NEEDED and resource.startswith("arn:") else None
    return [(key_action, key) for key_action in _NEEDED[action]] if key else []


def through(action: str) -> dict[str, str]:
    """The condition of a use of a key that goes with `action`: the service asks KMS in the caller's name."""
    return {"kms:ViaService": f"{action.partition(':')[0]}.{responses.get_region()}.amazonaws.com"}


def _asking_kms(service: str, handle: Any) -> Any:
    async def handle_with_key(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> Any:
        named = app._routing_params(method, path, headers, body, query)
        action = iam_actions.extract_iam_action(service, method, path, headers, body, named)
        if action in _NEEDED:
            resource = iam_actions.extract_resource_arn(
                service, method, path, headers, body, named, responses.get_region(), responses.get_account_id()
            )
            refused = service_roles.refusal_of_caller(
                headers=headers,
                query=query,
                checks=[(needed, key, through(action)) for needed, key in needed_with(action, resource)],
            )
            if refused is not None:
                return iam_actions.access_denied_response(service, action, "", "", message=refused, headers=headers)
        return await handle(method, path, headers, body, query)

    return handle_with_key
