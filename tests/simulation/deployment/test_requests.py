from __future__ import annotations

from typing import Any

import pytest

from local.auto_scaling.state import target_arn
from local.cloud.emulator.comprehend import comprehend_service
from local.cloud.emulator.ministack import responses
from tests.simulation.api import ACCOUNT, IMPORTER, REGION
from tests.simulation.deployment.apps import app
from tests.simulation.deployment.requests import needed, relevant
from tests.simulation.deployment.synthesis import IMPORTING

HERE = f"arn:aws:comprehend:{REGION}:{ACCOUNT}"
FLYWHEEL = f"{HERE}:flywheel/news"
MODEL = f"{HERE}:document-classifier/news/version/v1"
RECOGNIZER = f"{HERE}:entity-recognizer/people/version/v1"
ENDPOINT = f"{HERE}:document-classifier-endpoint/news"
SHARED = f"arn:aws:comprehend:{REGION}:{IMPORTER}:document-classifier/news/version/v1"
JOB = {"JobName": "j", "DataAccessRoleArn": f"arn:aws:iam::{ACCOUNT}:role/data"}
ROLE = {"DataAccessRoleArn": f"arn:aws:iam::{ACCOUNT}:role/data"}
TAGS = {"Tags": [{"Key": "flywheel", "Value": "news"}]}

Check = tuple[str, str]


def asked(service: str, operation: str, **parameters: Any) -> list[Check]:
    """Without conditions."""
    found = needed(
        service, operation, parameters, account=ACCOUNT, region=REGION, kinds={FLYWHEEL: "document-classifier"}
    )
    return [(action, resource) for action, resource, _ in found]


COMPREHEND: list[tuple[str, dict[str, Any]]] = [
    ("ClassifyDocument", {"EndpointArn": ENDPOINT, "Text": "arn:aws:s3:::no"}),
    ("CreateDataset", {"FlywheelArn": FLYWHEEL, "DatasetName": "d", **TAGS}),
    ("CreateDataset", {"FlywheelArn": FLYWHEEL, "DatasetName": "d"}),
    ("CreateEndpoint", {"EndpointName": "news", "ModelArn": MODEL, "DesiredInferenceUnits": 1, **ROLE, **TAGS}),
    ("CreateEndpoint", {"EndpointName": "people", "ModelArn": RECOGNIZER, "DesiredInferenceUnits": 1}),
    ("CreateFlywheel", {"FlywheelName": "news", "ActiveModelArn": MODEL, "DataLakeS3Uri": "s3://b/", **ROLE}),
    ("CreateDocumentClassifier", {"DocumentClassifierName": "n", "VersionName": "v", **ROLE, **TAGS}),
    ("CreateEntityRecognizer", {"RecognizerName": "n", "VersionName": "v", **ROLE, **TAGS}),
    ("DeleteDocumentClassifier", {"DocumentClassifierArn": MODEL}),
    ("DeleteEndpoint", {"EndpointArn": ENDPOINT}),
    ("DeleteEntityRecognizer", {"EntityRecognizerArn": RECOGNIZER}),
    ("DeleteFlywheel", {"FlywheelArn": FLYWHEEL}),
    ("DeleteResourcePolicy", {"ResourceArn": MODEL, "PolicyRevisionId": "1"}),
    ("DescribeDataset", {"DatasetArn": f"{FLYWHEEL}/dataset/d"}),
    ("DescribeDocumentClassificationJob", {"JobId": "0123"}),
    ("DescribeDocumentClassifier", {"DocumentClassifierArn": MODEL}),
    ("DescribeEndpoint", {"EndpointArn": ENDPOINT}),
    ("DescribeEntitiesDetectionJob", {"JobId": "0123"}),
    ("DescribeEntityRecognizer", {"EntityRecognizerArn": RECOGNIZER}),
    ("DescribeFlywheel", {"FlywheelArn": FLYWHEEL}),
    ("DescribeFlywheelIteration", {"FlywheelArn": FLYWHEEL, "FlywheelIterationId": "20260101T000000Z"}),
    ("DescribeResourcePolicy", {"ResourceArn": RECOGNIZER}),
    ("DetectEntities", {"EndpointArn": f"{HERE}:entity-recognizer-endpoint/people", "Text": "t"}),
    ("ImportModel", {"SourceModelArn": SHARED, "ModelName": "served", "VersionName": "v1", **ROLE, **TAGS}),
    ("ListDatasets", {"FlywheelArn": FLYWHEEL, "NextToken": "t"}),
    ("ListDocumentClassifiers", {"Filter": {"DocumentClassifierName": "served"}}),
    ("ListEntityRecognizers", {"Filter": {"RecognizerName": "served"}}),
    ("ListFlywheelIterationHistory", {"FlywheelArn": FLYWHEEL}),
    ("ListTagsForResource", {"ResourceArn": f"{FLYWHEEL}/dataset/d"}),
    ("PutResourcePolicy", {"ResourceArn": MODEL, "ResourcePolicy": "{}"}),
    ("StartDocumentClassificationJob", {**JOB, "DocumentClassifierArn": MODEL}),
    ("StartDocumentClassificationJob", {**JOB, "FlywheelArn": FLYWHEEL}),
    ("StartEntitiesDetectionJob", {**JOB, "EntityRecognizerArn": RECOGNIZER}),
    ("StartFlywheelIteration", {"FlywheelArn": FLYWHEEL, "ClientRequestToken": "t"}),
    ("TagResource", {"ResourceArn": FLYWHEEL, **TAGS}),
    ("UntagResource", {"ResourceArn": FLYWHEEL, "TagKeys": ["a"]}),
    ("UpdateEndpoint", {"EndpointArn": ENDPOINT, "DesiredInferenceUnits": 2}),
    ("UpdateEndpoint", {"EndpointArn": ENDPOINT, "DesiredModelArn": MODEL, "FlywheelArn": FLYWHEEL}),
    ("UpdateEndpoint", {"EndpointArn": ENDPOINT, "DesiredDataAccessRoleArn": ROLE["DataAccessRoleArn"]}),
    ("UpdateFlywheel", {"FlywheelArn": FLYWHEEL, "ActiveModelArn": MODEL, **ROLE}),
]


@pytest.mark.parametrize(("operation", "request_"), COMPREHEND)
def test_what_comprehend_asks_for_is_what_the_local_cloud_asks_for(operation: str, request_: dict[str, Any]) -> None:
    own = comprehend_service.resource_of(operation=operation, request=request_, region=REGION, account=ACCOUNT)
    with responses.request_scope(ACCOUNT, REGION):
        further = comprehend_service.also_needed(operation=operation, request=request_)
    expected = {(f"comprehend:{operation}", own, ()), *((name, arn, _pairs(keys)) for name, arn, keys in further)}
    found = needed("comprehend", operation, request_, account=ACCOUNT, region=REGION)
    assert {(name, arn, tuple(pair for pair in keys if pair[0].startswith("iam:"))) for name, arn, keys in found} == (
        expected
    )


def _pairs(keys: dict[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((key.lower(), value) for key, value in keys.items())


def test_every_request_to_comprehend_that_a_role_may_send_is_compared() -> None:
    granted = {
        action.removeprefix("comprehend:")
        for kind in ("classifier", "recognizer", IMPORTING)
        for stack in app(kind).values()
        for statements in [each.statements for each in stack.roles]
        + [each.statements for each in stack.managed_policies]
        for statement in statements
        for action in statement.actions
        if action.startswith("comprehend:")
    }
    assert granted <= {operation for operation, _ in COMPREHEND}


def test_an_endpoint_of_a_flywheels_model_is_of_the_models_kind() -> None:
    assert asked("comprehend", "CreateEndpoint", EndpointName="news", FlywheelArn=FLYWHEEL) == [
        ("comprehend:CreateEndpoint", FLYWHEEL),
        ("comprehend:CreateEndpoint", ENDPOINT),
    ]


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "expected"),
    [
        ("ssm", "GetParameter", {"Name": "/a/b"}, [("ssm:GetParameter", ":parameter/a/b")]),
        ("ssm", "GetParameters", {"Names": ["/a", "/b"]}, [("ssm:GetParameters", f":parameter/{n}") for n in "ab"]),
        ("ssm", "DeleteParameters", {"Names": ["/a"]}, [("ssm:DeleteParameters", ":parameter/a")]),
        ("ssm", "GetParametersByPath", {"Path": "/a"}, [("ssm:GetParametersByPath", ":parameter/a")]),
        ("ssm", "GetParameterHistory", {"Name": "/a"}, [("ssm:GetParameterHistory", ":parameter/a")]),
        ("ssm", "PutParameter", {"Name": "/a", "Value": MODEL}, [("ssm:PutParameter", ":parameter/a")]),
        ("sqs", "SendMessage", {"QueueUrl": "Q", "MessageBody": "arn:aws:sqs:r:1:q"}, [("sqs:SendMessage", ":queue")]),
        ("sqs", "SendMessageBatch", {"QueueUrl": "Q", "Entries": [{"Id": "1"}]}, [("sqs:SendMessage", ":queue")]),
        ("sqs", "DeleteMessageBatch", {"QueueUrl": "Q", "Entries": []}, [("sqs:DeleteMessage", ":queue")]),
        ("sqs", "ReceiveMessage", {"QueueUrl": "Q"}, [("sqs:ReceiveMessage", ":queue")]),
        ("sqs", "GetQueueAttributes", {"QueueUrl": "Q"}, [("sqs:GetQueueAttributes", ":queue")]),
        ("lambda", "Invoke", {"FunctionName": "f"}, [("lambda:InvokeFunction", ":function:f")]),
        ("cloudformation", "DescribeStacks", {"StackName": "s"}, [("cloudformation:DescribeStacks", ":stack/s/*")]),
        ("states", "StartExecution", {"stateMachineArn": "M", "name": "n"}, [("states:StartExecution", "M")]),
        ("stepfunctions", "ListExecutions", {"stateMachineArn": "M"}, [("states:ListExecutions", "M")]),
        ("stepfunctions", "StopExecution", {"executionArn": "E"}, [("states:StopExecution", "E")]),
        ("stepfunctions", "DescribeExecution", {"executionArn": "E"}, [("states:DescribeExecution", "E")]),
        ("sns", "Publish", {"TopicArn": "T", "Message": "m"}, [("sns:Publish", "T")]),
    ],
)
def test_what_other_services_ask_for(
    service: str, operation: str, parameters: dict[str, Any], expected: list[Check]
) -> None:
    place = f"{REGION}:{ACCOUNT}"
    known = {
        "Q": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/queue",
        "M": f"arn:aws:states:{place}:stateMachine:m",
        "E": f"arn:aws:states:{place}:execution:m:e",
        "T": f"arn:aws:sns:{place}:t",
    }
    given = {name: known.get(value, value) if isinstance(value, str) else value for name, value in parameters.items()}
    found = [(action, resource) for action, resource in asked(service, operation, **given)]
    whole = {name: f"arn:aws:{service}:{place}{name}" for _, name in expected} | known
    assert found == [(action, whole[name]) for action, name in expected]


def test_each_entry_of_put_events_is_asked_for_with_its_source_and_type() -> None:
    bus = f"arn:aws:events:{REGION}:{IMPORTER}:event-bus/default"
    entries = [
        {"Source": "s", "DetailType": "Model Shared", "Detail": "{}", "EventBusName": bus},
        {"Source": "s", "DetailType": "Model Promoted", "Detail": "{}"},
    ]
    found = needed("events", "PutEvents", {"Entries": entries}, account=ACCOUNT, region=REGION)
    own = bus.replace(IMPORTER, ACCOUNT)
    assert found == [
        ("events:PutEvents", bus, (("events:detail-type", "Model Shared"), ("events:source", "s"))),
        ("events:PutEvents", own, (("events:detail-type", "Model Promoted"), ("events:source", "s"))),
    ]


def test_scaling_asks_for_what_it_does_with_endpoint_and_alarms() -> None:
    members = {"ServiceNamespace": "comprehend", "ResourceId": ENDPOINT, "ScalableDimension": "d"}
    found = asked("application-autoscaling", "RegisterScalableTarget", **members)
    target = target_arn(account=ACCOUNT, region=REGION, endpoint_arn=ENDPOINT)
    assert found[0] == ("application-autoscaling:RegisterScalableTarget", target)
    assert ("comprehend:UpdateEndpoint", ENDPOINT) in found


OBJECT = "arn:aws:s3:::b/k"


@pytest.mark.parametrize(
    ("operation", "members", "expected"),
    [
        ("GetObject", {"Key": "k"}, [("s3:GetObject", OBJECT)]),
        ("GetObject", {"Key": "k", "VersionId": "v"}, [("s3:GetObjectVersion", OBJECT)]),
        ("HeadObject", {"Key": "k"}, [("s3:GetObject", OBJECT)]),
        ("PutObject", {"Key": "k", "IfNoneMatch": "*"}, [("s3:PutObject", OBJECT)]),
        ("PutObject", {"Key": "k", "IfMatch": '"e"'}, [("s3:PutObject", OBJECT), ("s3:GetObject", OBJECT)]),
        ("PutObject", {"Key": "k", "Tagging": "a=b"}, [("s3:PutObject", OBJECT), ("s3:PutObjectTagging", OBJECT)]),
        ("DeleteObject", {"Key": "k"}, [("s3:DeleteObject", OBJECT)]),
        ("DeleteObject", {"Key": "k", "VersionId": "v"}, [("s3:DeleteObjectVersion", OBJECT)]),
        ("DeleteObject", {"Key": "k", "IfMatch": '"e"'}, [("s3:DeleteObject", OBJECT), ("s3:GetObject", OBJECT)]),
        ("DeleteObject", {"Key": "k", "IfMatch": "*"}, [("s3:DeleteObject", OBJECT)]),
        (
            "DeleteObjects",
            {"Delete": {"Objects": [{"Key": "k"}, {"Key": "l", "VersionId": "v"}]}},
            [("s3:DeleteObject", OBJECT), ("s3:DeleteObjectVersion", "arn:aws:s3:::b/l")],
        ),
        (
            "CopyObject",
            {"Key": "k", "CopySource": {"Bucket": "c", "Key": "a b"}},
            [("s3:PutObject", OBJECT), ("s3:GetObject", "arn:aws:s3:::c/a b")],
        ),
        (
            "UploadPartCopy",
            {"Key": "k", "CopySource": "/c/a%20b?versionId=v"},
            [("s3:PutObject", OBJECT), ("s3:GetObjectVersion", "arn:aws:s3:::c/a b")],
        ),
        ("CreateMultipartUpload", {"Key": "k"}, [("s3:PutObject", OBJECT)]),
        ("CompleteMultipartUpload", {"Key": "k"}, [("s3:PutObject", OBJECT)]),
        ("AbortMultipartUpload", {"Key": "k"}, [("s3:AbortMultipartUpload", OBJECT)]),
        ("ListParts", {"Key": "k"}, [("s3:ListMultipartUploadParts", OBJECT)]),
        ("ListObjectsV2", {}, [("s3:ListBucket", "arn:aws:s3:::b")]),
        ("ListObjectVersions", {}, [("s3:ListBucketVersions", "arn:aws:s3:::b")]),
    ],
)
def test_what_s3_asks_for(operation: str, members: dict[str, Any], expected: list[Check]) -> None:
    assert asked("s3", operation, Bucket="b", **members) == expected


def test_a_listing_tells_its_prefix() -> None:
    given = {"Bucket": "b", "Prefix": "rejected/", "MaxKeys": 5}
    ((_, _, conditions),) = needed("s3", "ListObjectsV2", given, account=ACCOUNT, region=REGION)
    assert conditions == (("s3:prefix", "rejected/"), ("s3:max-keys", "5"))


def test_who_one_is_everybody_may_ask() -> None:
    assert asked("sts", "GetCallerIdentity") == []


@pytest.mark.parametrize(
    ("service", "operation", "words"),
    [
        ("s3", "SelectObjectContent", "SelectObjectContent of S3"),
        ("comprehend", "DescribeEverything", "no action comprehend:DescribeEverything"),
        ("stepfunctions", "SendTaskFailure", "whose token it is"),
    ],
)
def test_what_is_not_known_is_no_silent_yes(service: str, operation: str, words: str) -> None:
    with pytest.raises(NotImplementedError, match=words):
        asked(service, operation, taskToken="t")


def test_only_what_an_answer_depends_on_tells_requests_apart() -> None:
    members = ("TopicArn", "Message", "Subject")
    assert relevant("sns", "Publish", members) == ("TopicArn",)
    assert relevant("comprehend", "ClassifyDocument", ("EndpointArn", "Text")) == ("EndpointArn",)
    assert relevant("sqs", "SendMessage", ("QueueUrl", "MessageBody")) == ("QueueUrl",)
    assert relevant("ssm", "PutParameter", ("Name", "Value", "Overwrite")) == ("Name", "Overwrite")
