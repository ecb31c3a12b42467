"""Who sends to or receives from an encrypted queue or topic needs its key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.cloud import CloudAccount
from tests.local_cloud.resources import allow, create_function, create_queue, create_role, until


def code_of(call: Callable[[], Any]) -> str | None:
    """The error code of a call, None when it is allowed."""
    try:
        call()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return None


@pytest.mark.parametrize(
    ("key_actions", "may_send", "may_receive"),
    [
        ([], False, False),
        (["kms:Decrypt"], False, True),
        (["kms:GenerateDataKey", "kms:Decrypt"], True, True),
    ],
)
def test_queue_and_topic(account: CloudAccount, key_actions: list[str], may_send: bool, may_receive: bool) -> None:
    key = account.client("kms").create_key()["KeyMetadata"]["Arn"]
    url, queue = create_queue(account, KmsMasterKeyId=key)
    attributes = {"KmsMasterKeyId": key}
    topic = account.client("sns").create_topic(Name=f"t{len(key_actions)}", Attributes=attributes)["TopicArn"]
    on_messages = allow("sqs:SendMessage", "sqs:ReceiveMessage", "sns:Publish", on=[queue, topic])
    on_key = [allow(*key_actions, on=key)] if key_actions else []
    role = create_role(account, on_messages, *on_key, trusted={"AWS": account.account})
    sqs, sns = account.client("sqs", role_arn=role), account.client("sns", role_arn=role)
    sent = code_of(lambda: sqs.send_message(QueueUrl=url, MessageBody="text"))
    published = code_of(lambda: sns.publish(TopicArn=topic, Message="text"))
    received = code_of(lambda: sqs.receive_message(QueueUrl=url))
    assert (sent is None, published is None, received is None) == (may_send, may_send, may_receive)
    assert {sent, published, received} <= {None, "AccessDenied", "AccessDeniedException", "AuthorizationError"}


def test_poller_needs_the_key(account: CloudAccount) -> None:
    key = account.client("kms").create_key()["KeyMetadata"]["Arn"]
    url, queue = create_queue(account, KmsMasterKeyId=key)
    polling = allow("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", on=queue)
    source = "def handle(event, context):\n    return None\n"
    function = create_function(account, source, role=create_role(account, polling))
    mapping = account.client("lambda").create_event_source_mapping(EventSourceArn=queue, FunctionName=function)["UUID"]
    account.client("sqs").send_message(QueueUrl=url, MessageBody="m")
    described = account.client("lambda").get_event_source_mapping
    until(lambda: "kms:Decrypt" in described(UUID=mapping)["LastProcessingResult"])
