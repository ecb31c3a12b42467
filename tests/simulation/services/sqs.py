"""SQS in memory: standard queues with delays, visibility timeouts and dead-letter queues.

People and functions send by `answer`; event source mappings receive by the methods, and `deliver` is for what sends to
a queue from within AWS. Messages do not expire: a queue keeps them for days, and all are worked off before.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.simulation.api import REGION, ApiError, Caller
from tests.simulation.kernel import Kernel
from tests.simulation.services.operations import Operations, Perform

MESSAGE_BYTES = 1024 * 1024
"""https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html"""
LONGEST_DELAY_SECONDS = 900
_UNKNOWN_CHARACTERS = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(kw_only=True, eq=False, slots=True)
class Message:
    message_id: str
    body: str
    sent: float
    """When, in seconds since the epoch."""
    receives: int = 0
    first_received: float | None = None
    receipt_handle: str = ""
    """Of the last time that it was received."""


@dataclass(kw_only=True, frozen=True, slots=True)
class Redrive:
    dead_letters: str
    """ARN of a queue."""
    most_receives: int


@dataclass(kw_only=True, frozen=True, slots=True)
class Depth:
    visible: int
    in_flight: int
    delayed: int

    @property
    def total(self) -> int:
        return self.visible + self.in_flight + self.delayed


class Queue:
    """`visibility_timeout` and `delay` in seconds."""

    def __init__(
        self,
        name: str,
        *,
        account: str,
        visibility_timeout: float = 30,
        delay: float = 0,
        redrive: Redrive | None = None,
    ) -> None:
        self.name = name
        self.account = account
        self.visibility_timeout = visibility_timeout
        self.delay = delay
        self.redrive = redrive
        self.arn = f"arn:aws:sqs:{REGION}:{account}:{name}"
        self.url = f"https://sqs.{REGION}.amazonaws.com/{account}/{name}"
        self.visible: list[Message] = []
        self.in_flight: dict[str, Message] = {}
        """By receipt handle."""
        self.delayed: list[Message] = []

    @property
    def messages(self) -> list[Message]:
        """All of them, for claims."""
        return [*self.visible, *self.in_flight.values(), *self.delayed]


class SQS:
    """`deliveries(queue)` says of a message that is sent when it can be received, in seconds after its delay: (0,) as
    a rule, (0, 5) twice, (3,) late. Each is a message of its own, with the same id. `on_visible(queue)` is called when
    a message can be received, for the first time or again; it may not wait.
    """

    def __init__(
        self,
        kernel: Kernel,
        *,
        deliveries: Callable[[Queue], Sequence[float]] = lambda _: (0.0,),
        on_visible: Callable[[Queue], None] = lambda _: None,
    ) -> None:
        self.deliveries = deliveries
        self.on_visible = on_visible
        self._kernel = kernel
        self._queues: dict[str, Queue] = {}
        self._by_url: dict[str, Queue] = {}
        self._count = 0
        known: dict[str, tuple[Perform, set[str]]] = {
            "SendMessage": (self._send, {"QueueUrl", "MessageBody", "DelaySeconds"}),
            "GetQueueAttributes": (self._get_attributes, {"QueueUrl", "AttributeNames"}),
        }
        self._operations = Operations("SQS", known)

    def add(self, queue: Queue) -> Queue:
        self._queues[queue.arn] = self._by_url[queue.url] = queue
        return queue

    def queue(self, arn: str) -> Queue:
        """Raises KeyError."""
        return self._queues[arn]

    def answer(self, operation: str, parameters: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        return self._operations.answer(operation, parameters, caller)

    def deliver(self, queue_arn: str, body: str, *, delay: float | None = None) -> Message:
        """Send a message; `delay` in seconds, the queue's own without one."""
        queue = self._queues[queue_arn]
        self._count += 1
        message_id = f"{self._count:08x}-0000-4000-8000-000000000000"
        given = queue.delay if delay is None else delay
        sent = [
            (given + late, Message(message_id=message_id, body=body, sent=self._kernel.now))
            for late in self.deliveries(queue)
        ]
        for seconds, message in sent:
            if seconds > 0:
                self._show_later(queue, message, seconds)
            else:
                self._show(queue, message)
        return sent[0][1]

    def receive(self, queue_arn: str, most: int) -> list[Message]:
        """Up to `most` messages, the oldest first. Each comes again after the visibility timeout, unless it is
        deleted. One that was received too often goes to the dead-letter queue instead."""
        queue = self._queues[queue_arn]
        received: list[Message] = []
        while queue.visible and len(received) < most:
            message = queue.visible.pop(0)
            if queue.redrive is not None and message.receives >= queue.redrive.most_receives:
                self._show(self._queues[queue.redrive.dead_letters], message)
                continue
            self._count += 1
            message.receives += 1
            message.first_received = self._kernel.now if message.first_received is None else message.first_received
            message.receipt_handle = f"receipt-{self._count:08x}"
            queue.in_flight[message.receipt_handle] = message
            self._expire_later(queue, message.receipt_handle, queue.visibility_timeout)
            received.append(message)
        return received

    def delete(self, queue_arn: str, receipt_handle: str) -> bool:
        """False: the message is not in flight under this handle any more, so it stays."""
        return self._queues[queue_arn].in_flight.pop(receipt_handle, None) is not None

    def make_visible(self, queue_arn: str, receipt_handle: str, *, after: float = 0) -> None:
        """It can be received again, at once or so many seconds from now. Without effect if it is not in flight."""
        queue = self._queues[queue_arn]
        message = queue.in_flight.pop(receipt_handle, None)
        if message is None:
            return
        if after <= 0:
            self._show(queue, message)
            return
        # The timeout that is running ends nothing that has another handle.
        self._count += 1
        message.receipt_handle = f"receipt-{self._count:08x}"
        queue.in_flight[message.receipt_handle] = message
        self._expire_later(queue, message.receipt_handle, after)

    def depth(self, queue_arn: str) -> Depth:
        queue = self._queues[queue_arn]
        return Depth(visible=len(queue.visible), in_flight=len(queue.in_flight), delayed=len(queue.delayed))

    def _expire_later(self, queue: Queue, receipt_handle: str, seconds: float) -> None:
        def expire() -> None:
            message = queue.in_flight.pop(receipt_handle, None)
            if message is not None:
                self._show(queue, message)

        self._kernel.later(seconds, expire)

    def _show_later(self, queue: Queue, message: Message, seconds: float) -> None:
        queue.delayed.append(message)

        def show() -> None:
            queue.delayed.remove(message)
            self._show(queue, message)

        self._kernel.later(seconds, show)

    def _show(self, queue: Queue, message: Message) -> None:
        queue.visible.append(message)
        self.on_visible(queue)

    def _send(self, parameters: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        queue = self._named(parameters["QueueUrl"], caller)
        body, delay = parameters["MessageBody"], parameters.get("DelaySeconds")
        if not body:
            raise ApiError("MissingParameter", "The request must contain the parameter MessageBody.")
        if _UNKNOWN_CHARACTERS.search(body):
            raise ApiError("InvalidMessageContents", "Invalid characters found in the message body.")
        encoded = body.encode()
        if len(encoded) > MESSAGE_BYTES:
            reason = f"One or more parameters are invalid. Reason: Message must be shorter than {MESSAGE_BYTES} bytes."
            raise ApiError("InvalidParameterValue", reason)
        if delay is not None and not 0 <= delay <= LONGEST_DELAY_SECONDS:
            reason = (
                f"Value {delay} for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= "
                f"{LONGEST_DELAY_SECONDS}."
            )
            raise ApiError("InvalidParameterValue", reason)
        message = self.deliver(queue.arn, body, delay=delay)
        digest = hashlib.md5(encoded, usedforsecurity=False).hexdigest()
        return {"MD5OfMessageBody": digest, "MessageId": message.message_id}

    def _get_attributes(self, parameters: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        queue = self._named(parameters["QueueUrl"], caller)
        depth = self.depth(queue.arn)
        found = {
            "QueueArn": queue.arn,
            "ApproximateNumberOfMessages": str(depth.visible),
            "ApproximateNumberOfMessagesNotVisible": str(depth.in_flight),
            "ApproximateNumberOfMessagesDelayed": str(depth.delayed),
            "VisibilityTimeout": str(int(queue.visibility_timeout)),
            "DelaySeconds": str(int(queue.delay)),
        }
        asked = parameters.get("AttributeNames", [])
        if not asked:
            return {}
        unknown = sorted(set(asked) - found.keys() - {"All"})
        if unknown:
            raise NotImplementedError(f"The simulation's SQS does not know a queue's {', '.join(unknown)}.")
        return {"Attributes": {name: value for name, value in found.items() if "All" in asked or name in asked}}

    def _named(self, url: str, caller: Caller) -> Queue:
        queue = self._by_url.get(url)
        if queue is None:
            raise ApiError("AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.")
        if queue.account != caller.account:
            raise ApiError("AccessDenied", f"Access to the resource {url} is denied.", status=403)
        return queue
