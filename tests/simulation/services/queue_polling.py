"""Event source mappings: Lambda polls a queue and invokes a function with what it receives."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.simulation.functions import FunctionFailed, outcome_of

if TYPE_CHECKING:
    from tests.simulation.deployment.stack import EventSourceMapping
    from tests.simulation.functions import Functions
    from tests.simulation.kernel import Kernel
    from tests.simulation.services.sqs import SQS, Message


class QueuePolling:
    def __init__(
        self, kernel: Kernel, sqs: SQS, functions: Functions, *, may_poll: Callable[[EventSourceMapping], None]
    ) -> None:
        self._kernel = kernel
        self._sqs = sqs
        self._functions = functions
        self._may_poll = may_poll
        self._mappings: dict[str, EventSourceMapping] = {}
        """By queue."""
        self._running: dict[str, int] = {}
        self._planned: set[str] = set()
        sqs.on_visible = lambda queue: self._arrived(queue.arn)

    def add(self, mapping: EventSourceMapping) -> None:
        self._mappings[mapping.queue] = mapping
        self._running.setdefault(mapping.queue, 0)

    def remove(self, mapping: EventSourceMapping) -> None:
        self._mappings.pop(mapping.queue, None)

    def _arrived(self, queue_arn: str) -> None:
        """Plan a poll, unless one is planned: what arrives until then goes with it."""
        mapping = self._mappings.get(queue_arn)
        if mapping is None or queue_arn in self._planned:
            return
        self._planned.add(queue_arn)
        window = self._kernel.random("polling").uniform(0.05, max(0.1, mapping.window))
        self._kernel.later(window, lambda: self._poll(queue_arn))

    def _poll(self, queue_arn: str) -> None:
        self._planned.discard(queue_arn)
        mapping = self._mappings.get(queue_arn)
        if mapping is None:
            return
        if self._running[queue_arn] >= (mapping.concurrency or 1000):
            # Whoever ends looks again.
            return
        self._may_poll(mapping)
        messages = self._sqs.receive(queue_arn, mapping.batch_size)
        if messages:
            self._running[queue_arn] += 1
            self._kernel.start(lambda: self._invoke(mapping, messages), name=f"poller of {queue_arn}")

    def _invoke(self, mapping: EventSourceMapping, messages: list[Message]) -> None:
        event = {"Records": [_record(message, mapping.queue) for message in messages]}
        process = self._functions.begin(self._functions.arn_of(mapping.function), event)
        process.join()
        self._running[mapping.queue] -= 1
        try:
            answer: Any = outcome_of(process)
        except FunctionFailed:
            # They show again when their visibility time-out is over.
            pass
        else:
            failed = {item["itemIdentifier"] for item in (answer or {}).get("batchItemFailures", [])}
            for message in messages:
                if message.message_id not in failed:
                    self._sqs.delete(mapping.queue, message.receipt_handle)
        if self._sqs.depth(mapping.queue).visible:
            self._arrived(mapping.queue)


def _record(message: Message, queue_arn: str) -> dict[str, Any]:
    return {
        "messageId": message.message_id,
        "receiptHandle": message.receipt_handle,
        "body": message.body,
        "attributes": {"ApproximateReceiveCount": str(message.receives)},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": queue_arn.split(":")[3],
    }
