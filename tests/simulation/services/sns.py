"""SNS in memory: what was published to each topic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.simulation.api import ApiError, Caller
from tests.simulation.kernel import Kernel
from tests.simulation.services.operations import Operations

MESSAGE_BYTES = 256 * 1024
"""https://docs.aws.amazon.com/sns/latest/api/API_Publish.html"""
SUBJECT_CHARACTERS = 100


@dataclass(kw_only=True, frozen=True, slots=True)
class Notification:
    message_id: str
    published: float
    """When, in seconds since the epoch."""
    message: str
    subject: str | None


class SNS:
    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._topics: dict[str, list[Notification]] = {}
        self._count = 0
        self._operations = Operations("SNS", {"Publish": (self._publish, ("TopicArn", "Message", "Subject"))})

    def add(self, topic_arn: str) -> None:
        """A topic, of the account in its ARN."""
        self._topics.setdefault(topic_arn, [])

    def published(self, topic_arn: str) -> Sequence[Notification]:
        """In their order, for claims. Raises KeyError."""
        return self._topics[topic_arn]

    def answer(self, operation: str, parameters: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        return self._operations.answer(operation, parameters, caller)

    def _publish(self, parameters: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        arn, message, subject = parameters["TopicArn"], parameters["Message"], parameters.get("Subject")
        if arn.split(":")[4] != caller.account:
            denied = f"User: {caller.arn} is not authorized to perform: SNS:Publish on resource: {arn}"
            raise ApiError("AuthorizationError", denied, status=403)
        if arn not in self._topics:
            raise ApiError("NotFound", "Topic does not exist", status=404)
        if not message:
            raise ApiError("InvalidParameter", "Invalid parameter: Empty message")
        if len(message.encode()) > MESSAGE_BYTES:
            raise ApiError("InvalidParameter", "Invalid parameter: Message too long")
        if subject is not None and not _is_subject(subject):
            raise ApiError("InvalidParameter", "Invalid parameter: Subject")
        self._count += 1
        message_id = f"{self._count:08x}-0000-5000-8000-000000000000"
        self._topics[arn].append(
            Notification(
                message_id=message_id,
                published=self._kernel.now,
                message=message,
                subject=subject,
            )
        )
        return {"MessageId": message_id}


def _is_subject(subject: str) -> bool:
    """ "ASCII text that begins with a letter, number, or punctuation mark; must not include line breaks or control
    characters; and must be less than 100 characters long" (100 are taken)."""
    plain = subject.isascii() and subject.isprintable() and not subject.startswith(" ")
    return plain and 0 < len(subject) <= SUBJECT_CHARACTERS
