"""Alarms watch by themselves, with their dimensions, and tell only topics that let CloudWatch publish."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from local.cloud import CloudAccount
from tests.local_cloud.resources import create_machine, create_queue, lets_send, messages, run, until

_numbers = itertools.count(1)


def create_topic(account: CloudAccount, *, statements: Sequence[Mapping[str, Any]] | None = None) -> tuple[str, str]:
    """ARN of a topic, and URL of a queue that receives what is published; None: the policy that AWS gives a topic."""
    sns = account.client("sns")
    topic = str(sns.create_topic(Name=f"topic-{next(_numbers)}")["TopicArn"])
    if statements is not None:
        policy = {"Version": "2012-10-17", "Statement": [{**one, "Resource": topic} for one in statements]}
        sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps(policy))
    url, queue = create_queue(account, lets_in=[lets_send("sns.amazonaws.com", source=topic)])
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue, Attributes={"RawMessageDelivery": "true"})
    return topic, url


def create_alarm(account: CloudAccount, topic: str, **settings: Any) -> str:
    name = f"alarm-{next(_numbers)}"
    account.client("cloudwatch").put_metric_alarm(
        AlarmName=name,
        AlarmActions=[topic],
        Period=60,
        EvaluationPeriods=1,
        Threshold=0,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
        **settings,
    )
    return name


def state(account: CloudAccount, name: str) -> str:
    alarm = account.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"][0]
    return str(alarm["StateValue"])


def on_queue(url: str) -> dict[str, Any]:
    return {
        "Namespace": "AWS/SQS",
        "MetricName": "ApproximateNumberOfMessagesVisible",
        "Dimensions": [{"Name": "QueueName", "Value": url.rsplit("/", 1)[-1]}],
        "Statistic": "Maximum",
    }


def test_message_in_a_queue_alarms_for_that_queue_alone(account: CloudAccount) -> None:
    topic, told = create_topic(account)
    (full, _), (empty, _) = create_queue(account), create_queue(account)
    watched, other = create_alarm(account, topic, **on_queue(full)), create_alarm(account, topic, **on_queue(empty))
    account.client("sqs").send_message(QueueUrl=full, MessageBody="lost")
    notification = until(lambda: messages(account, told))[0]
    assert (notification["AlarmName"], notification["NewStateValue"]) == (watched, "ALARM")
    assert state(account, watched) == "ALARM"
    until(lambda: state(account, other) == "OK")


def test_failed_execution_alarms(account: CloudAccount) -> None:
    topic, told = create_topic(account)
    machine = create_machine(account, {"Stop": {"Type": "Fail"}})
    create_alarm(
        account,
        topic,
        Namespace="AWS/States",
        MetricName="ExecutionsFailed",
        Dimensions=[{"Name": "StateMachineArn", "Value": machine}],
        Statistic="Sum",
    )
    run(account, machine)
    assert until(lambda: messages(account, told))


LETS_CLOUDWATCH = {"Effect": "Allow", "Principal": {"Service": "cloudwatch.amazonaws.com"}, "Action": "sns:Publish"}
NO_PLAIN_HTTP = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "sns:Publish",
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}


@pytest.mark.parametrize(("statements", "told"), [([NO_PLAIN_HTTP, LETS_CLOUDWATCH], True), ([NO_PLAIN_HTTP], False)])
def test_topic_with_a_policy_of_its_own_must_let_cloudwatch(
    account: CloudAccount, statements: list[Mapping[str, Any]], told: bool
) -> None:
    topic, url = create_topic(account, statements=statements)
    full, _ = create_queue(account)
    name = create_alarm(account, topic, **on_queue(full))
    account.client("sqs").send_message(QueueUrl=full, MessageBody="lost")
    if told:
        assert until(lambda: messages(account, url))
    else:
        until(lambda: state(account, name) == "ALARM")
        assert messages(account, url) == []
