"""A parameter that nothing would read is refused, with the name that was meant."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from local.cloud.cdk import Cdk
from local.cloud.endpoint import Endpoint
from local.cloud.errors import CdkFailed
from local.cloud.places import Places
from local.cloud.progress import Progress
from ops.deployment.errors import WrongParametersError
from ops.deployment.given_parameters import check_parameters, split_parameters

TEMPLATES = {
    "news-flywheel": {
        "MinimumScore": {
            "Type": "String",
            "AllowedPattern": r"^((0)(\.[0-9]{1,6})?|1(\.0{1,6})?)$",
            "ConstraintDescription": "MinimumScore must be a number from 0 to 1.",
        },
        "TurnSchedule": {
            "Type": "String",
            "AllowedPattern": r"^(rate\(\d+ hours\)|cron\([0-9A-Za-z,/*?#LW -]+\))$",
            "ConstraintDescription": "TurnSchedule must be an EventBridge schedule.",
            "MaxLength": 30,
        },
        "LogRetentionDays": {"Type": "String", "AllowedValues": ["30", "90"]},
        "BootstrapVersion": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/cdk-bootstrap/version"},
    },
    "news-serving": {"InferenceUnits": {"Type": "String"}, "LogRetentionDays": {"Type": "String"}},
}


@pytest.fixture
def assembly(tmp_path: Path) -> Path:
    artifacts = {
        f"artifact-of-{stack}": {
            "type": "aws:cloudformation:stack",
            "properties": {"stackName": stack, "templateFile": f"{stack}.json"},
        }
        for stack in TEMPLATES
    }
    other = {"Tree": {"type": "cdk:tree", "properties": {"file": "tree.json"}}}
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": artifacts | other}))
    for stack, parameters in TEMPLATES.items():
        (tmp_path / f"{stack}.json").write_text(json.dumps({"Parameters": parameters, "Resources": {}}))
    return tmp_path


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("news-flywheel:MinimumScor=0.8", "news-flywheel has no parameter MinimumScor. Did you mean MinimumScore?"),
        ("news-flywheel:minimumscore=0.8", "Did you mean MinimumScore?"),
        ("new-flywheel:MinimumScore=0.8", "there is no stack new-flywheel. Did you mean news-flywheel?"),
        ("news-flywheel:Foo=2", "There are LogRetentionDays, MinimumScore, TurnSchedule."),
        ("news-flywheel:InferenceUnits=1", "write news-serving:InferenceUnits=1."),
        ("MinimumScore=0.8", "not every stack has it: write news-flywheel:MinimumScore=0.8."),
        ("MinimumScor=0.8", "no stack has a parameter MinimumScor. Did you mean MinimumScore?"),
        ("news-flywheel:MinimumScore", "write STACK:NAME=VALUE"),
        ("news-flywheel:MinimumScore=1.5", "must be a number from 0 to 1"),
        ("news-flywheel:MinimumScore=high", "must be a number from 0 to 1"),
        ("news-flywheel:MinimumScore=0.8,", "must be a number from 0 to 1"),
        ("news-flywheel:TurnSchedule=rate(2hours)", "must be an EventBridge schedule"),
        (f"news-flywheel:TurnSchedule=rate({'1' * 20} hours)", "must be an EventBridge schedule"),
        ("news-flywheel:LogRetentionDays=31", "does not allow"),
    ],
)
def test_what_nothing_would_read_is_refused(assembly: Path, given: str, said: str) -> None:
    with pytest.raises(WrongParametersError) as refused:
        check_parameters([given], assembly=assembly)
    assert said in str(refused.value)


def test_every_wrong_one_is_told(assembly: Path) -> None:
    with pytest.raises(WrongParametersError) as refused:
        check_parameters(["a:B=1", "news-serving:InferenceUnits=1", "news-serving:Unit=2"], assembly=assembly)
    assert "a:B=1" in str(refused.value)
    assert "news-serving:Unit=2" in str(refused.value)
    assert "InferenceUnits=1" not in str(refused.value)
    assert "\n" not in str(refused.value), "it is printed as one sentence"


@pytest.mark.parametrize(
    "given",
    [
        "news-flywheel:MinimumScore=0.8",
        "news-flywheel:TurnSchedule=rate(2 hours)",
        "news-flywheel:TurnSchedule=cron(0 6 ? * MON#1 *)",
        "news-flywheel:BootstrapVersion=/other/version",
        "LogRetentionDays=30",
    ],
)
def test_what_the_templates_allow_is_not(assembly: Path, given: str) -> None:
    check_parameters([given], assembly=assembly)


@pytest.mark.parametrize(
    ("text", "single"),
    [
        ("", []),
        ("  ", []),
        ("news-flywheel:TurnSchedule=rate(2 hours)", ["news-flywheel:TurnSchedule=rate(2 hours)"]),
        (
            "news-flywheel:TurnSchedule=cron(0 6 ? * MON-FRI *)  news-serving:InferenceUnits=1\nLogRetentionDays=30 ",
            [
                "news-flywheel:TurnSchedule=cron(0 6 ? * MON-FRI *)",
                "news-serving:InferenceUnits=1",
                "LogRetentionDays=30",
            ],
        ),
        (
            "'news-flywheel:TurnSchedule=rate(2 hours)' news-flywheel:TurnSchedule=\"rate(3 hours)\"",
            ["news-flywheel:TurnSchedule=rate(2 hours)", "news-flywheel:TurnSchedule=rate(3 hours)"],
        ),
        ("news-flywheel:MinimumScore 0.8", ["news-flywheel:MinimumScore 0.8"]),
    ],
)
def test_values_may_hold_spaces(text: str, single: list[str]) -> None:
    assert split_parameters(text) == single


def test_the_local_cloud_refuses_them_too(assembly: Path) -> None:
    cdk = Cdk(account=Endpoint(port=1, authority=assembly), places=Places(instance="none"))
    with pytest.raises(CdkFailed, match="Did you mean MinimumScore"), Progress().step("Deploy") as step:
        cdk.deploy(assembly=assembly, stacks=(), parameters={"news-flywheel:MinimumScor": "0.8"}, step=step)
