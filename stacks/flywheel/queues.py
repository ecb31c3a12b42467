"""The queues that collect pokes for turns and for promotions, and those where lost messages end up."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.flywheel.topic import NO_PLAIN_HTTP

START_TIMEOUT = cdk.Duration.minutes(1)
"""Of start_turn and start_promotion."""


class PromotionQueues(Construct):
    """`promotions`: any message means "look whether one should start".

    `promotion_dead_letters`: pokes that could not be handled. `undelivered`: events that reached neither a queue nor a
    function.
    """

    def __init__(self, scope: Construct, construct_id: str, *, key: kms.IKey | None) -> None:
        super().__init__(scope, construct_id)
        self.promotion_dead_letters = dead_letters(self, "PromotionDeadLetters", key=key)
        self.undelivered = dead_letters(self, "Undelivered", key=key)
        self.promotions = pokes(
            self, "Promotions", key=key, dead_letters=self.promotion_dead_letters, timeout=START_TIMEOUT
        )


class Queues(PromotionQueues):
    """With `turns` and `turn_dead_letters`, the same for turns."""

    def __init__(self, scope: Construct, construct_id: str, *, key: kms.IKey | None) -> None:
        super().__init__(scope, construct_id, key=key)
        self.turn_dead_letters = dead_letters(self, "TurnDeadLetters", key=key)
        self.turns = pokes(self, "Turns", key=key, dead_letters=self.turn_dead_letters, timeout=START_TIMEOUT)


def pokes(
    scope: Construct, construct_id: str, *, key: kms.IKey | None, dead_letters: sqs.Queue, timeout: cdk.Duration
) -> sqs.Queue:
    """`timeout` is that of the function that works it off."""
    return sqs.Queue(
        scope,
        construct_id,
        encryption=_encryption(key),
        encryption_master_key=key,
        # Lambda's guide: six times the function's time-out, and the batching window on top.
        visibility_timeout=cdk.Duration.seconds(6 * timeout.to_seconds() + 60),
        dead_letter_queue=sqs.DeadLetterQueue(queue=dead_letters, max_receive_count=5),
    )


def dead_letters(scope: Construct, construct_id: str, *, key: kms.IKey | None) -> sqs.Queue:
    return sqs.Queue(
        scope,
        construct_id,
        encryption=_encryption(key),
        encryption_master_key=key,
        retention_period=cdk.Duration.days(14),
    )


def acknowledge_dead_letters_of_rules(queue: sqs.Queue) -> None:
    resource = queue.node.default_child
    if resource is None:
        raise TypeError(f"{queue.node.path} has no resource")
    cdk.Validations.of(resource).acknowledge(
        cdk.Acknowledgment(
            id="AwsSolutions-SQS3",
            reason="It is a dead-letter queue itself, of EventBridge rules alone, where cdk-nag does not look.",
        )
    )


def let_rules_send(queue: sqs.Queue, *, rules: Sequence[events.CfnRule]) -> None:
    """Writes the queue's policy: TLS only, and EventBridge for the given rules."""
    statements = [{**NO_PLAIN_HTTP, "Action": "sqs:*", "Resource": queue.queue_arn}]
    if rules:
        statements.append(
            {
                "Sid": "Events",
                "Effect": "Allow",
                "Principal": {"Service": "events.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": queue.queue_arn,
                "Condition": {"ArnEquals": {"aws:SourceArn": [rule.attr_arn for rule in rules]}},
            }
        )
    sqs.CfnQueuePolicy(
        queue,
        "Policy",
        queues=[queue.queue_url],
        policy_document={"Version": "2012-10-17", "Statement": statements},
    )


def _encryption(key: kms.IKey | None) -> sqs.QueueEncryption:
    return sqs.QueueEncryption.KMS if key else sqs.QueueEncryption.SQS_MANAGED
