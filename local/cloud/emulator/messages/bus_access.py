"""Who may put events on a bus: IAM asks for each entry, with its source and its detail type.

MiniStack asks once for each bus and knows neither `events:source` nor `events:detail-type`: a policy with such a
condition lets nobody in, or everybody.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from local.cloud.emulator import service_roles
from local.cloud.emulator.messages.bus_policies import DEFAULT_BUS, bus_arn
from local.cloud.emulator.ministack import app, iam_actions, responses
from local.cloud.emulator.step_functions import attempts

PUT_EVENTS = "events:PutEvents"

Check = tuple[str, str, dict[str, str]]


def teach() -> None:
    extract, handle = iam_actions.extract_iam_action, app.SERVICE_HANDLERS["events"]

    def extract_others(service: str, *request: Any) -> str | None:
        action: str | None = extract(service, *request)
        return None if action == PUT_EVENTS else action

    async def handle_allowed(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]
    ) -> Any:
        # A state machine's calls are checked where it makes them.
        if service_roles.operation_of(headers) == "PutEvents" and attempts.current_role() is None:
            try:
                for action, bus, conditions in needed_to_put(_entries(body)):
                    service_roles.check_caller(
                        headers=headers, query=query, action=action, resource=bus, conditions=conditions
                    )
            except service_roles.AccessDenied as error:
                return service_roles.refused(str(error))
        return await handle(method, path, headers, body, query)

    iam_actions.extract_iam_action = extract_others
    app.SERVICE_HANDLERS["events"] = handle_allowed


def needed_to_put(entries: Iterable[dict[str, Any]]) -> list[Check]:
    """What a caller must be allowed to put these entries: action, bus and condition keys, for each by itself."""
    region, account = responses.get_region(), responses.get_account_id()
    return [
        (PUT_EVENTS, bus_arn(entry.get("EventBusName") or DEFAULT_BUS, region=region, account=account), keys_of(entry))
        for entry in entries
    ]


def keys_of(entry: dict[str, Any]) -> dict[str, str]:
    """The condition keys of an entry, or of an event as MiniStack keeps it."""
    return {
        "events:source": str(entry.get("Source") or ""),
        "events:detail-type": str(entry.get("DetailType") or ""),
    }


def _entries(body: bytes) -> list[dict[str, Any]]:
    try:
        entries = json.loads(body or b"{}").get("Entries")
    except (ValueError, AttributeError, RecursionError):
        return []
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
