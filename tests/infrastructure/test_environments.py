"""Environments: what `cdk.json` may say of them, and the stages that are made of it."""

from __future__ import annotations

import functools
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import lint_file
from cfnlint.config import ManualArgs

from ops.deployment.environments import ENVIRONMENTS_FILE, SynthesisedEnvironments, digests
from stacks.environments import Environment, untrusted
from stacks.settings_context import SettingsError, cdk_json_context, read_environments, read_settings
from tests.infrastructure.synthesised import ROOT, Synthesised, as_text, run_app

CDK = ROOT / "node_modules" / "aws-cdk" / "bin" / "cdk"
CONTEXT = cdk_json_context(path=ROOT / "cdk.json")
DEV: dict[str, Any] = {"account": "111122223333", "region": "eu-west-1"}
PROD: dict[str, Any] = {
    "account": "444455556666",
    "region": "eu-west-1",
    "role": "import",
    "parameters": {"import": {"SourceAccount": "111122223333", "SourceFlywheelName": "news"}},
}


def trusting(principals: Any) -> dict[str, Any]:
    return {**DEV, "parameters": {"flywheel": {"TrustedAccounts": principals}}}


def environments(named: Any, **context: Any) -> dict[str, Environment]:
    return read_environments(context={**CONTEXT, "environments": named, **context})


def refusal(named: Any, **context: Any) -> str:
    with pytest.raises(SettingsError) as refused:
        environments(named, **context)
    return str(refused.value)


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ({"region": "eu-west-1"}, ["dev: account is missing", "12 digits"]),
        ({**DEV, "account": 111122223333}, ["dev: account is 111122223333", "12 digits of an account in quotes"]),
        ({**DEV, "account": "11112222333"}, ["dev: account is '11112222333'", "12 digits"]),
        ({"account": DEV["account"]}, ["dev: region is missing: a Region, such as eu-west-1"]),
        ({**DEV, "region": "Ireland"}, ["dev: region is 'Ireland'", "such as eu-west-1"]),
        ({**DEV, "acount": "1"}, ["dev: acount is not a setting; did you mean account?"]),
        (
            {**DEV, "permission_boundary": "x"},
            ["dev: permission_boundary is not a setting; did you mean permissions_b"],
        ),
        ({**DEV, "role": "serve"}, ["dev: role is 'serve'", "'train' or 'import'"]),
        ({**DEV, "labels": ["ONE"]}, ["dev: labels: 1 given"]),
        ({**DEV, "parameters": {"flywheels": {}}}, ["dev: parameters.flywheels is 'flywheels'", "'flywheel'"]),
        (
            {**DEV, "parameters": {"import": {}}},
            ["dev: parameters.import", "train", "flywheel, serving, analysis"],
        ),
        ({**PROD, "parameters": {"flywheel": {}}}, ["dev: parameters.flywheel", "import, serving, analysis"]),
        ({**DEV, "parameters": {"serving": {"InferenceUnits": [1]}}}, ["parameters.serving.InferenceUnits is [1]"]),
        ({**DEV, "parameters": {"serving": 1}}, ["dev: parameters.serving is 1", "an object with parameters by stack"]),
        ({**DEV, "parameters": "x"}, ["dev: parameters is 'x'", "an object with parameters by stack"]),
        ("eu-west-1", ["\"environments.dev\" must be an object of settings, not 'eu-west-1'"]),
    ],
)
def test_what_an_environment_cannot_have(own: Any, expected: list[str]) -> None:
    said = refusal({"dev": own})
    for part in expected:
        assert part in said


def test_everything_wrong_is_said_at_once() -> None:
    said = refusal({"dev": {**DEV, "mode": "BOTH", "regoin": "x"}, "prod": {**PROD, "account": "1"}})
    assert said.count("\n  - dev: ") == 2
    assert said.count("\n  - prod: ") == 1


@pytest.mark.parametrize("name", ["Prod", "1st", "eu west", "prod/*", "x" * 33, ""])
def test_a_name_that_no_environment_can_have(name: str) -> None:
    assert "small letters, digits and hyphens" in refusal({name: DEV})


def test_environments_that_are_no_object() -> None:
    assert '"environments" must be an object' in refusal(["dev"])


def test_a_misspelt_key_is_told() -> None:
    with pytest.raises(SettingsError, match=r"enviroments is no setting; did you mean environments\?"):
        read_settings(context={**CONTEXT, "enviroments": {"dev": DEV}})


@pytest.mark.parametrize("none", [{}, "{}"])
def test_without_one_there_are_none(none: Any) -> None:
    assert environments(none) == {}
    assert read_environments(context=CONTEXT) == {}


def test_the_documents_example_is_one() -> None:
    text = (ROOT / "docs" / "operating.md").read_text().partition("\n## Environments\n")[2]
    example = text.partition("```json\n")[2].partition("```")[0]
    found = read_environments(context=json.loads(f"{{{example}}}"))
    assert untrusted(found) == {}
    assert [each.given for each in found.values()] == [
        ["news-flywheel:TrustedAccounts=444455556666"],
        [
            "news-import:SourceAccount=111122223333",
            "news-import:SourceFlywheelName=news",
            "news-serving:InferenceUnits=2",
        ],
    ]


class TestSettings:
    def test_what_all_share_holds_unless_an_environment_has_its_own(self) -> None:
        found = environments({"dev": DEV, "prod": {**PROD, "language": "fr", "tags": {"stage": "prod"}}})
        assert (found["dev"].name, found["prod"].name) == ("news", "news")
        assert (found["dev"].language, found["prod"].language) == ("en", "fr")
        assert found["prod"].tags == {"stage": "prod"}
        assert found["prod"].labels == found["dev"].labels

    def test_a_context_key_of_its_own_stands_above_both(self) -> None:
        found = environments({"dev": {**DEV, "language": "fr"}, "prod": PROD}, language="de")
        assert {each.language for each in found.values()} == {"de"}

    def test_another_type_of_model_leaves_the_labels_behind(self) -> None:
        own = {**DEV, "model_type": "ENTITY_RECOGNIZER", "entity_types": ["PERSON"]}
        assert environments({"dev": own})["dev"].task_labels == ("PERSON",)

    def test_as_text_they_are_read_as_the_cli_gives_them(self) -> None:
        assert environments(json.dumps({"dev": DEV}))["dev"].region == "eu-west-1"

    def test_parameters_are_text_as_cloudformation_takes_it(self) -> None:
        values = {"InferenceUnits": 2, "Share": 0.25, "Flag": True, "Hours": "cron(0 6 * * ? *)"}
        assert environments({"dev": {**DEV, "parameters": {"serving": values}}})["dev"].given == [
            "news-serving:InferenceUnits=2",
            "news-serving:Share=0.25",
            "news-serving:Flag=true",
            "news-serving:Hours=cron(0 6 * * ? *)",
        ]


KEY = {"mode": "existing", "key_arn": "arn:aws:kms:{}:{}:key/00000000-1111-2222-3333-444455556666"}
MODEL = "arn:aws:comprehend:{}:{}:document-classifier/first/version/1"
ACL = "arn:aws:wafv2:{}:{}:regional/webacl/api/00000000-1111-2222-3333-444455556666"
HERE, THERE, OTHER = DEV["region"], "us-east-1", "999999999999"


@pytest.mark.parametrize(
    ("own", "refused"),
    [
        ({"initial_model_arn": MODEL.format(HERE, DEV["account"])}, None),
        ({"initial_model_arn": MODEL.format(THERE, DEV["account"])}, "initial_model_arn"),
        ({"initial_model_arn": MODEL.format(HERE, OTHER)}, "initial_model_arn"),
        ({"encryption": {**KEY, "key_arn": KEY["key_arn"].format(HERE, OTHER)}}, None),
        ({"encryption": {**KEY, "key_arn": KEY["key_arn"].format(THERE, DEV["account"])}}, "encryption.key_arn"),
        ({"api_web_acl": ACL.format(HERE, DEV["account"])}, None),
        ({"api_web_acl": ACL.format(THERE, DEV["account"])}, "api_web_acl"),
        ({"permissions_boundary": f"arn:aws:iam::{DEV['account']}:policy/p"}, None),
        ({"permissions_boundary": "arn:aws:iam::aws:policy/p"}, None),
        ({"permissions_boundary": f"arn:aws:iam::{OTHER}:policy/p"}, "permissions_boundary"),
    ],
)
def test_what_the_settings_name_is_where_the_environment_is(own: dict[str, Any], refused: str | None) -> None:
    data = {"initial_model_data": ["s3://data/train/"]} if "initial_model_arn" in own else {}
    if refused is None:
        assert environments({"dev": {**DEV, **own, **data}})
    else:
        said = refusal({"dev": {**DEV, **own, **data}})
        assert f"dev: {refused}: arn:aws:" in said
        assert "is not in the account 111122223333" in said or "is not in eu-west-1" in said


class TestPlaces:
    @pytest.mark.parametrize("other", [{"account": "777788889999"}, {"region": "us-east-1"}, {"name": "reviews"}])
    def test_each_deployment_is_one_of_its_own(self, other: dict[str, str]) -> None:
        assert "dev and staging are the same deployment" in refusal({"dev": DEV, "staging": DEV})
        assert len(environments({"dev": DEV, "staging": {**DEV, **other}})) == 2

    def test_a_source_in_another_region_is_refused(self) -> None:
        said = refusal({"dev": DEV, "prod": {**PROD, "region": "us-east-1"}})
        assert "prod: its region is us-east-1, but its source dev is in eu-west-1; Comprehend imports" in said

    @pytest.mark.parametrize(
        "parameters",
        [
            {},
            {"import": {"SourceAccount": "999999999999"}},
            {"import": {"SourceAccount": DEV["account"], "SourceFlywheelName": "reviews"}},
        ],
    )
    def test_a_source_that_is_no_environment_may_be_anywhere(self, parameters: dict[str, Any]) -> None:
        assert environments({"dev": DEV, "prod": {**PROD, "region": "us-east-1", "parameters": parameters}})

    def test_one_source_of_several_in_the_same_region_is_enough(self) -> None:
        assert environments({"old": {**DEV, "region": "us-east-1"}, "dev": DEV, "prod": PROD})


@pytest.mark.parametrize(
    ("source", "warned"),
    [
        (DEV, True),
        (trusting("none"), True),
        (trusting("777788889999"), True),
        (trusting("777788889999, 444455556666"), False),
        (trusting("arn:aws:iam::444455556666:role/importers"), False),
        ({**DEV, "account": PROD["account"], "name": "source"}, False),
    ],
)
def test_a_target_that_its_source_does_not_trust_is_told_of(source: dict[str, Any], warned: bool) -> None:
    target = {**PROD, "parameters": {"import": {"SourceAccount": source["account"]}}}
    found = untrusted(environments({"dev": source, "prod": target}))
    assert list(found) == (["prod"] if warned else [])
    assert all("TrustedAccounts of dev does not name 444455556666" in sentence for sentence in found.values())


def in_dev(value: Any) -> Any:
    """A template, or a value of one, as it is in the account and Region of DEV."""
    match value:
        case {"Fn::Join": _} | {"Ref": "AWS::AccountId" | "AWS::Region" | "AWS::Partition"}:
            return in_dev(as_text(value))
        case {"Fn::Sub": str(text)}:
            return in_dev(re.sub(r"\$\{(.*?)\}", r"<\1>", text))
        case dict():
            return {name: in_dev(each) for name, each in value.items()}
        case list():
            return [in_dev(each) for each in value]
        case str():
            known = {"<AWS::AccountId>": DEV["account"], "<AWS::Region>": DEV["region"], "<AWS::Partition>": "aws"}
            return functools.reduce(lambda text, name: text.replace(name, known[name]), known, value)
    return value


@pytest.fixture(scope="module")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    outdir = tmp_path_factory.mktemp("environments") / "cdk.out"
    named = {
        "dev": {**DEV, "parameters": {"flywheel": {"MinimumScore": 0.4}}},
        "prod": {**PROD, "name": "live", "parameters": {"serving": {"InferenceUnits": 2}}},
    }
    done = run_app(context={"environments": named}, outdir=outdir)
    assert done.returncode == 0, done.stderr
    return outdir


@pytest.fixture(scope="module")
def stacks(assembly: Path) -> dict[str, dict[str, Any]]:
    """Each stack's artifact, and its folder, by its path."""
    return {
        artifact["displayName"].split()[0]: artifact | {"folder": str(folder)}
        for folder in sorted(assembly.glob("assembly-*"))
        for artifact in json.loads((folder / "manifest.json").read_text())["artifacts"].values()
        if artifact["type"] == "aws:cloudformation:stack"
    }


class TestStages:
    def test_each_environment_has_the_stacks_of_its_role(self, stacks: dict[str, Any]) -> None:
        assert {path: each["properties"]["stackName"] for path, each in stacks.items()} == {
            **{f"dev/news-{kind}": f"news-{kind}" for kind in ("flywheel", "serving", "analysis")},
            **{f"prod/live-{kind}": f"live-{kind}" for kind in ("import", "serving", "analysis")},
        }

    def test_the_cli_knows_those_of_an_environment_by_its_name(self, assembly: Path, tmp_path: Path) -> None:
        listed = subprocess.run(
            ["node", str(CDK), "ls", "prod/*", "--app", str(assembly), "--no-notices"],
            cwd=tmp_path,
            env={**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert {line.split()[0] for line in listed.splitlines()} == {
            f"prod/live-{kind}" for kind in ("import", "serving", "analysis")
        }

    def test_each_stack_is_bound_to_the_account_and_the_region(self, stacks: dict[str, Any]) -> None:
        assert {path.partition("/")[0]: each["environment"] for path, each in stacks.items()} == {
            "dev": "aws://111122223333/eu-west-1",
            "prod": "aws://444455556666/eu-west-1",
        }

    @pytest.mark.parametrize("path", ["dev/news-flywheel", "prod/live-import"])
    def test_the_others_come_after_the_first(self, stacks: dict[str, Any], path: str) -> None:
        ids = {found.partition(" ")[0]: Path(each["properties"]["templateFile"]).name for found, each in stacks.items()}
        first = ids[path].removesuffix(".template.json")
        for kind in ("serving", "analysis"):
            assert first in stacks[f"{path.rpartition('-')[0]}-{kind}"]["dependencies"]

    @pytest.mark.parametrize("kind", ["flywheel", "serving", "analysis"])
    def test_a_deployment_that_becomes_an_environment_changes_nothing(
        self, stacks: dict[str, Any], default: Synthesised, kind: str
    ) -> None:
        """Its template has the account and the Region as words, where the other asks CloudFormation for them."""
        stack = stacks[f"dev/news-{kind}"]
        now = json.loads((Path(stack["folder"]) / stack["properties"]["templateFile"]).read_text())
        assert in_dev(now) == in_dev(default.beside(kind).template)

    def test_the_code_is_there_once(self, assembly: Path) -> None:
        assert len(list(assembly.rglob("asset.*"))) == 1

    def test_cfn_lint_finds_nothing(self, assembly: Path) -> None:
        for path in assembly.glob("assembly-*/*-serving*.template.json"):
            assert lint_file(path, config=ManualArgs(regions=["eu-west-1"])) == []

    def test_what_is_handed_over(self, assembly: Path) -> None:
        found = SynthesisedEnvironments.model_validate_json((assembly / ENVIRONMENTS_FILE).read_text())
        assert found.sources == digests(ROOT)
        assert set(found.sources) == {"app.py", "cdk.json", "lambdas", "requirements.txt", "stacks"}
        prod = found.environments["prod"]
        assert (prod.flywheel, prod.role, prod.account, prod.region) == ("live", "import", "444455556666", "eu-west-1")
        assert prod.parameters == ("live-serving:InferenceUnits=2",)
        assert (assembly / prod.folder / "manifest.json").is_file()


def test_a_parameter_that_no_stack_of_the_environment_has_stops_the_synthesis(tmp_path: Path) -> None:
    wrong = {**DEV, "parameters": {"flywheel": {"MinimumScor": 0.4}, "serving": {"InferenceUnits": -1}}}
    done = run_app(context={"environments": {"dev": wrong}}, outdir=tmp_path / "out")
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith(
        "The environment dev cannot be deployed: news-flywheel:MinimumScor=0.4: news-flywheel has no parameter "
        "MinimumScor. Did you mean MinimumScore? news-serving:InferenceUnits is '-1': "
    )


def test_the_warning_stands_at_the_stack_that_imports(tmp_path: Path) -> None:
    run_app(context={"environments": {"dev": DEV, "prod": PROD}}, outdir=tmp_path)
    (metadata,) = tmp_path.glob("assembly-prod/*import*.metadata.json")
    assert "TrustedAccounts of dev does not name 444455556666" in metadata.read_text()


def test_each_environment_has_to_pass_the_packs_that_it_names(tmp_path: Path) -> None:
    named = {"lab": {**DEV, "name": "lab"}, "bank": {**DEV, "nag_packs": ["NIST.800.53.R5"]}}
    done = run_app(context={"environments": named}, outdir=tmp_path, checked=True)
    assert done.returncode != 0
    assert "bank/news-flywheel" in done.stderr
    assert "lab/lab-" not in done.stderr
    assert not (tmp_path / ENVIRONMENTS_FILE).exists()


def test_the_role_needs_no_environments(tmp_path: Path) -> None:
    (tmp_path / ENVIRONMENTS_FILE).write_text("{}")
    done = run_app(context={"role": "import"}, outdir=tmp_path)
    assert done.returncode == 0, done.stderr
    artifacts = json.loads((tmp_path / "manifest.json").read_text())["artifacts"]
    stacks = {name for name, each in artifacts.items() if each["type"] == "aws:cloudformation:stack"}
    assert stacks == {"news-import", "news-serving", "news-analysis"}
    assert all("news-import" in artifacts[name]["dependencies"] for name in stacks - {"news-import"})
    assert not (tmp_path / ENVIRONMENTS_FILE).exists(), "an earlier assembly's environments are forgotten"
