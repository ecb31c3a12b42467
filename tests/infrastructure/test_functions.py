"""What each function may do, what it is told, and that it waits for nothing it does not need."""

from __future__ import annotations

import ast
import copy
import fnmatch
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

from flywheel import environment
from tests.infrastructure.synthesised import (
    ROOT,
    Resource,
    Synthesised,
    as_list,
    as_text,
    inline_statements,
    statements,
)

Grants = dict[str, set[str]]

RUNTIME_PARAMETERS = {"parameter/active-model-arn", "parameter/desired-model-arn", "parameter/previous-model-arn"}
EXPECTED: dict[str, Grants] = {
    "start_turn": {
        "states:StartExecution": {"turn machine"},
        "s3:GetObject": {"turns/*", "decisions/*", "promotions/*"},
        "ssm:GetParameter": {"parameter/active-model-arn"},
        "s3:PutObject": {"turns/current"},
        "s3:ListBucket": {"intake"},
        "comprehend:DescribeFlywheel": {"flywheel"},
        "comprehend:ListFlywheelIterationHistory": {"flywheel"},
        "sqs:ChangeMessageVisibility": {"turn queue"},
        "sqs:DeleteMessage": {"turn queue"},
        "sqs:GetQueueAttributes": {"turn queue"},
        "sqs:ReceiveMessage": {"turn queue"},
        "sqs:SendMessage": {"turn queue"},
    },
    "begin_turn": {
        "s3:GetObject": {"turns/*", "decisions/*", "promotions/*"},
        "s3:PutObject": {"turns/*"},
        "s3:DeleteObject": {"turns/request.json"},
        "s3:ListBucket": {"intake"},
        "s3:ListBucketVersions": {"intake"},
        "comprehend:DescribeFlywheel": {"flywheel"},
        "comprehend:ListFlywheelIterationHistory": {"flywheel"},
        "ssm:GetParameter": RUNTIME_PARAMETERS,
        "ssm:PutParameter": RUNTIME_PARAMETERS,
    },
    "prepare_upload": {
        "s3:GetObject": {"train/*", "test/*", "prepared/*", "datasets/*", "turns/*"},
        "s3:GetObjectVersion": {"train/*", "test/*"},
        "s3:DeleteObject": {"train/*", "test/*"},
        "s3:PutObject": {"prepared/*", "rejected/*", "turns/*"},
        "s3:AbortMultipartUpload": {"prepared/*", "rejected/*"},
        "s3:ListBucket": {"intake"},
    },
    "compose_datasets": {
        "s3:GetObject": {"prepared/*", "datasets/*", "turns/*"},
        "s3:PutObject": {"prepared/*", "datasets/*", "turns/*"},
        "s3:DeleteObject": {"prepared/*", "datasets/*"},
        "s3:AbortMultipartUpload": {"prepared/*", "datasets/*"},
        "s3:ListBucket": {"intake"},
        "comprehend:ListDatasets": {"flywheel"},
    },
    "register_dataset": {
        "s3:GetObject": {"datasets/*", "turns/*"},
        "s3:ListBucket": {"intake"},
        "comprehend:CreateDataset": {"flywheel"},
        "comprehend:TagResource": {"flywheel", "flywheel/dataset/*"},
        "comprehend:DescribeDataset": {"flywheel/dataset/*"},
    },
    "accept_dataset": {
        "s3:GetObject": {"datasets/*", "turns/*"},
        "s3:PutObject": {"datasets/*"},
        "s3:DeleteObject": {"prepared/*"},
        "s3:ListBucket": {"intake"},
        "comprehend:DescribeDataset": {"flywheel/dataset/*"},
    },
    "run_iteration": {
        "s3:GetObject": {"turns/*", "decisions/*", "promotions/*"},
        "s3:PutObject": {"turns/*"},
        "s3:ListBucket": {"intake"},
        "comprehend:DescribeFlywheel": {"flywheel"},
        "comprehend:ListFlywheelIterationHistory": {"flywheel"},
        "comprehend:ListDatasets": {"flywheel"},
        "comprehend:StartFlywheelIteration": {"flywheel"},
    },
    "prepare_holdout": {
        "s3:GetObject": {"turns/*", "datasets/*", "decisions/*", "evaluations/*"},
        "s3:PutObject": {"evaluations/*"},
        "s3:AbortMultipartUpload": {"evaluations/*"},
        "s3:ListBucket": {"intake"},
        "comprehend:DescribeFlywheel": {"flywheel"},
        "comprehend:DescribeFlywheelIteration": {"flywheel"},
        "comprehend:DescribeDocumentClassificationJob": {"jobs"},
        "ssm:GetParameter": {"parameter/active-model-arn"},
    },
    "predict_holdout": {
        "s3:GetObject": {"turns/*", "evaluations/*"},
        "s3:PutObject": {"evaluations/predictions/*"},
        "s3:ListBucket": {"intake"},
        "comprehend:DescribeFlywheel": {"flywheel"},
        "comprehend:StartDocumentClassificationJob": {"jobs", "models"},
        "comprehend:DescribeDocumentClassificationJob": {"jobs"},
        "iam:PassRole": {"data access role"},
    },
    "compare_metrics": {
        "s3:GetObject": {"turns/*", "decisions/*", "evaluations/*"},
        "s3:PutObject": {"decisions/*", "evaluations/predictions/*"},
        "comprehend:DescribeDocumentClassificationJob": {"jobs"},
        "s3:ListBucket": {"intake"},
        "comprehend:DescribeFlywheel": {"flywheel"},
        "comprehend:DescribeFlywheelIteration": {"flywheel"},
        "comprehend:DescribeDocumentClassifier": {"models"},
        "ssm:GetParameter": {"parameter/active-model-arn"},
    },
    "request_promotion": {
        "s3:GetObject": {"turns/*", "decisions/*", "promotions/requests/*"},
        "s3:PutObject": {"promotions/requests/*", "promotions/ends/*"},
        "s3:ListBucket": {"intake"},
        "sqs:SendMessage": {"promotion queue"},
    },
    "delete_old_models": {
        "s3:GetObject": {"turns/*", "promotions/*"},
        "s3:PutObject": {"turns/*"},
        "s3:ListBucket": {"intake"},
        "comprehend:DescribeFlywheel": {"flywheel"},
        "comprehend:ListDocumentClassifiers": {"*"},
        "comprehend:DeleteDocumentClassifier": {"models"},
        "ssm:GetParameter": RUNTIME_PARAMETERS,
    },
    "start_promotion": {
        "states:StartExecution": {"promote machine"},
        "states:SendTaskFailure": {"promote machine"},
        "s3:GetObject": {"promotions/*"},
        "s3:PutObject": {"promotions/current", "promotions/requests/*", "promotions/ends/*"},
        "s3:ListBucket": {"intake"},
        "comprehend:DescribeFlywheel": {"flywheel"},
        "comprehend:DescribeDocumentClassifier": {"models"},
        "ssm:GetParameter": {"parameter/active-model-arn", "parameter/desired-model-arn"},
        "sns:Publish": {"topic"},
        "sqs:ChangeMessageVisibility": {"promotion queue"},
        "sqs:DeleteMessage": {"promotion queue"},
        "sqs:GetQueueAttributes": {"promotion queue"},
        "sqs:ReceiveMessage": {"promotion queue"},
    },
    "begin_promotion": {
        "s3:GetObject": {"promotions/*"},
        "s3:PutObject": {"promotions/*"},
        "s3:ListBucket": {"intake"},
        "comprehend:DescribeFlywheel": {"flywheel"},
        "ssm:GetParameter": RUNTIME_PARAMETERS,
    },
    "check_model": {
        "s3:GetObject": {"promotions/*"},
        "s3:PutObject": {"promotions/ends/*"},
        "s3:ListBucket": {"intake"},
        "comprehend:DescribeFlywheel": {"flywheel"},
        "comprehend:DescribeDocumentClassifier": {"models"},
    },
    "ask_for_approval": {
        "s3:GetObject": {"promotions/*", "decisions/*"},
        "s3:PutObject": {"promotions/*"},
        "s3:ListBucket": {"intake"},
        "sns:Publish": {"topic"},
    },
    "update_active_model": {
        "s3:GetObject": {"promotions/*"},
        "s3:ListBucket": {"intake"},
        "comprehend:DescribeFlywheel": {"flywheel"},
        "comprehend:ListFlywheelIterationHistory": {"flywheel"},
        "comprehend:UpdateFlywheel": {"flywheel", "models"},
        "iam:PassRole": {"data access role"},
    },
    "publish_model": {
        "s3:GetObject": {"promotions/*"},
        "s3:ListBucket": {"intake"},
        "comprehend:DescribeFlywheel": {"flywheel"},
        "ssm:GetParameter": RUNTIME_PARAMETERS,
        "ssm:PutParameter": RUNTIME_PARAMETERS,
    },
    "report_promotion": {
        "s3:GetObject": {"promotions/*", "turns/*"},
        "s3:PutObject": {"promotions/*", "turns/*"},
        "s3:ListBucket": {"intake"},
        "comprehend:DescribeFlywheel": {"flywheel"},
        "sns:Publish": {"topic"},
        "sqs:SendMessage": {"undelivered"},
    },
    "report_turn": {
        "s3:GetObject": {"turns/*", "datasets/*", "decisions/*", "promotions/*"},
        "s3:PutObject": {"turns/*"},
        "s3:ListBucket": {"intake"},
        "sns:Publish": {"topic"},
        "sqs:SendMessage": {"undelivered"},
    },
    "delete_runtime_parameters": {"ssm:DeleteParameters": RUNTIME_PARAMETERS},
}


def spoken(resource: Any) -> str:
    """An ARN in the words of the table above."""
    text = as_text(resource)
    for pattern, words in (
        (r"<BucketsIntake\w+\.Arn>/(.+)", r"\1"),
        (r"<BucketsIntake\w+\.Arn>", "intake"),
        (r"<QueuesTurns[0-9A-F]+\.Arn>", "turn queue"),
        (r"<QueuesPromotions[0-9A-F]+\.Arn>", "promotion queue"),
        (r"<QueuesUndelivered\w+\.Arn>", "undelivered"),
        (r"<NotificationsTopic\w+>", "topic"),
        (r"<DataAccessServiceRole\w+\.Arn>", "data access role"),
        (r"<Turn(Machine)\w+>", "turn machine"),
        (r"<Promote(Machine)\w+>", "promote machine"),
        (r"<EncryptionKey\w+\.Arn>", "key"),
        (r"arn:<AWS::Partition>:comprehend:<AWS::Region>:<AWS::AccountId>:flywheel/\w+-[0-9a-f]{8}(.*)", r"flywheel\1"),
        (r"arn:<AWS::Partition>:comprehend:<AWS::Region>:<AWS::AccountId>:document-classifier/\*", "models"),
        (r"arn:<AWS::Partition>:comprehend:<AWS::Region>:<AWS::AccountId>:document-classification-job/\*", "jobs"),
        (
            r"arn:<AWS::Partition>:ssm:<AWS::Region>:<AWS::AccountId>:parameter/comprehend-flywheel/\w+(/.+)",
            r"parameter\1",
        ),
    ):
        if re.fullmatch(pattern, text):
            return re.sub(pattern, words, text)
    return text


def grants(granted: list[dict[str, Any]]) -> Grants:
    found: Grants = defaultdict(set)
    for statement in granted:
        assert statement["Effect"] == "Allow"
        for action in as_list(statement["Action"]):
            found[action] |= {spoken(resource) for resource in as_list(statement["Resource"])}
    return dict(found)


def role_statements(function: Resource, *, stack: Synthesised) -> list[dict[str, Any]]:
    return inline_statements(stack.role_of(function.properties["Role"]))


def log_group(function: Resource, *, stack: Synthesised) -> Resource:
    return stack.resources[function.properties["LoggingConfig"]["LogGroup"]["Ref"]]


def test_the_table_knows_every_function(default: Synthesised) -> None:
    modules = {path.stem for path in (ROOT / "lambdas" / "handlers").glob("*.py") if "def handler(" in path.read_text()}
    assert set(EXPECTED) == set(default.functions()) == modules


@pytest.mark.parametrize("name", EXPECTED)
def test_a_function_may_do_what_it_does_and_no_more(default: Synthesised, name: str) -> None:
    function = default.functions()[name]
    own_logs = f"<{log_group(function, stack=default).logical_id}.Arn>"
    always = {
        "logs:CreateLogStream": {own_logs},
        "logs:PutLogEvents": {own_logs},
        "xray:PutTraceSegments": {"*"},
        "xray:PutTelemetryRecords": {"*"},
    }
    assert grants(role_statements(function, stack=default)) == EXPECTED[name] | always


@pytest.mark.parametrize("name", EXPECTED)
def test_each_function_has_a_role_of_its_own_that_only_lambda_takes_on(default: Synthesised, name: str) -> None:
    functions = default.functions()
    role = default.role_of(functions[name].properties["Role"])
    assert [other for other, found in functions.items() if default.role_of(found.properties["Role"]) == role] == [name]
    (trust,) = role.properties["AssumeRolePolicyDocument"]["Statement"]
    assert trust == {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}


def allowing(action: str, *, stack: Synthesised) -> dict[str, list[str]]:
    """Logical ids of all roles and policies that allow an action, also through wildcards or by leaving others out, with
    the resources."""
    found: dict[str, list[str]] = defaultdict(list)
    for holder, statement in all_statements(stack):
        left_out = "NotAction" in statement
        patterns = as_list(statement["NotAction" if left_out else "Action"])
        named = any(fnmatch.fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns)
        if statement["Effect"] == "Allow" and named is not left_out:
            found[holder] += [as_text(resource) for resource in as_list(statement.get("Resource", "everything"))]
    return dict(found)


def all_statements(stack: Synthesised) -> Iterator[tuple[str, dict[str, Any]]]:
    """Of everything in the template that gives a principal of this account permissions."""
    kinds = {"AWS::IAM::Policy", "AWS::IAM::RolePolicy", "AWS::IAM::ManagedPolicy", "AWS::IAM::UserPolicy"}
    kinds |= {"AWS::IAM::GroupPolicy"}
    for resource in stack.resources.values():
        if resource.type in {"AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group"}:
            assert not resource.properties.get("ManagedPolicyArns"), resource.logical_id
            yield from ((resource.logical_id, statement) for statement in inline_statements(resource))
        elif resource.type in kinds:
            yield from ((resource.logical_id, found) for found in statements(resource.properties["PolicyDocument"]))


def test_only_one_function_may_change_the_active_model(any_variant: Synthesised) -> None:
    """CloudFormation itself needs none: the template never names an active model."""
    promoter = any_variant.role_of(any_variant.functions()["update_active_model"].properties["Role"])
    assert set(allowing("comprehend:UpdateFlywheel", stack=any_variant)) == {promoter.logical_id}
    assert "lambda.amazonaws.com" in json.dumps(promoter.properties["AssumeRolePolicyDocument"])
    own = [
        f for f in any_variant.of_type("AWS::Lambda::Function") if any_variant.role_of(f.properties["Role"]) == promoter
    ]
    assert [function.logical_id for function in own] == [any_variant.functions()["update_active_model"].logical_id]


def test_only_the_promote_machine_may_call_that_function(any_variant: Synthesised) -> None:
    function = any_variant.functions()["update_active_model"].logical_id
    machine = any_variant.one("Promote", "AWS::StepFunctions::StateMachine")
    invokers = {
        holder
        for holder, resources in allowing("lambda:InvokeFunction", stack=any_variant).items()
        if any(function in resource or "*" in resource or resource == "everything" for resource in resources)
    }
    assert invokers == {any_variant.role_of(machine.properties["RoleArn"]).logical_id}
    for kind in ("Permission", "EventSourceMapping", "Url"):
        for found in any_variant.of_type(f"AWS::Lambda::{kind}"):
            assert function not in json.dumps(found.properties), found.logical_id


@pytest.mark.parametrize(
    ("statement", "allowed"),
    [
        ({"Effect": "Allow", "Action": "comprehend:Update*", "Resource": "*"}, True),
        ({"Effect": "Allow", "Action": ["s3:GetObject", "*"], "Resource": "*"}, True),
        ({"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}, True),
        ({"Effect": "Allow", "NotAction": "comprehend:*", "Resource": "*"}, False),
        ({"Effect": "Deny", "Action": "comprehend:UpdateFlywheel", "Resource": "*"}, False),
        ({"Effect": "Allow", "Action": "comprehend:Describe*", "Resource": "*"}, False),
    ],
)
@pytest.mark.parametrize("kind", ["AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::Role"])
def test_every_way_to_allow_an_action_is_seen(
    default: Synthesised, kind: str, statement: dict[str, Any], allowed: bool
) -> None:
    """What the two tests before look with."""
    document = {"Version": "2012-10-17", "Statement": [statement]}
    policy = {"PolicyDocument": document}
    properties = {"Policies": [policy]} if kind == "AWS::IAM::Role" else policy
    stack = copy.copy(default)
    stack.resources = {"Other": Resource("Other", {"Type": kind, "Properties": properties})}
    assert ("Other" in allowing("comprehend:UpdateFlywheel", stack=stack)) is allowed


@pytest.mark.parametrize("name", ["update_active_model", "predict_holdout"])
def test_who_passes_the_role_may_pass_it_to_comprehend_only(default: Synthesised, name: str) -> None:
    (passing,) = [
        statement
        for statement in role_statements(default.functions()[name], stack=default)
        if statement["Action"] == "iam:PassRole"
    ]
    assert passing["Condition"] == {"StringEquals": {"iam:PassedToService": "comprehend.amazonaws.com"}}


@pytest.mark.parametrize("name", EXPECTED)
def test_with_a_key_a_function_may_use_it_through_the_services_it_touches(new_key: Synthesised, name: str) -> None:
    services = {
        "start_turn": ["s3", "sqs"],
        "report_turn": ["s3", "sns", "sqs"],
        "request_promotion": ["s3", "sqs"],
        "start_promotion": ["s3", "sns", "sqs"],
        "ask_for_approval": ["s3", "sns"],
        "report_promotion": ["s3", "sns", "sqs"],
        "delete_runtime_parameters": [],
    }
    using = [
        statement
        for statement in role_statements(new_key.functions()[name], stack=new_key)
        if any(action.startswith("kms:") for action in as_list(statement["Action"]))
    ]
    if name == "predict_holdout":
        # A job's volume and output are encrypted with the caller's permission, and not by way of S3.
        direct = using.pop(0)
        assert direct["Action"] == ["kms:CreateGrant", "kms:Decrypt", "kms:GenerateDataKey"]
        assert spoken(direct["Resource"]) == "key"
        assert "Condition" not in direct
    through = services.get(name, ["s3"])
    if not through:
        assert using == []
        return
    (statement,) = using
    assert statement["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    assert spoken(statement["Resource"]) == "key"
    assert [as_text(via) for via in statement["Condition"]["StringEquals"]["kms:ViaService"]] == [
        f"{service}.<AWS::Region>.<AWS::URLSuffix>" for service in through
    ]


@pytest.mark.parametrize("name", EXPECTED)
def test_a_function_gets_the_variables_that_it_reads_and_no_others(default: Synthesised, name: str) -> None:
    given = set(default.functions()[name].properties["Environment"]["Variables"]) - {"POWERTOOLS_SERVICE_NAME"}
    required, known = variables_read_by(name)
    assert required <= given <= known


def variables_read_by(name: str) -> tuple[set[str], set[str]]:
    """(required, all) variables of the model that the handler loads, read from its source: importing it would load."""
    tree = ast.parse((ROOT / "lambdas" / "handlers" / f"{name}.py").read_text())
    loaded = next(
        node.value.func.value.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Attribute)
        and node.value.func.attr == "load"
        and isinstance(node.value.func.value, ast.Name)
    )
    local = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    required: set[str] = set()
    known: set[str] = set()
    models = [loaded]
    if loaded in local:
        models = [base.id for base in local[loaded].bases if isinstance(base, ast.Name)]
        own = {
            field.target.id.upper()
            for field in local[loaded].body
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        }
        required, known = set(own), set(own)
    for model in models:
        for field, info in getattr(environment, model).model_fields.items():
            known.add(field.upper())
            if info.is_required():
                required.add(field.upper())
    return required, known


@pytest.mark.parametrize("name", EXPECTED)
def test_how_a_function_runs(default: Synthesised, name: str) -> None:
    properties = default.functions()[name].properties
    assert properties["Architectures"] == ["arm64"]
    assert properties["TracingConfig"] == {"Mode": "Active"}
    assert properties["Layers"] == [{"Ref": "PowertoolsLayer"}]
    logs = log_group(default.functions()[name], stack=default).properties
    assert logs["LogGroupName"] == f"/comprehend-flywheel/news/{name}"
    assert logs["RetentionInDays"] == {"Ref": "LogRetentionDays"}


def test_the_layer_is_one_version_of_the_public_one(default: Synthesised) -> None:
    parameter = default.template["Parameters"]["PowertoolsLayer"]
    assert parameter["Type"] == "AWS::SSM::Parameter::Value<String>"
    assert parameter["Default"] == "/aws/service/powertools/python/arm64/python3.13/3.37.0"


def test_an_upload_of_five_gigabytes_can_be_prepared(default: Synthesised) -> None:
    properties = default.functions()["prepare_upload"].properties
    assert (properties["Timeout"], properties["MemorySize"], properties["EphemeralStorage"]) == (
        900,
        1769,
        {"Size": 10240},
    )


@pytest.mark.parametrize("name", sorted(set(EXPECTED) - {"delete_runtime_parameters"}))
def test_no_function_learns_of_a_new_flywheel_before_it_is_there(default: Synthesised, name: str) -> None:
    flywheel = default.one("Flywheel", "AWS::Comprehend::Flywheel")
    role = default.role_of(default.functions()[name].properties["Role"])
    assert as_list(role.body["DependsOn"]) == [flywheel.logical_id]


def test_the_custom_resource_answers_within_minutes_or_is_given_up(default: Synthesised) -> None:
    (parameters,) = default.of_type("Custom::RuntimeParameters")
    function = default.functions()["delete_runtime_parameters"]
    assert as_text(parameters.properties["ServiceToken"]) == f"<{function.logical_id}.Arn>"
    assert int(parameters.properties["ServiceTimeout"]) <= 300


def test_logs_are_encrypted_with_the_key(new_key: Synthesised) -> None:
    for group in new_key.of_type("AWS::Logs::LogGroup"):
        assert spoken(group.properties["KmsKeyId"]) == "key", json.dumps(group.properties)
