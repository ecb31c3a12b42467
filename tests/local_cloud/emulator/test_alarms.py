"""Alarms watch by themselves, with their dimensions, and tell only topics that let CloudWatch publish."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from local.cloud import CloudAccount
from tests.local_cloud.resources import create_function, create_machine, create_queue, lets_send, messages, run, until

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
        **{
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": 0,
            "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": "notBreaching",
            **settings,
        },
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


def test_failed_execution_alarms_for_its_machine_alone(account: CloudAccount) -> None:
    fails, succeeds = ({"Stop": {"Type": "Fail"}}, {"Done": {"Type": "Succeed"}})
    topic, told = create_topic(account)
    alarms = {}
    for name, states in (("failing", fails), ("sound", succeeds)):
        machine = create_machine(account, states)
        alarms[name] = create_alarm(
            account,
            topic,
            Namespace="AWS/States",
            MetricName="ExecutionsFailed",
            Dimensions=[{"Name": "StateMachineArn", "Value": machine}],
            Statistic="Sum",
        )
        run(account, machine)
    assert until(lambda: messages(account, told))[0]["AlarmName"] == alarms["failing"]
    until(lambda: state(account, alarms["sound"]) == "OK")


MEASURES = """
import json
def handle(event, context):
    metric = {"Name": "Score", "Unit": "None"}
    directive = {"Namespace": "Custom", "Dimensions": [["Flywheel"]], "Metrics": [metric]}
    print(json.dumps({"_aws": {"Timestamp": event["at"], "CloudWatchMetrics": [directive]}, **event["values"]}))
"""


def test_metric_that_a_function_writes_as_a_log_line_alarms(account: CloudAccount) -> None:
    topic, told = create_topic(account)
    below = {"Threshold": 0.8, "ComparisonOperator": "LessThanThreshold"}
    alarms = {
        flywheel: create_alarm(
            account,
            topic,
            Namespace="Custom",
            MetricName="Score",
            Dimensions=[{"Name": "Flywheel", "Value": flywheel}],
            Statistic="Minimum",
            **below,
        )
        for flywheel in ("drifting", "steady")
    }
    function = create_function(account, MEASURES)
    for flywheel, score in (("drifting", 0.7), ("steady", 0.9)):
        event = {"at": int(time.time() * 1000), "values": {"Flywheel": flywheel, "Score": score}}
        account.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event))
    assert until(lambda: messages(account, told))[0]["AlarmName"] == alarms["drifting"]
    until(lambda: state(account, alarms["steady"]) == "OK")


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
