"""A machine can do what its role allows, and nothing else; refusals have AWS's error names."""

from __future__ import annotations

import json
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
    invoke,
    run,
)

RETURNS_ONE = "def handle(event, context):\n    return 1\n"


def task(resource: str, arguments: Any, **state: Any) -> dict[str, Any]:
    ends = {} if "Next" in state else {"End": True}
    return {"Type": "Task", "Resource": f"arn:aws:states:::{resource}", "Arguments": arguments, **ends, **state}


def test_function(account: CloudAccount) -> None:
    function = create_function(account, RETURNS_ONE)
    state = {"Call": invoke(function, End=True)}
    denied = run(account, create_machine(account, state))
    assert (denied["status"], denied["error"]) == ("FAILED", "Lambda.AWSLambdaException")
    assert "lambda:InvokeFunction" in denied["cause"]
    allowed = run(account, create_machine(account, state, permissions=[allow("lambda:InvokeFunction", on=function)]))
    assert allowed["output"] == 1


def test_permissions_boundary_counts(account: CloudAccount) -> None:
    iam = account.client("iam")
    document = {"Version": "2012-10-17", "Statement": [allow("s3:*")]}
    boundary = iam.create_policy(PolicyName="boundary", PolicyDocument=json.dumps(document))["Policy"]["Arn"]
    role = create_role(account, allow("lambda:InvokeFunction"), trusted="states.amazonaws.com")
    iam.put_role_permissions_boundary(RoleName=role.rsplit("/", 1)[-1], PermissionsBoundary=boundary)
    function = create_function(account, RETURNS_ONE)
    denied = run(account, create_machine(account, {"Call": invoke(function, End=True)}, role=role))
    assert denied["error"] == "Lambda.AWSLambdaException"


def test_comprehend_by_resource(account: CloudAccount) -> None:
    mine = f"arn:aws:comprehend:{account.region}:{account.account}:flywheel/mine"
    states = {"Describe": task("aws-sdk:comprehend:describeFlywheel", {"FlywheelArn": "{% $states.input %}"})}
    machine = create_machine(account, states, permissions=[allow("comprehend:DescribeFlywheel", on=mine)])
    assert run(account, machine, mine)["error"] == "Comprehend.ResourceNotFoundException"
    assert run(account, machine, mine.replace("mine", "other"))["error"] == "Comprehend.ComprehendException"


def test_refusal_is_caught_by_its_name(account: CloudAccount) -> None:
    states = {
        "Describe": task(
            "aws-sdk:comprehend:describeFlywheel",
            {"FlywheelArn": "arn:aws:comprehend:us-east-1:123456789012:flywheel/x"},
            Catch=[{"ErrorEquals": ["Comprehend.ComprehendException"], "Output": "caught", "Next": "Done"}],
        ),
        "Done": {"Type": "Succeed"},
    }
    assert run(account, create_machine(account, states))["output"] == "caught"


@pytest.mark.parametrize(
    ("operation", "action"), [("getObjectTagging", "s3:GetObjectTagging"), ("headObject", "s3:GetObject")]
)
def test_s3_object(account: CloudAccount, operation: str, action: str) -> None:
    bucket = create_bucket(account)
    account.client("s3").put_object(Bucket=bucket, Key="in/object", Body=b"12345")
    states = {"Read": task(f"aws-sdk:s3:{operation}", {"Bucket": bucket, "Key": "in/object"})}
    denied = run(account, create_machine(account, states))
    assert denied["error"] == "S3.S3Exception"
    permitted = allow(action, on=f"arn:aws:s3:::{bucket}/in/*")
    assert run(account, create_machine(account, states, permissions=[permitted]))["status"] == "SUCCEEDED"


def test_bucket_policy_counts(account: CloudAccount) -> None:
    bucket = create_bucket(account)
    s3 = account.client("s3")
    s3.put_object(Bucket=bucket, Key="object", Body=b"")
    arn = f"arn:aws:s3:::{bucket}"
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:ListBucket", "Resource": arn}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [deny]}))
    states = {"List": task("aws-sdk:s3:listObjectsV2", {"Bucket": bucket})}
    denied = run(account, create_machine(account, states, permissions=[allow("s3:ListBucket", on=arn)]))
    assert denied["error"] == "S3.S3Exception"
    assert "explicit deny" in denied["cause"]


@pytest.mark.parametrize("allowed", [True, False])
def test_queue_parameter_and_bus(account: CloudAccount, allowed: bool) -> None:
    url, queue = create_queue(account)
    account.client("ssm").put_parameter(Name="/known", Value="v", Type="String", Overwrite=True)
    parameter = f"arn:aws:ssm:{account.region}:{account.account}:parameter/known"
    bus = f"arn:aws:events:{account.region}:{account.account}:event-bus/default"
    entry = {"Source": "probe", "DetailType": "probe", "Detail": {}}
    calls = {
        "SQS": task("sqs:sendMessage", {"QueueUrl": url, "MessageBody": "text"}),
        "SSM": task("aws-sdk:ssm:getParameter", {"Name": "/known"}),
        "Events": task("events:putEvents", {"Entries": [entry]}),
    }
    permissions = [
        allow("sqs:SendMessage", on=queue),
        allow("ssm:GetParameter", on=parameter),
        allow("events:PutEvents", on=bus),
    ]
    for name, state in calls.items():
        described = run(account, create_machine(account, {name: state}, permissions=permissions if allowed else []))
        assert described["status"] == ("SUCCEEDED" if allowed else "FAILED"), (name, described)


def test_encrypted_topic_needs_the_key_as_well(account: CloudAccount) -> None:
    key = account.client("kms").create_key()["KeyMetadata"]["Arn"]
    attributes = {"KmsMasterKeyId": key}
    topic = account.client("sns").create_topic(Name="encrypted", Attributes=attributes)["TopicArn"]
    states = {"Tell": task("sns:publish", {"TopicArn": topic, "Message": "text"})}
    may_publish = allow("sns:Publish", on=topic)
    denied = run(account, create_machine(account, states, permissions=[may_publish]))
    assert "kms:GenerateDataKey" in denied["cause"]
    may_encrypt = allow("kms:GenerateDataKey", "kms:Decrypt", on=key)
    assert (
        run(account, create_machine(account, states, permissions=[may_publish, may_encrypt]))["status"] == "SUCCEEDED"
    )
