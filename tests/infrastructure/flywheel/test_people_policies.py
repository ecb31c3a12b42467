"""What the managed policies let people do. That each is refused everything else is tried in a deployment
(tests/local_cloud/ops/test_people.py)."""

from __future__ import annotations

import pytest

from tests.infrastructure.expected_permissions import Grants
from tests.infrastructure.synthesised import Synthesised, statements
from tests.infrastructure.test_functions import grants

FIND: Grants = {
    "ssm:GetParameter": {"parameter/deployment", "parameter/flywheel-arn"},
    "ssm:GetParameters": {"parameter/deployment", "parameter/flywheel-arn"},
}
PUBLISHED = {
    f"parameter/{name}"
    for name in (
        "deployment",
        "flywheel-arn",
        "active-model-arn",
        "previous-model-arn",
        "desired-model-arn",
        "endpoint-arn",
        "serving",
    )
}


def uploaders(prefix: str) -> Grants:
    actions = ("s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts")
    return {**FIND, **{action: {prefix} for action in actions}}


OF_REVIEWERS = {"review/waiting/*", "review/items/*", "review/claimed/*", "review/answered/*"}
EXPECTED: dict[str, Grants] = {
    "TrainingUploaders": uploaders("train/*"),
    "TestUploaders": uploaders("test/*"),
    "RejectedReviewers": {**FIND, "s3:GetObject": {"rejected/*"}, "s3:ListBucket": {"intake"}},
    "Operators": {
        "ssm:GetParameter": PUBLISHED,
        "ssm:GetParameters": PUBLISHED,
        "ssm:GetParameterHistory": PUBLISHED - {"parameter/deployment", "parameter/flywheel-arn"},
        "s3:GetObject": {
            "turns/*",
            "decisions/*",
            "promotions/*",
            "evaluations/*.json",
            "serving/*",
            "sharing/*",
            "prepared/*/facts.json",
            "prepared/*.bin",
            "datasets/*.json",
            "datasets/*/hashes/*.bin",
            "datasets/*/labels/*.bin",
            "rejected/*/report.json",
            "exclusions/*",
            "models/*/thresholds.json",
            "review/batches/*",
            "review/unpublished.json",
        },
        "s3:DeleteObjectVersion": {"predictions/*"},
        "lambda:InvokeFunction": {"publish_answers"},
        "s3:PutObject": {"turns/request.json", "turns/paused", "promotions/requests/*", "exclusions/*"},
        "s3:DeleteObject": {"turns/paused", "exclusions/*"},
        "s3:ListBucket": {"intake"},
        "comprehend:DescribeFlywheel": {"flywheel"},
        "comprehend:DescribeFlywheelIteration": {"flywheel"},
        "comprehend:ListDatasets": {"flywheel"},
        "comprehend:ListFlywheelIterationHistory": {"flywheel"},
        "comprehend:DescribeDocumentClassifier": {"models"},
        "comprehend:ListDocumentClassifiers": {"*"},
        "comprehend:DescribeEndpoint": {"endpoint"},
        "comprehend:DescribeResourcePolicy": {"models"},
        "application-autoscaling:DescribeScalableTargets": {"*"},
        "sqs:SendMessage": {"turn queue", "promotion queue"},
        "states:DescribeExecution": {"turns", "promotions"},
        "states:GetExecutionHistory": {"turns", "promotions"},
    },
    "Approvers": {
        **FIND,
        "s3:GetObject": {"turns/*", "decisions/*", "promotions/*"},
        "s3:ListBucket": {"intake"},
        "states:SendTaskSuccess": {"promote machine"},
        "states:SendTaskFailure": {"promote machine"},
        "states:DescribeExecution": {"promotions"},
        "states:GetExecutionHistory": {"promotions"},
    },
    "Reviewers": {
        **FIND,
        "s3:GetObject": {*OF_REVIEWERS, "review/guidelines.md"},
        "s3:PutObject": OF_REVIEWERS,
        "s3:DeleteObjectVersion": OF_REVIEWERS,
        "s3:ListBucket": {"intake"},
        "s3:ListBucketVersions": {"intake"},
        "comprehend:DescribeFlywheel": {"flywheel"},
    },
}


def test_there_are_no_others(default: Synthesised) -> None:
    assert len(default.of_type("AWS::IAM::ManagedPolicy")) == len(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_policy_lets_people_do_this_and_no_more(default: Synthesised, name: str) -> None:
    policy = default.one(f"People{name}", "AWS::IAM::ManagedPolicy")
    assert grants(statements(policy.properties["PolicyDocument"])) == EXPECTED[name]
    assert default.template["Outputs"][f"{name}PolicyArn"]["Value"] == {"Ref": policy.logical_id}


@pytest.mark.parametrize("name", EXPECTED)
def test_each_lets_use_the_key(new_key: Synthesised, name: str) -> None:
    policy = new_key.one(f"People{name}", "AWS::IAM::ManagedPolicy")
    found = grants(statements(policy.properties["PolicyDocument"]))
    assert found["kms:GenerateDataKey"] == found["kms:Decrypt"] == {"key"}


def test_who_reviews_lists_what_was_rejected_only(default: Synthesised) -> None:
    policy = default.one("PeopleRejectedReviewers", "AWS::IAM::ManagedPolicy")
    (listing,) = [
        statement
        for statement in statements(policy.properties["PolicyDocument"])
        if statement["Action"] == "s3:ListBucket"
    ]
    assert listing["Condition"] == {"StringLike": {"s3:prefix": ["rejected/*"]}}
