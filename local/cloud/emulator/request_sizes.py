"""Sizes that AWS refuses and MiniStack takes: SNS's subject, events, a task's failure, a custom resource's answer."""

from __future__ import annotations

import json
from typing import Any

from local.cloud.emulator.ministack import custom_resource, eventbridge, responses, sns

STATE_BYTES = 256 * 1024
"""Of a state's input, output or result (Step Functions Developer Guide, "Quotas")."""
SUBJECT_CHARACTERS = 100
ENTRIES_BYTES = 256 * 1024
"""Of all entries of one PutEvents (EventBridge User Guide, "Calculating PutEvents event entry size")."""
_TIME_BYTES = 14
CAUSE_CHARACTERS = 32_768
ERROR_CHARACTERS = 256
"""Step Functions API Reference, SendTaskFailure."""
ANSWER_BYTES = 4096
"""CloudFormation User Guide, "Custom resource response objects"."""


def teach() -> None:
    publish, put_events = sns.publish_internal, eventbridge._put_events
    deliver = custom_resource.deliver_response

    def publish_with_good_subject(topic_arn: str, message: Any, subject: str | None = None, **options: Any) -> Any:
        if subject and not _is_subject(subject):
            raise sns.SnsPublishError("InvalidParameter", "Invalid parameter: Subject")
        return publish(topic_arn, message, subject, **options)

    def put_events_that_fit(data: dict[str, Any], **options: Any) -> Any:
        if sum(map(_entry_bytes, data.get("Entries", []))) > ENTRIES_BYTES:
            return responses.error_response_json(
                "ValidationException", "Total size of the entries in the request is over the limit.", 400
            )
        return put_events(data, **options)

    def deliver_what_fits(token: str, response: dict[str, Any]) -> Any:
        if len(json.dumps(response).encode()) > ANSWER_BYTES:
            response = {**response, "Status": "FAILED", "Reason": "Response object is too long."}
        return deliver(token, response)

    sns.publish_internal = publish_with_good_subject
    eventbridge._put_events = put_events_that_fit
    custom_resource.deliver_response = deliver_what_fits


def refused_failure(request: dict[str, Any]) -> Any:
    """The error that AWS answers to a SendTaskFailure that is too long, or None."""
    for member, limit in (("cause", CAUSE_CHARACTERS), ("error", ERROR_CHARACTERS)):
        if len(request.get(member) or "") > limit:
            return too_long(member, limit)
    return None


def too_long(member: str, limit: int = STATE_BYTES) -> Any:
    """The error that Step Functions answers to a member of a request that is longer."""
    return responses.error_response_json(
        "ValidationException",
        f"1 validation error detected: Value at '{member}' failed to satisfy constraint: "
        f"Member must have length less than or equal to {limit}",
        400,
    )


def _is_subject(subject: str) -> bool:
    """ "ASCII text that begins with a letter, number, or punctuation mark; must not include line breaks or control
    characters; and must be less than 100 characters long" (100 are taken)."""
    printable = subject.isascii() and subject.isprintable()
    return printable and not subject.startswith(" ") and len(subject) <= SUBJECT_CHARACTERS


def _entry_bytes(entry: dict[str, Any]) -> int:
    texts = [entry.get(member) or "" for member in ("Source", "DetailType", "Detail")]
    texts += entry.get("Resources") or []
    return sum(len(text.encode()) for text in texts) + (_TIME_BYTES if entry.get("Time") else 0)
