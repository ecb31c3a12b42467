"""How Lambda polls a queue: with the function's role, in batches as the mapping says, after its batching window.

MiniStack asks no permission, gives at most ten messages and waits for none. The window is shortened like the waits of
state machines, so that a deployed app does not have to be changed to be tried quickly. And since MiniStack looks at an
idle queue once a second, it is told when a window has ended.
"""

from __future__ import annotations

import threading
import time
from typing import Any

from local.cloud.emulator import service_roles
from local.cloud.emulator.messages import message_keys
from local.cloud.emulator.ministack import lambda_svc, sqs, wait_scale

_RECEIVED_AT_ONCE = 10
_ACTIONS = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")

# The queues whose window somebody waits for already.
_planned: set[str] = set()
_planning = threading.Lock()


def teach() -> None:
    receive = sqs._receive_messages_for_esm

    def receive_batch(url: str, size: int) -> list[dict[str, Any]]:
        queue = sqs._queues.get(url)
        if queue is None:
            return []
        arn = str(queue["attributes"].get("QueueArn"))
        mappings = [mapping for _, _, mapping in lambda_svc._iter_all_esms() if mapping.get("EventSourceArn") == arn]
        if not all(_may_poll(mapping, arn) for mapping in mappings):
            return []
        remaining = _remaining(queue, mappings, size)
        if remaining > 0:
            _look_again(url, remaining)
            return []
        batch: list[dict[str, Any]] = []
        while len(batch) < size:
            received = receive(url, min(_RECEIVED_AT_ONCE, size - len(batch)))
            if not received:
                break
            batch.extend(received)
        return batch

    sqs._receive_messages_for_esm = receive_batch


def _may_poll(mapping: dict[str, Any], arn: str) -> bool:
    """Whether the role of the mapping's function may take messages; without it, AWS leaves them in the queue."""
    function, configuration, _ = lambda_svc._get_func_record_for_ref(mapping["FunctionArn"])
    if not function:
        return True
    receive = "sqs:ReceiveMessage"
    with_key = [(*needed, message_keys.through(receive)) for needed in message_keys.needed_with(receive, arn)]
    needed = [*((action, arn, {}) for action in _ACTIONS), *with_key]
    try:
        for action, resource, conditions in needed:
            service_roles.check_role(
                role_arn=configuration["Role"],
                session_name="poller",
                action=action,
                resource=resource,
                conditions=conditions,
            )
    except service_roles.AccessDenied as error:
        mapping["LastProcessingResult"] = f"PROBLEM: {error}"
        return False
    return True


def _remaining(queue: dict[str, Any], mappings: list[dict[str, Any]], size: int) -> float:
    """Seconds until the batch is old enough to be handed over; a full one is at once."""
    window = max((mapping.get("MaximumBatchingWindowInSeconds") or 0 for mapping in mappings), default=0)
    now = time.time()
    arrived = [
        max(message["sent_at"], message.get("visible_at", 0))
        for message in queue["messages"]
        if message.get("visible_at", 0) <= now
    ]
    if not arrived or len(arrived) >= size:
        return 0.0
    return float(min(arrived) + window * wait_scale() - now)


def _look_again(url: str, seconds: float) -> None:
    with _planning:
        if url in _planned:
            return
        _planned.add(url)
    timer = threading.Timer(seconds, _wake, (url,))
    timer.daemon = True
    timer.start()


def _wake(url: str) -> None:
    with _planning:
        _planned.discard(url)
    lambda_svc._esm_wake.set()
