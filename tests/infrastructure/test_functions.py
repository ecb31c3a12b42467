"""What each function may do, what it is told, and that it waits for nothing it does not need."""

from __future__ import annotations

import ast
import json
import re
from collections import defaultdict
from typing import Any

import pytest

from flywheel import environment
from tests.infrastructure.synthesised import ROOT, Resource, Synthesised, as_list, as_text, inline_statements

Grants = dict[str, set[str]]

RUNTIME_PARAMETERS = {"parameter/active-model-arn", "parameter/desired-model-arn", "parameter/previous-model-arn"}
EXPECTED: dict[str, Grants] = {
    "start_turn": {
        "states:StartExecution": {"turn machine"},
        "s3:GetObject": {"turns/*", "decisions/*", "promotions/*"},
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
        "ssm:GetParameter": {"parameter/active-model-arn"},
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
    "update_active_model": {
        "s3:GetObject": {"turns/*", "decisions/*", "promotions/*"},
        "s3:PutObject": {"promotions/*"},
        "s3:ListBucket": {"intake"},
        "comprehend:DescribeFlywheel": {"flywheel"},
        "comprehend:ListFlywheelIterationHistory": {"flywheel"},
        "comprehend:UpdateFlywheel": {"flywheel", "models"},
        "ssm:GetParameter": {"parameter/active-model-arn"},
        "ssm:PutParameter": RUNTIME_PARAMETERS,
        "iam:PassRole": {"data access role"},
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
        (r"<QueuesUndelivered\w+\.Arn>", "undelivered"),
        (r"<NotificationsTopic\w+>", "topic"),
        (r"<DataAccessServiceRole\w+\.Arn>", "data access role"),
        (r"<Turn(Machine)\w+>", "turn machine"),
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


def grants(statements: list[dict[str, Any]]) -> Grants:
    found: Grants = defaultdict(set)
    for statement in statements:
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


def test_only_one_function_may_change_the_active_model(any_variant: Synthesised) -> None:
    able = {
        role.logical_id
        for role in any_variant.of_type("AWS::IAM::Role")
        for statement in inline_statements(role)
        if "comprehend:UpdateFlywheel" in as_list(statement["Action"])
    }
    promoter = any_variant.role_of(any_variant.functions()["update_active_model"].properties["Role"])
    assert able == {promoter.logical_id}


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
    services = {"start_turn": ["s3", "sqs"], "report_turn": ["s3", "sns", "sqs"], "delete_runtime_parameters": []}
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
