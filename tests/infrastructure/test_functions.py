"""What each function is told, who has its role, and that it waits for nothing it does not need. What it may do, the
simulation says: a grant that nothing uses there has a reason, or fails it."""

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
from handlers.cloudformation import RESERVE_SECONDS
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
"""Resources, as `spoken` says them, by action."""
HANDLERS = ROOT / "lambdas" / "handlers"


def of_wings(*wings: str) -> set[str]:
    """The functions whose handlers stand in these folders."""
    modules = (path for wing in wings for path in HANDLERS.glob(f"{wing}/*.py"))
    return {path.stem for path in modules if "def handler(" in path.read_text()}


CREATION = of_wings("creation")
"""Only of a flywheel that begins with an existing model."""
FUNCTIONS = {
    "flywheel": of_wings("turn", "promotions", "review", "sharing"),
    "serving": of_wings("serving", "api"),
    "analysis": of_wings("analysis"),
}
"""By stack."""
IMPORTS = {
    "import": of_wings("promotions", "imports"),
    "serving": FUNCTIONS["serving"] - {"take_feedback"},
    "analysis": FUNCTIONS["analysis"],
}
"""Where models are imported."""
EVERY = [pytest.param(kind, name, id=name) for kind, names in FUNCTIONS.items() for name in sorted(names)]


def spoken(resource: Any) -> str:
    """An ARN in words."""
    text = as_text(resource)
    for pattern, words in (
        (r"<BucketsIntake\w+\.Arn>/(.+)", r"\1"),
        (r"<BucketsIntake\w+\.Arn>", "intake"),
        (r"arn:<AWS::Partition>:s3:::<IntakeBucket>/(.+)", r"\1"),
        (r"arn:<AWS::Partition>:s3:::<IntakeBucket>", "intake"),
        (r"<TopicArn>", "topic"),
        (r"<KeyArn>", "key"),
        (r"arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:stateMachine:\w+-serving-serve", "serve machine"),
        (r"arn:<AWS::Partition>:comprehend:.*:(?:document-classifier|entity-recognizer)-endpoint/[\w-]+", "endpoint"),
        (r"arn:<AWS::Partition>:states:.*:execution:\w+-flywheel-turn-\{.*\}:\*", "turns"),
        (r"arn:<AWS::Partition>:states:.*:execution:\w+-flywheel-promote-\{.*\}:\*", "promotions"),
        (r"arn:<AWS::Partition>:states:.*:execution:\w+-import-promote-\{.*\}:\*", "promotions"),
        (r"arn:<AWS::Partition>:comprehend:.*:<AWS::AccountId>:document-classifier/served/version/\*", "imports"),
        (r"<QueuesJobs[0-9A-F]+\.Arn>", "job queue"),
        (r"<QueuesTurns[0-9A-F]+\.Arn>", "turn queue"),
        (r"<QueuesPromotions[0-9A-F]+\.Arn>", "promotion queue"),
        (r"<QueuesUndelivered\w+\.Arn>", "undelivered"),
        (r"<NotificationsTopic\w+>", "topic"),
        (r"<Turn(Machine)\w+>", "turn machine"),
        (r"<Promote(Machine)\w+>|arn:.*:stateMachine:\w+-(?:flywheel|import)-promote-\{.*\}", "promote machine"),
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


def test_every_handler_is_a_function_of_its_stacks(
    default: Synthesised, initial_model: Synthesised, importing: Synthesised
) -> None:
    for kind, names in FUNCTIONS.items():
        assert set(default.beside(kind).functions()) == names
    assert set(initial_model.functions()) == FUNCTIONS["flywheel"] | CREATION
    for kind, names in IMPORTS.items():
        assert set(importing.beside(kind).functions()) == names
    assert of_wings("*") == CREATION.union(*FUNCTIONS.values(), *IMPORTS.values())


def test_nobody_may_touch_all_objects_of_the_intake_bucket(any_variant: Synthesised) -> None:
    """A grant that the simulation sees used may be wider than its use."""
    assert [
        holder
        for holder, statement in all_statements(any_variant)
        if any(action.startswith(("s3:", "*")) for action in as_list(statement["Action"]))
        and "*" in map(spoken, as_list(statement["Resource"]))
    ] == []


@pytest.mark.parametrize(("kind", "name"), EVERY)
def test_each_function_has_a_role_of_its_own_that_only_lambda_takes_on(
    default: Synthesised, kind: str, name: str
) -> None:
    stack = default.beside(kind)
    functions = stack.functions()
    role = stack.role_of(functions[name].properties["Role"])
    assert [other for other, found in functions.items() if stack.role_of(found.properties["Role"]) == role] == [name]
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
    """CloudFormation itself needs none: the template never names an active model. Where models are imported, a record
    names it."""
    promoter = any_variant.role_of(any_variant.functions()["update_active_model"].properties["Role"])
    if any_variant.imports:
        written = allowing("s3:PutObject", stack=any_variant).items()
        may_name_a_model = {
            holder
            for holder, resources in written
            if any(fnmatch.fnmatchcase("imports/active-model.json", spoken(resource)) for resource in resources)
        }
    else:
        may_name_a_model = {
            holder
            for holder, resources in allowing("comprehend:UpdateFlywheel", stack=any_variant).items()
            if any(":flywheel/" not in resource for resource in resources)
        }
    assert may_name_a_model == {promoter.logical_id}
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


COMPREHEND_WITH_THE_KEY = {
    "predict_holdout",
    "classify_part",
    "register_dataset",
    "run_iteration",
    "update_active_model",
    "bring_endpoint",
}
"""These have Comprehend work on data and models under the key."""


@pytest.mark.parametrize(("kind", "name"), EVERY)
def test_with_a_key_a_function_may_use_it_through_the_services_it_touches(
    new_key: Synthesised, kind: str, name: str
) -> None:
    stack = new_key.beside(kind)
    services = {
        "start_turn": ["s3", "sqs"],
        "report_turn": ["s3", "sns", "sqs"],
        "request_promotion": ["s3", "sqs"],
        "start_promotion": ["s3", "sns", "sqs"],
        "ask_for_approval": ["s3", "sns"],
        "report_promotion": ["s3", "sns", "sqs"],
        "delete_runtime_parameters": [],
        "remove_endpoint": [],
        "start_analysis": ["s3", "sns", "sqs"],
        "report_analysis": ["s3", "sns", "sqs"],
    }
    using = [
        statement
        for statement in role_statements(stack.functions()[name], stack=stack)
        if any(action.startswith("kms:") for action in as_list(statement["Action"]))
    ]
    if name in COMPREHEND_WITH_THE_KEY:
        # What Comprehend makes and reads is encrypted with the caller's permission, and not by way of S3.
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


@pytest.mark.parametrize(("kind", "name"), EVERY)
def test_a_function_gets_the_variables_that_it_reads_and_no_others(default: Synthesised, kind: str, name: str) -> None:
    given = set(default.beside(kind).functions()[name].properties["Environment"]["Variables"]) - {
        "POWERTOOLS_SERVICE_NAME"
    }
    required, known = variables_read_by(name)
    assert required <= given <= known


def _environment_of(node: ast.AST) -> str | None:
    """Of `@handles(Event, Environment)`, `@handles_end(...)` and `Environment.load()` the model's name."""
    match node:
        case ast.Call(func=ast.Name(id="handles" | "handles_end"), args=[_, ast.Name(id=name)]):
            return name
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="load")):
            return name
    return None


def variables_read_by(name: str) -> tuple[set[str], set[str]]:
    """(required, all) variables of the model that the handler loads, read from its source: importing it would load."""
    (path,) = (ROOT / "lambdas" / "handlers").rglob(f"{name}.py")
    tree = ast.parse(path.read_text())
    loaded = next(filter(None, map(_environment_of, ast.walk(tree))))
    local = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    required: set[str] = set()
    known: set[str] = set()
    models = [loaded]
    if loaded in local:
        models = [ast.unparse(base).rpartition(".")[2] for base in local[loaded].bases]
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


RUNTIME = "python3.13"


@pytest.mark.parametrize(("kind", "name"), EVERY)
def test_how_a_function_runs(default: Synthesised, kind: str, name: str) -> None:
    stack = default.beside(kind)
    properties = stack.functions()[name].properties
    assert properties["Architectures"] == ["arm64"]
    assert properties["TracingConfig"] == {"Mode": "Active"}
    # One version of AWS's public layer, for the runtime that the function has.
    assert properties["Layers"] == [f"{{{{resolve:ssm:/aws/service/powertools/python/arm64/{RUNTIME}/3.37.0}}}}"]
    assert properties["Runtime"] == RUNTIME
    logs = log_group(stack.functions()[name], stack=stack).properties
    assert logs["LogGroupName"] == f"/comprehend-flywheel/news/{name}"
    assert logs["RetentionInDays"] == {"Ref": "LogRetentionDays"}


def test_an_upload_of_five_gigabytes_can_be_prepared(default: Synthesised) -> None:
    properties = default.functions()["prepare_upload"].properties
    assert (properties["Timeout"], properties["MemorySize"], properties["EphemeralStorage"]) == (
        900,
        1769,
        {"Size": 10240},
    )


@pytest.mark.parametrize("name", sorted(FUNCTIONS["flywheel"] - {"delete_runtime_parameters"}))
def test_no_function_learns_of_a_new_flywheel_before_it_is_there(default: Synthesised, name: str) -> None:
    flywheel = default.one("Flywheel", "AWS::Comprehend::Flywheel")
    role = default.role_of(default.functions()[name].properties["Role"])
    assert as_list(role.body["DependsOn"]) == [flywheel.logical_id]


@pytest.mark.parametrize(
    ("kind", "resource", "name"),
    [
        ("flywheel", "Custom::RuntimeParameters", "delete_runtime_parameters"),
        ("flywheel", "Custom::ModelSharing", "share_model"),
        ("serving", "Custom::EndpointRemoval", "remove_endpoint"),
    ],
)
def test_a_custom_resource_is_waited_for_while_lambda_repeats_its_event_and_no_longer(
    default: Synthesised, kind: str, resource: str, name: str
) -> None:
    """Twice, after a minute and after two, each time with its full time-out."""
    stack = default.beside(kind)
    (found,) = stack.of_type(resource)
    function = stack.functions()[name]
    assert as_text(found.properties["ServiceToken"]) == f"<{function.logical_id}.Arn>"
    timeout = function.properties["Timeout"]
    assert 3 * timeout + 180 <= int(found.properties["ServiceTimeout"]) <= 3600
    assert timeout > RESERVE_SECONDS + 60


def test_logs_are_encrypted_with_the_key(new_key: Synthesised) -> None:
    for group in new_key.of_type("AWS::Logs::LogGroup"):
        assert spoken(group.properties["KmsKeyId"]) == "key", json.dumps(group.properties)
