"""What requests ask for is what the local cloud reads from the same requests as boto3 sends them."""

from __future__ import annotations

from functools import cache
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import boto3
import pytest
from botocore import xform_name
from botocore.awsrequest import AWSPreparedRequest
from botocore.config import Config

from local.cloud.emulator import parameters as ssm_parameters
from local.cloud.emulator.ministack import iam_actions, responses
from tests.simulation.api import ACCOUNT, REGION
from tests.simulation.deployment.requests import needed
from tests.simulation.services.emulated import body_of

QUEUE = {"QueueUrl": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/queue"}
MACHINE = {"stateMachineArn": f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:m"}
EXECUTION = {"executionArn": f"arn:aws:states:{REGION}:{ACCOUNT}:execution:m:e"}
OBJECT = {"Bucket": "b", "Key": "k/ä b"}
PART = {**OBJECT, "UploadId": "u", "PartNumber": 1}


class Sent(Exception):
    pass


@cache
def client(service: str) -> Any:
    config = Config(s3={"addressing_style": "path"})
    return boto3.client(  # type: ignore[call-overload]
        service, region_name=REGION, aws_access_key_id="a", aws_secret_access_key="b", config=config
    )


def as_sent(service: str, operation: str, parameters: dict[str, Any]) -> AWSPreparedRequest:
    found: list[AWSPreparedRequest] = []

    def keep(request: AWSPreparedRequest, **_: Any) -> None:
        found.append(request)
        raise Sent

    client(service).meta.events.register_first("before-send", keep, unique_id="keep")
    try:
        with pytest.raises(Sent):
            getattr(client(service), xform_name(operation))(**parameters)
    finally:
        client(service).meta.events.unregister("before-send", unique_id="keep")
    return found[0]


def read_from(request: AWSPreparedRequest, service: str) -> set[tuple[str, str]]:
    """Actions and resources, by the code that guards the local cloud."""
    name, url, method = {"stepfunctions": "states"}.get(service, service), urlsplit(request.url), request.method or ""
    headers = {
        key.lower(): value.decode() if isinstance(value, bytes) else value for key, value in request.headers.items()
    }
    query, path, body = parse_qs(url.query, keep_blank_values=True), unquote(url.path), body_of(request)
    with responses.request_scope(ACCOUNT, REGION):
        if service == "ssm" and (named := ssm_parameters.parameters_of(headers, body)):
            operation = headers["x-amz-target"].rpartition(".")[2]
            return {(f"ssm:{operation}", parameter) for parameter in named}
        action = iam_actions.extract_iam_action(name, method, path, headers, body, query)
        resource = iam_actions.extract_resource_arn(name, method, path, headers, body, query, REGION, ACCOUNT)
        further = iam_actions.s3_additional_checks(method, path, headers, body, query) if service == "s3" else []
        return {(action, resource), *further}


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("s3", "GetObject", OBJECT),
        ("s3", "GetObject", {**OBJECT, "VersionId": "v"}),
        ("s3", "HeadObject", OBJECT),
        ("s3", "PutObject", {**OBJECT, "Body": b"x", "IfNoneMatch": "*"}),
        ("s3", "DeleteObject", OBJECT),
        ("s3", "DeleteObject", {**OBJECT, "VersionId": "v"}),
        ("s3", "DeleteObjects", {"Bucket": "b", "Delete": {"Objects": [{"Key": "k"}, {"Key": "l", "VersionId": "v"}]}}),
        ("s3", "CopyObject", {**OBJECT, "CopySource": {"Bucket": "c", "Key": "a b"}}),
        ("s3", "UploadPartCopy", {**PART, "CopySource": {"Bucket": "c", "Key": "a b", "VersionId": "v"}}),
        ("s3", "CreateMultipartUpload", OBJECT),
        ("s3", "UploadPart", {**PART, "Body": b"x"}),
        ("s3", "CompleteMultipartUpload", {**OBJECT, "UploadId": "u"}),
        ("s3", "AbortMultipartUpload", {**OBJECT, "UploadId": "u"}),
        ("s3", "ListParts", {**OBJECT, "UploadId": "u"}),
        ("s3", "GetObjectTagging", OBJECT),
        ("s3", "PutObjectTagging", {**OBJECT, "Tagging": {"TagSet": []}}),
        *(
            ("s3", operation, {"Bucket": "b"})
            for operation in (
                "ListObjectsV2",
                "ListObjectVersions",
                "HeadBucket",
                "GetBucketTagging",
                "GetBucketLocation",
                "GetBucketVersioning",
                "DeleteBucket",
            )
        ),
        ("ssm", "GetParameter", {"Name": "/a/b"}),
        ("ssm", "GetParameters", {"Names": ["/a/b", "/c"]}),
        ("ssm", "PutParameter", {"Name": "/a", "Value": "v", "Type": "String", "Overwrite": True}),
        ("ssm", "DeleteParameters", {"Names": ["/a"]}),
        ("ssm", "GetParameterHistory", {"Name": "/a"}),
        ("ssm", "DescribeParameters", {}),
        ("sqs", "SendMessage", {**QUEUE, "MessageBody": "m"}),
        ("sqs", "ReceiveMessage", QUEUE),
        ("sqs", "DeleteMessage", {**QUEUE, "ReceiptHandle": "h"}),
        ("sqs", "ChangeMessageVisibility", {**QUEUE, "ReceiptHandle": "h", "VisibilityTimeout": 1}),
        ("sqs", "GetQueueAttributes", QUEUE),
        ("stepfunctions", "StartExecution", {**MACHINE, "name": "n"}),
        ("stepfunctions", "ListExecutions", MACHINE),
        ("stepfunctions", "DescribeStateMachine", MACHINE),
        ("stepfunctions", "DescribeExecution", EXECUTION),
        ("stepfunctions", "StopExecution", EXECUTION),
        ("stepfunctions", "GetExecutionHistory", EXECUTION),
        ("stepfunctions", "RedriveExecution", EXECUTION),
        ("lambda", "Invoke", {"FunctionName": "f"}),
    ],
)
def test_the_local_cloud_asks_for_the_same(service: str, operation: str, parameters: dict[str, Any]) -> None:
    there = read_from(as_sent(service, operation, parameters), service)
    here = {(name, arn) for name, arn, _ in needed(service, operation, parameters, account=ACCOUNT, region=REGION)}
    assert here == there
