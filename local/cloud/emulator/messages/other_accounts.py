"""Events that are put on a bus of another account: its rules match them there, with the sender's account in them.

Whether they may is decided before: for callers in `bus_access`, for state machines and rules with their role.
"""

from __future__ import annotations

import json
import logging
import time
import uuid
from collections.abc import Mapping
from typing import Any

from local.cloud.emulator.ministack import eventbridge, responses

_logger = logging.getLogger("events")

_MOST_ENTRIES = 10


def teach() -> None:
    put, forward = eventbridge._put_events, eventbridge._dispatch_to_event_bus

    def put_anywhere(data: dict[str, Any], **options: Any) -> Any:
        entries = data.get("Entries", [])
        if len(entries) > _MOST_ENTRIES or not any(_is_elsewhere(entry.get("EventBusName")) for entry in entries):
            return put(data, **options)
        results = []
        for entry in entries:
            if _is_elsewhere(entry.get("EventBusName")):
                results.append(_put_elsewhere(entry))
            else:
                results += json.loads(put({**data, "Entries": [entry]}, **options)[2])["Entries"]
        failed = sum("ErrorCode" in result for result in results)
        return responses.json_response({"FailedEntryCount": failed, "Entries": results})

    def forward_anywhere(spec: Any, event: dict[str, Any], rule: dict[str, Any], path: Any, text: Any = None) -> Any:
        if not _is_elsewhere(str(spec)):
            return forward(spec, event, rule, path, text)
        if event.get("Account") != responses.get_account_id():
            # EventBridge User Guide, "Sending and receiving events between AWS accounts".
            _logger.warning("Not sent on to %s: the event came from another account itself", spec)
            return None
        return _deliver(event if text is None else {**event, "Detail": text}, str(spec))

    eventbridge._put_events = put_anywhere
    eventbridge._dispatch_to_event_bus = forward_anywhere


def _is_elsewhere(bus: object) -> bool:
    """Whether this is the ARN of another account's bus in this Region."""
    parts = bus.split(":") if isinstance(bus, str) else []
    return (
        len(parts) == 6
        and parts[2] == "events"
        and parts[3] == responses.get_region()
        and parts[4] != responses.get_account_id()
        and parts[5].startswith("event-bus/")
    )


def _put_elsewhere(entry: dict[str, Any]) -> dict[str, str]:
    """Put one entry on another account's bus; its result as PutEvents gives it."""
    source = entry.get("Source", "")
    if source.startswith("aws."):
        return {"ErrorCode": "NotAuthorizedForSourceException", "ErrorMessage": "Not authorized for the source."}
    event = {
        "EventId": str(uuid.uuid4()),
        "Source": source,
        "DetailType": entry.get("DetailType", ""),
        "Detail": entry.get("Detail", "{}"),
        "Time": int(time.time()),
        "Resources": entry.get("Resources", []),
        "Account": responses.get_account_id(),
        "Region": responses.get_region(),
    }
    _deliver(event, entry["EventBusName"])
    return {"EventId": event["EventId"]}


def _deliver(event: Mapping[str, Any], bus: str) -> None:
    """Match the event with the rules of the bus, in the account of the bus."""
    _, _, _, region, account, resource = bus.split(":", 5)
    with responses.request_scope(account, region):
        received = {**event, "EventBusName": resource.partition("/")[2]}
        # Which rules it went through is a matter of the account that sends it.
        received.pop("_DispatchPath", None)
        eventbridge._dispatch_event(received)
        eventbridge._archive_event(received)
