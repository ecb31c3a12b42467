"""Tells trusted accounts what is shared and what is withdrawn: events on the default bus of each (decision 022)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from flywheel.faults.service_faults import error_code, error_message
from flywheel.records.announcements import (
    EVENT_SOURCE,
    MODEL_SHARED,
    MODEL_WITHDRAWN,
    ModelShared,
    ModelWithdrawn,
    fitted,
)
from flywheel.text.byte_limits import within

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

ENTRIES = 10
"""Of one request, by EventBridge's quota."""
_REASON_BYTES = 500


def bus_of(account: str, *, model_arn: str) -> str:
    """The default bus of the account, in the model's Region."""
    _, partition, _, region, *_ = model_arn.split(":")
    return f"arn:{partition}:events:{region}:{account}:event-bus/default"


def announce(
    shared: ModelShared | None,
    withdrawn: Sequence[ModelWithdrawn],
    *,
    accounts: Sequence[str],
    events: EventBridgeClient,
) -> dict[str, str]:
    """Send all to each account. Returns why it failed, by account: nothing is raised, because the schedule repeats
    it. An account may not be prepared for it, or not yet."""
    details = [
        *([(MODEL_SHARED, shared.model, fitted(shared).model_dump_json())] if shared else []),
        *((MODEL_WITHDRAWN, each.model, each.model_dump_json()) for each in withdrawn),
    ]
    # The first may have 200 KiB, which leaves no room in a request for others.
    rest = range(1, len(details), ENTRIES)
    batches = [details[:1], *(details[first : first + ENTRIES] for first in rest)] if details else []
    failures: dict[str, str] = {}
    for number, account in enumerate(accounts):
        try:
            problems = [_put(_entries(batch, account), events) for batch in batches]
        except BotoCoreError as error:
            # EventBridge is not reached, for nobody: more tries would take minutes.
            return failures | dict.fromkeys(accounts[number:], within(str(error), _REASON_BYTES))
        if told := next(filter(None, problems), None):
            failures[account] = within(told, _REASON_BYTES)
    return failures


def _entries(batch: Sequence[tuple[str, str, str]], account: str) -> list[PutEventsRequestEntryTypeDef]:
    return [
        {
            "EventBusName": bus_of(account, model_arn=model),
            "Source": EVENT_SOURCE,
            "DetailType": detail_type,
            "Detail": detail,
            "Resources": [model],
        }
        for detail_type, model, detail in batch
    ]


def _put(entries: Sequence[PutEventsRequestEntryTypeDef], events: EventBridgeClient) -> str | None:
    """Why they were not taken; None if all were. Raises BotoCoreError."""
    try:
        answer = events.put_events(Entries=entries)
    except ClientError as error:
        return f"{error_code(error)}: {error_message(error)}"
    refused = [entry for entry in answer.get("Entries", []) if entry.get("ErrorCode")]
    if refused:
        return f"{refused[0].get('ErrorCode')}: {refused[0].get('ErrorMessage', '')}"
    return "EventBridge did not take it." if answer.get("FailedEntryCount") else None
