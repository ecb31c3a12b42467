"""`flywheel doctor` against the local cloud: what is fine, and what is not."""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import replace
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner

from local.cloud import CloudAccount, LocalCloud
from ops.deployment.clients import Clients
from ops.deployment.published import find_deployment
from ops.deployment.synthesised import SynthesisedFlywheel, SynthesisedStack
from ops.main import app
from ops.verbs import doctor_checks
from ops.verbs.doctor import Check, Finding, Health, Surroundings, find
from tests.local_cloud.ops import ops_stack
from tests.local_cloud.resources import create_role

NAME = "patient"
BOOTSTRAP = "/cdk-bootstrap/hnb659fds/version"
LAYER = "/aws/service/powertools/python/arm64/python3.13/3.37.0"
NUMBERS = itertools.count()


def templates(name: str = NAME, **resources: Any) -> SynthesisedFlywheel:
    """Of a Flywheel stack with these resources, and parameters as the CDK's default synthesizer gives them."""
    stack = SynthesisedStack(
        name=f"{name}-flywheel",
        template={"Resources": resources, "Conditions": {}},
        parameters={"BootstrapVersion": BOOTSTRAP, "Reserved": "950"},
    )
    return SynthesisedFlywheel(name=name, stacks=(stack,))


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": kind, "Properties": properties}


def around(
    account: CloudAccount, resources: dict[str, Any] | None = None, *, name: str = NAME, role: str | None = None
) -> Surroundings:
    return Surroundings(
        clients=Clients(account.session(role_arn=role)), name=name, synthesised=templates(name, **(resources or {}))
    )


def finding(check: Check, surroundings: Surroundings) -> Finding:
    return next(iter(find(surroundings, [("Check", check)])))


def test_the_caller(account: CloudAccount) -> None:
    assert finding(doctor_checks.caller, around(account)).message.endswith(":root")


def test_credentials_that_are_not_valid(account: CloudAccount) -> None:
    session = boto3.Session(aws_access_key_id="AKIANOBODY", aws_secret_access_key="none", region_name="us-east-1")
    clients = Clients(session)
    clients.__dict__["sts"] = session.client(
        "sts", endpoint_url=account.endpoint.url, verify=str(account.endpoint.authority)
    )
    found = finding(doctor_checks.caller, Surroundings(clients=clients, name=NAME))
    assert found.health is Health.TO_DO
    assert "credentials are not valid" in found.message


@pytest.mark.parametrize(("region", "health"), [("eu-west-1", Health.FINE), ("eu-north-1", Health.TO_DO)])
def test_regions(cloud: LocalCloud, account: CloudAccount, region: str, health: Health) -> None:
    found = finding(doctor_checks.region, around(cloud.account(account.account, region=region)))
    assert found.health is health
    assert region in found.message


def test_the_bootstrap(account: CloudAccount) -> None:
    def check() -> Finding:
        return finding(doctor_checks.bootstrap, around(account))

    ssm = account.client("ssm")
    assert check().health is Health.TO_DO
    assert "cdk bootstrap" in check().message
    ssm.put_parameter(Name=BOOTSTRAP, Type="String", Value="5")
    assert check().health is Health.TO_DO
    ssm.put_parameter(Name=BOOTSTRAP, Type="String", Value="21", Overwrite=True)
    assert (check().health, check().message) == (Health.FINE, "version 21")


def test_the_layer(account: CloudAccount) -> None:
    def check(name: str) -> Finding:
        return finding(doctor_checks.powertools_layer, around(account, {"L": resource("X", Layer={"Fn::Sub": name})}))

    assert check(LAYER).health is Health.FINE
    found = check("{{resolve:ssm:/aws/service/powertools/ruby/arm64/ruby3.4/1.0.0}}")
    assert found.health is Health.TO_DO
    assert "powertools_layer_version" in found.message


def test_without_templates_it_says_how_to_make_them(account: CloudAccount) -> None:
    without = replace(around(account), synthesised=None)
    for check in (doctor_checks.powertools_layer, doctor_checks.function_concurrency, doctor_checks.api_log_role):
        found = finding(check, without)
        assert (found.health, "make synth" in found.message) == (Health.UNKNOWN, True)


def test_what_the_local_cloud_does_not_know_is_not_a_failure(account: CloudAccount) -> None:
    found = finding(doctor_checks.comprehend_quotas, around(account))
    assert found.health is Health.UNKNOWN


def test_concurrency(account: CloudAccount) -> None:
    def check(most: int, **resources: Any) -> Finding:
        machine = resource("M", DefinitionString=json.dumps({"MaxConcurrency": most}))
        return finding(doctor_checks.function_concurrency, around(account, {"Machine": machine, **resources}))

    assert check(20).health is Health.FINE
    found = check(1000)
    assert found.health is Health.TO_DO
    assert re.search(r"^\d+ functions run at once in this account, and a turn runs up to 1005", found.message)
    by_parameter = {"Fn::Join": ["", ['{"MaxConcurrency":', {"Ref": "Reserved"}, "}"]]}
    machine = resource("M", DefinitionString=by_parameter)
    found = finding(doctor_checks.function_concurrency, around(account, {"Machine": machine}))
    assert "a turn runs up to 955" in found.message
    reserving = resource("AWS::Lambda::Function", ReservedConcurrentExecutions={"Ref": "Reserved"})
    assert "950 are to be reserved" in check(20, Function=reserving).message


def test_the_deployer(account: CloudAccount) -> None:
    assert finding(doctor_checks.deployer, around(account)).health is Health.FINE, "the root"
    iam = account.client("iam")
    role = create_role(account, trusted={"AWS": f"arn:aws:iam::{account.account}:root"})
    name = role.rpartition("/")[2]

    def allow(*actions: str) -> None:
        document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=json.dumps(document))

    allow("sts:GetCallerIdentity")
    denied = finding(doctor_checks.deployer, around(account, role=role))
    assert denied.health is Health.UNKNOWN
    assert "iam:" in denied.message, "which permission it needs"
    allow("iam:GetRole", "iam:SimulatePrincipalPolicy")
    refused = finding(doctor_checks.deployer, around(account, role=role))
    assert refused.health is Health.TO_DO
    assert "cdk-hnb659fds-deploy-role" in refused.message
    allow("iam:GetRole", "iam:SimulatePrincipalPolicy", "sts:AssumeRole")
    assert finding(doctor_checks.deployer, around(account, role=role)).health is Health.FINE


@pytest.fixture
def name() -> str:
    return f"{NAME}-{next(NUMBERS)}"


def test_names_that_are_free(account: CloudAccount, name: str) -> None:
    resources = {"Group": resource("AWS::Logs::LogGroup", LogGroupName=f"/comprehend-flywheel/{name}/begin_turn")}
    assert finding(doctor_checks.names, around(account, resources, name=name)).health is Health.FINE
    account.client("logs").create_log_group(logGroupName=f"/comprehend-flywheel/{name}/begin_turn")
    found = finding(doctor_checks.names, around(account, resources, name=name))
    assert found.health is Health.TO_DO
    assert f"/comprehend-flywheel/{name}/begin_turn" in found.message


def test_parameters_of_an_earlier_pipeline(account: CloudAccount, name: str) -> None:
    parameter = f"/comprehend-flywheel/{name}/active-model-arn"
    account.client("ssm").put_parameter(Name=parameter, Type="String", Value="arn:of:somebody")
    assert parameter in finding(doctor_checks.names, around(account, name=name)).message


def test_the_names_of_its_own_stacks(account: CloudAccount) -> None:
    ops_stack.deploy(account, name=NAME, physical_name=f"{NAME}-0a1b2c3d")
    published = resource("AWS::SSM::Parameter", Name=f"/comprehend-flywheel/{NAME}/deployment")
    surroundings = around(account, {"Published": published})
    deployed = replace(surroundings, deployment=find_deployment(surroundings.clients, name=NAME))
    found = finding(doctor_checks.names, deployed)
    assert (found.health, found.message) == (
        Health.FINE,
        f"there are {NAME}-flywheel; what would be created besides is free",
    )


def test_the_role_of_the_apis_log(account: CloudAccount) -> None:
    sets_one = {"Account": resource("AWS::ApiGateway::Account")}
    found = finding(doctor_checks.api_log_role, around(account))
    assert found.health is Health.TO_DO
    assert "api_log_role" in found.message
    assert finding(doctor_checks.api_log_role, around(account, sets_one)).health is Health.FINE
    role = create_role(account, trusted={"Service": "apigateway.amazonaws.com"})
    account.client("apigateway").update_account(
        patchOperations=[{"op": "replace", "path": "/cloudwatchRoleArn", "value": role}]
    )
    assert finding(doctor_checks.api_log_role, around(account)).health is Health.FINE
    assert "`existing`" in finding(doctor_checks.api_log_role, around(account, sets_one)).message


@pytest.fixture
def environment(account: CloudAccount, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    for variable, value in account.environment().items():
        monkeypatch.setenv(variable, value)
    monkeypatch.chdir(tmp_path)
    return


def test_the_verb(environment: None, account: CloudAccount) -> None:
    before = CliRunner().invoke(app, ["--name", "never-deployed", "doctor"])
    assert "never-deployed is not deployed yet in us-east-1" in before.stdout
    answer = CliRunner().invoke(app, ["--name", NAME, "doctor", "--json"])
    found = json.loads(answer.stdout)
    to_do = [each for each in found["findings"] if each["health"] == "TO_DO"]
    assert answer.exit_code == bool(to_do), answer.stdout
    assert [each["check"] for each in found["findings"]] == [name for name, _ in doctor_checks.CHECKS]


def test_the_verb_says_by_its_exit_status_that_something_is_to_do(
    environment: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-north-1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-north-1")
    answer = CliRunner().invoke(app, ["--name", "never-deployed", "doctor"])
    assert answer.exit_code == 1
    assert "to do" in answer.stdout
