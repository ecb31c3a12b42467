"""The simulation's SNS answers as the emulator's."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from tests.simulation.api import ACCOUNT, IMPORTER, Caller
from tests.simulation.kernel import BEGINNING, Kernel
from tests.simulation.services.compared import Side, client_of
from tests.simulation.services.emulated import emulated
from tests.simulation.services.sns import MESSAGE_BYTES, SNS, Notification

TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:news"


def test_it_answers_as_the_emulator_does() -> None:
    sns, other = SNS(Kernel(1)), emulated("sns")
    sns.add(TOPIC)
    sides = [
        (Side(client_of("sns", sns)), TOPIC),
        (Side(other), other.create_topic(Name="news")["TopicArn"]),
    ]
    calls: list[Callable[..., Any]] = [
        lambda sns, topic: sns.publish(TopicArn=topic, Message="words", Subject="Turn 1"),
        lambda sns, topic: sns.publish(TopicArn=topic, Message="x" * MESSAGE_BYTES),
        lambda sns, topic: sns.publish(TopicArn=topic, Message="ä" + "x" * (MESSAGE_BYTES - 1)),
        lambda sns, topic: sns.publish(TopicArn=topic, Message="words", Subject="x" * 100),
        lambda sns, topic: sns.publish(TopicArn=f"{topic}-none", Message="words"),
    ]
    for number, call in enumerate(calls):
        mine, others = (side.ask(partial(call, topic=topic)) for side, topic in sides)
        assert mine == others, number
    assert [(each.message[:5], each.subject) for each in sns.published(TOPIC)] == [
        ("words", "Turn 1"),
        ("xxxxx", None),
        ("words", "x" * 100),
    ]


def test_what_is_published_is_kept_with_its_time() -> None:
    kernel = Kernel(1)
    sns = SNS(kernel)
    sns.add(TOPIC)
    kernel.run_until(BEGINNING + 2)
    message_id = client_of("sns", sns).publish(TopicArn=TOPIC, Message="words", Subject="one")["MessageId"]
    kept = Notification(message_id=message_id, published=BEGINNING + 2, message="words", subject="one")
    assert sns.published(TOPIC) == [kept]


def test_it_refuses_what_the_emulator_takes() -> None:
    """https://docs.aws.amazon.com/sns/latest/api/API_Publish.html"""
    sns = SNS(Kernel(1))
    sns.add(TOPIC)

    def published(account: str = ACCOUNT, **members: Any) -> Any:
        side = Side(client_of("sns", sns, Caller(account=account)))
        return side.ask(lambda client: client.publish(TopicArn=TOPIC, **members))

    for subject in ("ä", "two\nlines", " ", "", "x" * 101):
        assert published(Message="words", Subject=subject) == ("InvalidParameter", 400)
    assert published(Message="") == ("InvalidParameter", 400)
    assert published(IMPORTER, Message="words") == ("AuthorizationError", 403)
    assert sns.published(TOPIC) == []
