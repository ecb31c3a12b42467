"""Events reach the targets that let them, with what AWS puts into them, and in the batches that a mapping asks for."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from local.cloud import CloudAccount
from tests.local_cloud.resources import (
    allow,
    create_bucket,
    create_function,
    create_machine,
    create_queue,
    create_role,
    lets_send,
    messages,
    until,
)

_numbers = itertools.count(1)

# Writes what it was given where the test can see it.
TELLS = """
import json, os, boto3
def handle(event, context):
    body = json.dumps([record["body"] for record in event["Records"]])
    boto3.client("sqs").send_message(QueueUrl=os.environ["SEEN"], MessageBody=body)
"""


def create_rule(account: CloudAccount, source: str) -> tuple[str, str]:
    """Name and ARN of a rule for what a source says."""
    name = f"rule-{next(_numbers)}"
    rule = account.client("events").put_rule(Name=name, EventPattern=json.dumps({"source": [source]}))
    return name, str(rule["RuleArn"])


def say(account: CloudAccount, source: str) -> None:
    entry = {"Source": source, "DetailType": "probe", "Detail": '{"n": 1}'}
    assert account.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0


def executions_of(account: CloudAccount, machine: str) -> list[Mapping[str, Any]]:
    listed = account.client("stepfunctions").list_executions(stateMachineArn=machine)
    found: list[Mapping[str, Any]] = listed["executions"]
    return found


def dead_letters(account: CloudAccount, url: str) -> list[Mapping[str, Any]]:
    received = account.client("sqs").receive_message(QueueUrl=url, MessageAttributeNames=["All"])
    found: list[Mapping[str, Any]] = received.get("Messages", [])
    return found


def test_upload_to_a_versioned_bucket_says_its_version_on_the_bus(account: CloudAccount) -> None:
    bucket = create_bucket(account, versioned=True, events=True)
    name, rule = create_rule(account, "aws.s3")
    url, queue = create_queue(account, lets_in=[lets_send("events.amazonaws.com", source=rule)])
    account.client("events").put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": queue}])
    put = account.client("s3").put_object(Bucket=bucket, Key="train/a b.csv", Body=b"x")
    event = until(lambda: messages(account, url))[0]
    assert event["detail-type"] == "Object Created"
    assert event["detail"]["object"]["key"] == "train/a b.csv"
    assert event["detail"]["object"]["version-id"] == put["VersionId"]


@pytest.mark.parametrize(
    ("policy", "arrives"),
    [
        ([lets_send("events.amazonaws.com")], True),
        ([], False),
        ([lets_send("s3.amazonaws.com")], False),
        ([lets_send("events.amazonaws.com", source="arn:aws:events:us-east-1:123456789012:rule/other")], False),
    ],
)
def test_queue_is_reached_only_if_its_policy_says_so(
    account: CloudAccount, policy: Sequence[Mapping[str, Any]], arrives: bool
) -> None:
    source = f"probe.{next(_numbers)}"
    name, rule = create_rule(account, source)
    url, queue = create_queue(account, lets_in=policy)
    lost_url, lost = create_queue(account, lets_in=[lets_send("events.amazonaws.com", source=rule)])
    target = {"Id": "queue", "Arn": queue, "DeadLetterConfig": {"Arn": lost}}
    account.client("events").put_targets(Rule=name, Targets=[target])
    say(account, source)
    if arrives:
        assert until(lambda: messages(account, url))[0]["detail"] == {"n": 1}
    else:
        letter = until(lambda: dead_letters(account, lost_url))[0]
        assert letter["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "NO_PERMISSIONS"
        assert letter["MessageAttributes"]["RULE_ARN"]["StringValue"] == rule
        assert messages(account, url) == []


@pytest.mark.parametrize("key_lets_events", [True, False])
def test_encrypted_queue_needs_its_keys_permission(account: CloudAccount, key_lets_events: bool) -> None:
    principals: list[dict[str, str]] = [{"AWS": f"arn:aws:iam::{account.account}:root"}]
    if key_lets_events:
        principals.append({"Service": "events.amazonaws.com"})
    statements = [{"Effect": "Allow", "Principal": one, "Action": "kms:*", "Resource": "*"} for one in principals]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    key = account.client("kms").create_key(Policy=policy)["KeyMetadata"]["KeyId"]
    source = f"probe.{next(_numbers)}"
    name, _ = create_rule(account, source)
    lets_in = [lets_send("events.amazonaws.com")]
    url, queue = create_queue(account, lets_in=lets_in, KmsMasterKeyId=key)
    lost_url, lost = create_queue(account, lets_in=lets_in)
    target = {"Id": "queue", "Arn": queue, "DeadLetterConfig": {"Arn": lost}}
    account.client("events").put_targets(Rule=name, Targets=[target])
    say(account, source)
    assert until(lambda: messages(account, url if key_lets_events else lost_url))


def test_function_is_invoked_only_with_a_permission(account: CloudAccount) -> None:
    seen_url, seen = create_queue(account)
    role = create_role(account, allow("sqs:SendMessage", on=seen))
    source = TELLS.replace('[record["body"] for record in event["Records"]]', 'event["detail"]')
    function = create_function(account, source, role=role, Environment={"Variables": {"SEEN": seen_url}})
    lost_url, lost = create_queue(account, lets_in=[lets_send("events.amazonaws.com")])
    said = f"probe.{next(_numbers)}"
    name, rule = create_rule(account, said)
    target = {"Id": "function", "Arn": function, "DeadLetterConfig": {"Arn": lost}}
    account.client("events").put_targets(Rule=name, Targets=[target])
    say(account, said)
    until(lambda: dead_letters(account, lost_url))
    account.client("lambda").add_permission(
        FunctionName=function,
        StatementId="events",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=rule,
    )
    say(account, said)
    assert until(lambda: messages(account, seen_url)) == [{"n": 1}]


def test_machine_is_started_only_with_a_role_that_may(account: CloudAccount) -> None:
    machine = create_machine(account, {"Done": {"Type": "Succeed"}})
    lost_url, lost = create_queue(account, lets_in=[lets_send("events.amazonaws.com")])
    may = allow("states:StartExecution", on=machine)
    roles = {
        "untrusting": create_role(account, may, trusted="lambda.amazonaws.com"),
        "powerless": create_role(account, trusted="events.amazonaws.com"),
        "right": create_role(account, may, trusted="events.amazonaws.com"),
    }
    for kind, role in roles.items():
        said = f"probe.{next(_numbers)}"
        name, _ = create_rule(account, said)
        target = {"Id": "machine", "Arn": machine, "RoleArn": role, "DeadLetterConfig": {"Arn": lost}}
        account.client("events").put_targets(Rule=name, Targets=[target])
        say(account, said)
        if kind == "right":
            assert until(lambda: executions_of(account, machine))
        else:
            assert until(lambda: dead_letters(account, lost_url))


def test_rule_reaches_a_queue_that_asks_for_tls(account: CloudAccount) -> None:
    source = f"probe.{next(_numbers)}"
    name, rule = create_rule(account, source)
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sqs:*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    url, queue = create_queue(account, lets_in=[deny, lets_send("events.amazonaws.com", source=rule)])
    account.client("events").put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": queue}])
    say(account, source)
    assert until(lambda: messages(account, url))


def test_mapping_collects_a_batch_during_its_window(account: CloudAccount) -> None:
    url, queue = create_queue(account)
    seen_url, seen = create_queue(account)
    role = create_role(
        account,
        allow("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", on=queue),
        allow("sqs:SendMessage", on=seen),
    )
    function = create_function(account, TELLS, role=role, Environment={"Variables": {"SEEN": seen_url}})
    # 300 s at the tests' scale of 0.01.
    account.client("lambda").create_event_source_mapping(
        EventSourceArn=queue, FunctionName=function, BatchSize=100, MaximumBatchingWindowInSeconds=300
    )
    for numbers in (range(10), range(10, 15)):
        entries = [{"Id": str(number), "MessageBody": str(number)} for number in numbers]
        account.client("sqs").send_message_batch(QueueUrl=url, Entries=entries)
    batch = until(lambda: messages(account, seen_url))[0]
    assert sorted(batch, key=int) == [str(number) for number in range(15)]


def test_mapping_polls_with_the_functions_role(account: CloudAccount) -> None:
    url, queue = create_queue(account)
    seen_url, seen = create_queue(account)
    role = create_role(account, allow("sqs:SendMessage", on=seen))
    function = create_function(account, TELLS, role=role, Environment={"Variables": {"SEEN": seen_url}})
    mapping = account.client("lambda").create_event_source_mapping(EventSourceArn=queue, FunctionName=function)
    account.client("sqs").send_message(QueueUrl=url, MessageBody="m")
    described = account.client("lambda").get_event_source_mapping
    until(lambda: "sqs:ReceiveMessage" in described(UUID=mapping["UUID"])["LastProcessingResult"])
    statement = allow("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", on=queue)
    account.client("iam").put_role_policy(
        RoleName=role.rsplit("/", 1)[-1],
        PolicyName="poll",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
    assert until(lambda: messages(account, seen_url)) == [["m"]]


def test_schedule_fills_in_its_keywords(account: CloudAccount) -> None:
    url, queue = create_queue(account)
    role = create_role(account, allow("sqs:SendMessage", on=queue), trusted="scheduler.amazonaws.com")
    text = json.dumps({"schedule": "<aws.scheduler.schedule-arn>", "id": "<aws.scheduler.execution-id>"})
    schedule = account.client("scheduler").create_schedule(
        Name="once",
        ScheduleExpression="at(2020-01-01T00:00:00)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": queue, "RoleArn": role, "Input": text},
    )
    received = until(lambda: messages(account, url))[0]
    assert received["schedule"] == schedule["ScheduleArn"]
    assert "<" not in received["id"]
