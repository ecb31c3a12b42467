"""The simulation's SQS: what it answers is compared with the emulator; what it does in time follows AWS's guide."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.simulation.api import ACCOUNT, IMPORTER, Caller
from tests.simulation.kernel import BEGINNING, Kernel
from tests.simulation.services.compared import Side, client_of
from tests.simulation.services.emulated import emulated
from tests.simulation.services.sqs import MESSAGE_BYTES, SQS, Message, Queue, Redrive

_VISIBLE = "ApproximateNumberOfMessages"
_COUNTS = [_VISIBLE, "ApproximateNumberOfMessagesDelayed", "ApproximateNumberOfMessagesNotVisible", "VisibilityTimeout"]


class World:
    def __init__(self) -> None:
        self.kernel = Kernel(1)
        self.shown: list[str] = []
        self.sqs = SQS(self.kernel, on_visible=lambda queue: self.shown.append(queue.name))
        self.dead_letters = self.sqs.add(Queue("dead-letters", account=ACCOUNT))
        self.queue = self.sqs.add(
            Queue(
                "pokes",
                account=ACCOUNT,
                visibility_timeout=60,
                redrive=Redrive(dead_letters=self.dead_letters.arn, most_receives=2),
            )
        )

    def bodies(self, most: int = 10) -> list[str]:
        return [message.body for message in self.sqs.receive(self.queue.arn, most)]

    def pass_time(self, seconds: float) -> None:
        self.kernel.run_until(self.kernel.now + seconds)

    def depth(self) -> tuple[int, int, int]:
        found = self.sqs.depth(self.queue.arn)
        return found.visible, found.in_flight, found.delayed


@pytest.fixture
def world() -> World:
    return World()


def test_it_answers_as_the_emulator_does(world: World) -> None:
    other = emulated("sqs")
    sides = [
        (Side(client_of("sqs", world.sqs)), world.queue.url),
        (Side(other), other.create_queue(QueueName="pokes", Attributes={"VisibilityTimeout": "60"})["QueueUrl"]),
    ]
    calls: list[Callable[..., Any]] = [
        lambda sqs, url: sqs.send_message(QueueUrl=url, MessageBody='{"poke": "käse"}'),
        lambda sqs, url: sqs.send_message(QueueUrl=url, MessageBody="x", DelaySeconds=900),
        lambda sqs, url: sqs.send_message(QueueUrl=url, MessageBody="x" * MESSAGE_BYTES),
        lambda sqs, url: sqs.send_message(QueueUrl=url, MessageBody="ä" + "x" * (MESSAGE_BYTES - 1)),
        lambda sqs, url: sqs.send_message(QueueUrl=f"{url}-none", MessageBody="x"),
        lambda sqs, url: sqs.get_queue_attributes(QueueUrl=url, AttributeNames=_COUNTS),
        lambda sqs, url: sqs.get_queue_attributes(QueueUrl=f"{url}-none", AttributeNames=_COUNTS),
    ]
    for number, call in enumerate(calls):
        mine, others = (side.ask(partial(call, url=url)) for side, url in sides)
        assert mine == others, number


def test_it_refuses_what_the_emulator_takes(world: World) -> None:
    """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html"""
    mine = Side(client_of("sqs", world.sqs))

    def sent(**members: Any) -> Any:
        return mine.ask(lambda sqs: sqs.send_message(QueueUrl=world.queue.url, **members))

    assert sent(MessageBody="x", DelaySeconds=901) == ("InvalidParameterValue", 400)
    assert sent(MessageBody="\x01") == ("InvalidMessageContents", 400)
    assert sent(MessageBody="") == ("MissingParameter", 400)
    assert world.depth() == (0, 0, 0)


def test_what_is_received_comes_again_unless_it_is_deleted(world: World) -> None:
    for body in ("a", "b", "c"):
        world.sqs.deliver(world.queue.arn, body)
    first, second = world.sqs.receive(world.queue.arn, 2)
    assert [first.body, second.body] == ["a", "b"]
    assert world.depth() == (1, 2, 0)
    handle = second.receipt_handle
    assert world.sqs.delete(world.queue.arn, first.receipt_handle)
    world.pass_time(59.9)
    assert world.bodies() == ["c"]
    world.pass_time(0.2)
    (again,) = world.sqs.receive(world.queue.arn, 10)
    assert (again.body, again.receives, again.first_received) == ("b", 2, BEGINNING)
    # The handle of the first time is too old.
    assert not world.sqs.delete(world.queue.arn, handle)
    assert world.sqs.delete(world.queue.arn, again.receipt_handle)
    assert [message.body for message in world.queue.messages] == ["c"]


def test_what_was_received_too_often_goes_to_the_dead_letters(world: World) -> None:
    world.sqs.deliver(world.queue.arn, "a")
    for _ in range(2):
        assert world.bodies() == ["a"]
        world.pass_time(60)
    assert world.depth() == (1, 0, 0)
    assert world.bodies() == []
    assert world.sqs.depth(world.queue.arn).total == 0
    assert [message.body for message in world.dead_letters.messages] == ["a"]
    assert world.shown == ["pokes", "pokes", "pokes", "dead-letters"]


def test_a_delay_is_the_messages_or_the_queues(world: World) -> None:
    late = world.sqs.add(Queue("late", account=ACCOUNT, delay=5))
    sqs = client_of("sqs", world.sqs)
    sqs.send_message(QueueUrl=late.url, MessageBody="of the queue")
    sqs.send_message(QueueUrl=late.url, MessageBody="at once", DelaySeconds=0)
    sqs.send_message(QueueUrl=late.url, MessageBody="last", DelaySeconds=9)

    def received() -> list[str]:
        return [message.body for message in world.sqs.receive(late.arn, 10)]

    assert received() == ["at once"]
    assert world.sqs.depth(late.arn).delayed == 2
    world.pass_time(5)
    assert received() == ["of the queue"]
    world.pass_time(4)
    assert received() == ["last"]


def test_a_message_can_be_made_visible_before_its_time(world: World) -> None:
    world.sqs.deliver(world.queue.arn, "a")

    def receive() -> Message:
        (message,) = world.sqs.receive(world.queue.arn, 1)
        return message

    world.sqs.make_visible(world.queue.arn, receive().receipt_handle)
    world.sqs.make_visible(world.queue.arn, receive().receipt_handle, after=100)
    world.pass_time(99)
    # The timeout of the second time, 60 s, has ended nothing.
    assert world.depth() == (0, 1, 0)
    world.pass_time(1)
    assert world.depth() == (1, 0, 0)


def test_a_message_can_be_sent_twice_and_late(world: World) -> None:
    world.sqs.deliveries = lambda queue: (0, 3) if queue is world.queue else (7,)
    twice = world.sqs.deliver(world.queue.arn, "a")
    world.sqs.deliver(world.dead_letters.arn, "b")
    (first,) = world.sqs.receive(world.queue.arn, 10)
    world.sqs.delete(world.queue.arn, first.receipt_handle)
    world.pass_time(3)
    (second,) = world.sqs.receive(world.queue.arn, 10)
    assert first.message_id == second.message_id == twice.message_id
    assert second.receives == 1
    assert world.sqs.depth(world.dead_letters.arn).visible == 0
    world.pass_time(4)
    assert world.sqs.depth(world.dead_letters.arn).visible == 1


def test_a_queue_is_its_accounts(world: World) -> None:
    other = Side(client_of("sqs", world.sqs, Caller(account=IMPORTER)))
    url = world.queue.url
    assert other.ask(lambda sqs: sqs.send_message(QueueUrl=url, MessageBody="x")) == ("AccessDenied", 403)
    with pytest.raises(NotImplementedError, match="no PurgeQueue"):
        other.client.purge_queue(QueueUrl=url)
