"""Whatever is allowed as a setting or a parameter fits into what AWS takes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from stacks import settings
from stacks.flywheel.deployment_parameters import MOST_LABEL_BYTES
from tests.infrastructure.synthesised import Resource, Synthesised, as_list, statements

KINDS = ("flywheel", "serving", "analysis")
PSEUDO_PARAMETERS = {
    "AWS::AccountId": 12,
    "AWS::Partition": len("aws-iso-b"),
    "AWS::Region": len("ap-southeast-99"),
    "AWS::URLSuffix": len("amazonaws.com.cn"),
    "AWS::NoValue": 0,
}
LONGEST_REFERENCE = 160
"""An ARN, a URL or a name of something in the stack: the names that CloudFormation makes have up to 80 characters."""
EIGHT_DIGITS = 8
"""Of the stack's id, at the end of a machine's name."""
LONGEST_BUCKET = len("arn:aws-us-gov:s3:::") + 63


@pytest.fixture(params=KINDS)
def stack(organisation: Synthesised, request: pytest.FixtureRequest) -> Synthesised:
    return organisation.beside(request.param)


def longest(value: Any, stack: Synthesised) -> int:
    """How many bytes a value may have when it is deployed."""
    match value:
        case str():
            return len(value.encode())
        case {"Ref": name} if name in PSEUDO_PARAMETERS:
            return PSEUDO_PARAMETERS[name]
        case {"Ref": name} if name in stack.template["Parameters"]:
            parameter = stack.template["Parameters"][name]
            allowed = [len(choice) for choice in parameter.get("AllowedValues", [])]
            return max(allowed) if allowed else int(parameter.get("MaxLength", LONGEST_REFERENCE))
        case {"Fn::Join": [delimiter, parts]}:
            return sum(longest(part, stack) for part in parts) + len(delimiter) * len(parts)
        case {"Fn::If": [_, yes, no]}:
            return max(longest(yes, stack), longest(no, stack))
        case {"Ref": name} | {"Fn::GetAtt": [name, _]}:
            return LONGEST_BUCKET if stack.resources[name].type == "AWS::S3::Bucket" else LONGEST_REFERENCE
        case {"Fn::Select": _}:
            return EIGHT_DIGITS
        case dict():
            return sum(len(json.dumps(name)) + 2 + longest(member, stack) + 2 for name, member in value.items()) + 2
        case list():
            return sum(longest(item, stack) + 2 for item in value) + 2
        case _:
            return len(json.dumps(value))


def test_every_functions_environment_has_room_in_lambda(stack: Synthesised) -> None:
    """4 KB for all variables together. Nothing that grows with a setting belongs there."""
    for name, function in stack.functions().items():
        assert longest(function.properties["Environment"]["Variables"], stack) <= 4096, name


def test_every_parameter_has_room_in_parameter_store(stack: Synthesised) -> None:
    """4 KB, or 8 as an advanced parameter."""
    for parameter in stack.of_type("AWS::SSM::Parameter"):
        value, tier = parameter.properties["Value"], parameter.properties.get("Tier")
        labels = MOST_LABEL_BYTES if parameter.properties["Name"].endswith("/deployment") else 0
        most = 8192 if tier == "Intelligent-Tiering" else 4096
        assert longest(value, stack) + labels <= most, parameter.properties["Name"]
        assert len(parameter.properties["Description"]) <= 1024


def test_labels_and_tags_that_are_allowed_leave_the_template_room(stack: Synthesised) -> None:
    """1 MB; the tags stand at every resource that has any."""
    size = stack.template_path.stat().st_size
    tags = [resource.properties["Tags"] for resource in stack.resources.values() if "Tags" in resource.properties]
    assert len(tags) <= settings.TAGGED_RESOURCES
    given = sum(len(f"{tag['Key']}{tag['Value']}") + settings.BYTES_AROUND_TAG for tag in tags[0])
    flywheels = stack.of_type("AWS::Comprehend::Flywheel")
    labels = [
        label
        for flywheel in flywheels
        for label in flywheel.properties["TaskConfig"]["DocumentClassificationConfig"]["Labels"]
    ]
    of_labels = sum(len(label) + settings.BYTES_AROUND_LABEL for label in labels)
    besides = size - of_labels - len(tags) * given
    assert besides <= settings.MOST_TEMPLATE_BYTES - settings.TEMPLATE_ROOM


def test_cloudformations_quotas(stack: Synthesised) -> None:
    template = stack.template
    for section, most in {"Resources": 500, "Parameters": 200, "Outputs": 200, "Mappings": 200}.items():
        assert len(template.get(section, {})) <= most, section
    assert all(len(parameter["Description"]) <= 4000 for parameter in template["Parameters"].values())


LONGEST: dict[tuple[str, str], int] = {
    ("AWS::CloudWatch::Alarm", "AlarmDescription"): 1024,
    ("AWS::CloudWatch::Dashboard", "DashboardName"): 255,
    ("AWS::Comprehend::Flywheel", "FlywheelName"): 63,
    ("AWS::Events::Rule", "Description"): 512,
    ("AWS::IAM::ManagedPolicy", "Description"): 1000,
    ("AWS::IAM::ManagedPolicy", "PolicyDocument"): 6144,
    ("AWS::IAM::Role", "AssumeRolePolicyDocument"): 2048,
    ("AWS::IAM::Role", "Description"): 1000,
    ("AWS::KMS::Key", "Description"): 8192,
    ("AWS::Lambda::Function", "Description"): 256,
    ("AWS::Logs::LogGroup", "LogGroupName"): 512,
    ("AWS::StepFunctions::StateMachine", "DefinitionString"): 1_048_576,
    ("AWS::StepFunctions::StateMachine", "StateMachineName"): 80,
}
"""Characters that AWS takes, by the reference of each service's API."""


@pytest.mark.parametrize(("kind", "name"), LONGEST)
def test_names_descriptions_and_policies_are_short_enough(stack: Synthesised, kind: str, name: str) -> None:
    for resource in stack.of_type(kind):
        if name in resource.properties:
            assert longest(resource.properties[name], stack) <= LONGEST[kind, name], resource.logical_id


def test_a_roles_policies_are_short_enough_together(stack: Synthesised) -> None:
    for role in stack.of_type("AWS::IAM::Role"):
        assert sum(longest(document, stack) for document in inline_documents(role)) <= 10_240, role.logical_id


def test_a_queues_policy_has_room(stack: Synthesised) -> None:
    for policy in stack.of_type("AWS::SQS::QueuePolicy"):
        document = policy.properties["PolicyDocument"]
        assert len(statements(document)) <= 20
        assert all(len(as_list(statement["Action"])) <= 7 for statement in statements(document))


def inline_documents(role: Resource) -> Iterator[Any]:
    for policy in role.properties.get("Policies", []):
        yield policy["PolicyDocument"]
