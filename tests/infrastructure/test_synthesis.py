from __future__ import annotations

import json
import re
import tarfile
from pathlib import Path
from typing import Any

import aws_cdk
import pytest
from cfnlint.api import lint_file
from cfnlint.config import ManualArgs

from tests.infrastructure.conftest import BOUNDARY, WEB_ACL
from tests.infrastructure.synthesised import ROOT, Synthesised, as_list, as_text, inline_statements, statements


def test_cfn_lint_finds_nothing(any_variant: Synthesised) -> None:
    assert lint_file(any_variant.template_path, config=ManualArgs(regions=["us-east-1"])) == []


def test_the_assembly_is_bound_to_no_account_and_no_region(default: Synthesised) -> None:
    manifest = json.loads((default.folder / "manifest.json").read_text())
    assert manifest["artifacts"][default.stack]["environment"] == "aws://unknown-account/unknown-region"


@pytest.mark.parametrize("kind", ["flywheel", "serving", "analysis"])
def test_no_setting_is_the_default_of_a_parameter(
    default: Synthesised, new_key: Synthesised, organisation: Synthesised, kind: str
) -> None:
    """An existing stack keeps the value that it has, and would never see another default. `name` may be in one: with
    another name the stack is another one."""
    variants = (default, new_key, organisation)
    defaults = [
        {
            name: str(parameter["Default"]).replace(variant.name, "NAME")
            for name, parameter in variant.beside(kind).template["Parameters"].items()
        }
        for variant in variants
    ]
    for name in set().union(*defaults):
        assert len({found[name] for found in defaults if name in found}) == 1, name


def test_what_the_code_asset_holds(default: Synthesised) -> None:
    (asset,) = default.folder.glob("asset.*")
    files = {path.relative_to(asset) for path in asset.rglob("*") if path.is_file()}
    assert Path("handlers/turn/start_turn.py") in files
    assert not [path for path in files if path.suffix == ".pyc" or "__pycache__" in path.parts]


def test_no_function_but_ours(any_variant: Synthesised) -> None:
    runtimes = {found.properties["Runtime"] for found in any_variant.of_type("AWS::Lambda::Function")}
    assert runtimes == {"python3.13"}
    custom = {found.type for found in any_variant.resources.values() if "Custom" in found.type}
    of_flywheels = set() if any_variant.imports else {"Custom::ModelSharing"}
    assert custom - {"Custom::FlywheelWithModel"} == {"Custom::RuntimeParameters", *of_flywheels}
    assert len(any_variant.functions()) == len(any_variant.of_type("AWS::Lambda::Function"))


def test_all_recommended_feature_flags_are_set_as_recommended() -> None:
    (package,) = (Path(aws_cdk.__file__).parent / "_jsii").glob("aws-cdk-lib@*.jsii.tgz")
    with tarfile.open(package) as archive:
        member = archive.extractfile("package/recommended-feature-flags.json")
        assert member is not None
        recommended = json.loads(member.read())
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    assert {name: context.get(name) for name in recommended} == recommended
    assert recommended["@aws-cdk/core:validateAgainstDefaultRules"] is True


def test_the_templates_were_checked(any_variant: Synthesised) -> None:
    """By cdk-nag and by the CDK itself, as in `make synth` and `make deploy`."""
    reports = json.loads((any_variant.folder / "validation-report.json").read_text())["pluginReports"]
    assert [report["violations"] for report in reports if report["violations"]] == []


class TestAcknowledgements:
    """A finding lets the synthesis of the variants fail, so what is left to see is how it was acknowledged."""

    @pytest.fixture
    def metadata(self, any_variant: Synthesised) -> dict[str, list[dict[str, Any]]]:
        """By construct path."""
        found: dict[str, list[dict[str, Any]]] = json.loads(
            (any_variant.folder / f"{any_variant.stack}.metadata.json").read_text()
        )
        return found

    @pytest.fixture
    def acknowledged(self, metadata: dict[str, list[dict[str, Any]]]) -> list[tuple[str, str, str]]:
        """(construct path, finding, reason)"""
        return [
            (path, finding.split("::", 1)[1], reason)
            for path, entries in metadata.items()
            for entry in entries
            if entry["type"] == "aws:cdk:acknowledged-rules"
            for finding, reason in entry["data"].items()
        ]

    def test_each_stands_at_one_resource_with_a_reason(
        self, acknowledged: list[tuple[str, str, str]], metadata: dict[str, list[dict[str, Any]]]
    ) -> None:
        resources = {
            path for path, entries in metadata.items() if any(e["type"] == "aws:cdk:logicalId" for e in entries)
        }
        assert acknowledged
        for path, finding, reason in acknowledged:
            assert path in resources, f"{finding} is acknowledged for all of {path}"
            assert reason.endswith(".")

    def test_each_wildcard_that_is_acknowledged_is_there(
        self, acknowledged: list[tuple[str, str, str]], any_variant: Synthesised
    ) -> None:
        documents = [
            statement for role in any_variant.of_type("AWS::IAM::Role") for statement in inline_statements(role)
        ] + [
            statement
            for policy in any_variant.of_type("AWS::IAM::ManagedPolicy")
            for statement in statements(policy.properties["PolicyDocument"])
        ]
        used = {as_text(resource) for statement in documents for resource in as_list(statement["Resource"])}
        wildcards = {
            re.sub(r".*\[Resource::(.*)\]$", r"\1", finding) for _, finding, _ in acknowledged if "IAM5" in finding
        }
        assert wildcards == {resource for resource in used if "*" in resource}

    def test_no_policy_grants_a_wildcard_action(self, any_variant: Synthesised) -> None:
        for role in any_variant.of_type("AWS::IAM::Role"):
            assert "ManagedPolicyArns" not in role.properties
            for statement in inline_statements(role):
                assert not [action for action in as_list(statement["Action"]) if "*" in action]


def test_every_role_has_the_boundary(organisation: Synthesised, default: Synthesised) -> None:
    boundaries = {role.properties.get("PermissionsBoundary") for role in organisation.of_type("AWS::IAM::Role")}
    assert boundaries == {BOUNDARY}
    assert all("PermissionsBoundary" not in role.properties for role in default.of_type("AWS::IAM::Role"))


@pytest.mark.parametrize("kind", ["flywheel", "serving", "analysis"])
class TestWhatAnOrganisationDecides:
    def test_functions_run_in_its_network(self, organisation: Synthesised, kind: str) -> None:
        stack = organisation.beside(kind)
        for name, function in stack.functions().items():
            assert function.properties["VpcConfig"] == {
                "SubnetIds": ["subnet-87654321"],
                "SecurityGroupIds": ["sg-87654321"],
            }, name
            (network,) = [
                statement
                for statement in inline_statements(stack.role_of(function.properties["Role"]))
                if "ec2:CreateNetworkInterface" in as_list(statement["Action"])
            ]
            # The service makes the interfaces; the function's own code may not.
            assert network["Condition"] == {"Null": {"lambda:SourceFunctionArn": "true"}}, name

    def test_concurrency_is_reserved(self, organisation: Synthesised, kind: str) -> None:
        functions = organisation.beside(kind).functions()
        assert {found.properties["ReservedConcurrentExecutions"] for found in functions.values()} == {5}

    def test_none_of_it_is_there_unless_it_is_asked_for(self, default: Synthesised, kind: str) -> None:
        for function in default.beside(kind).functions().values():
            assert "VpcConfig" not in function.properties


def test_a_web_acl_protects_the_api(organisation: Synthesised, default: Synthesised) -> None:
    (association,) = organisation.beside("serving").of_type("AWS::WAFv2::WebACLAssociation")
    assert association.properties["WebACLArn"] == WEB_ACL
    assert re.fullmatch(
        r"arn:<AWS::Partition>:apigateway:<AWS::Region>::/restapis/<ApiC\w+>/stages/<ApiDeploymentStage\w+>",
        as_text(association.properties["ResourceArn"]),
    )
    assert default.beside("serving").of_type("AWS::WAFv2::WebACLAssociation") == []


@pytest.mark.parametrize(
    "kind",
    [
        "AWS::S3::Bucket",
        "AWS::Comprehend::Flywheel",
        "AWS::IAM::Role",
        "AWS::Lambda::Function",
        "AWS::SQS::Queue",
        "AWS::SNS::Topic",
        "AWS::StepFunctions::StateMachine",
        "AWS::Logs::LogGroup",
        "AWS::CloudWatch::Alarm",
    ],
)
def test_the_tags_are_on_everything(organisation: Synthesised, kind: str) -> None:
    for found in organisation.of_type(kind):
        tags = {tag["Key"]: tag["Value"] for tag in found.properties["Tags"]}
        assert tags == {"cost-centre": "4711", "owner": "news"}, found.logical_id
