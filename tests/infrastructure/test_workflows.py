"""What runs in continuous integration cannot change under the project, and the example of it fits the project."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from stacks.environments import Environment, untrusted
from stacks.settings import Role
from stacks.settings_context import cdk_json_context, read_environments
from tests.documents import ROOT

EXAMPLE = ROOT / "docs" / "examples" / "github-actions"
EXAMPLES = sorted(EXAMPLE.glob("*.yml"))
WORKFLOWS = [*(ROOT / ".github" / "workflows").glob("*.yml"), *EXAMPLES]
CREDENTIALS = "aws-actions/configure-aws-credentials"


def named(path: Path) -> str:
    return path.name


def jobs(path: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load(path.read_text())["jobs"]
    return found


def steps(path: Path) -> Iterator[dict[str, Any]]:
    for job in jobs(path).values():
        yield from job.get("steps", [])


@pytest.fixture(scope="module")
def environments() -> dict[str, Environment]:
    context = cdk_json_context(path=ROOT / "cdk.json") | json.loads((EXAMPLE / "environments.json").read_text())
    return read_environments(context=context)


@pytest.mark.parametrize("path", WORKFLOWS, ids=named)
def test_every_action_is_pinned_by_commit(path: Path) -> None:
    used = [line.strip() for line in path.read_text().splitlines() if re.match(r"\s*(- )?uses:", line)]
    assert used
    for line in used:
        ours = re.fullmatch(r"uses: \./\.github/workflows/([\w-]+\.yml)", line)
        if ours:
            assert (EXAMPLE / ours[1]).is_file(), line
        else:
            assert re.fullmatch(r"(- )?uses: [\w/-]+@[0-9a-f]{40} # v[0-9.]+", line), line


def test_an_action_has_one_commit_everywhere() -> None:
    used = {step["uses"] for path in WORKFLOWS for step in steps(path) if "uses" in step}
    assert len({each.partition("@")[0] for each in used}) == len(used)


@pytest.mark.parametrize("path", EXAMPLES, ids=named)
class TestExample:
    def test_no_job_has_a_permission_that_it_does_not_name(self, path: Path) -> None:
        assert yaml.safe_load(path.read_text())["permissions"] == {}
        for name, job in jobs(path).items():
            assert job["permissions"], name

    def test_there_are_no_secrets(self, path: Path) -> None:
        assert not re.search(r"secrets\b|aws-access-key-id", path.read_text())

    def test_credentials_come_when_everything_is_installed(self, path: Path) -> None:
        for job in jobs(path).values():
            uses = [str(step.get("uses", "")).partition("@")[0] for step in job.get("steps", [])]
            runs = [step.get("run") for step in job.get("steps", [])]
            assert (CREDENTIALS in uses) == ("steps" in job and "id-token" in job["permissions"])
            if CREDENTIALS in uses:
                assert runs.index("make setup") < uses.index(CREDENTIALS)

    def test_no_expression_is_pasted_into_a_script(self, path: Path) -> None:
        assert not [step["run"] for step in steps(path) if "${{" in step.get("run", "")]

    def test_every_verb_is_one_of_make(self, path: Path) -> None:
        text = (ROOT / "Makefile").read_text()
        for step in steps(path):
            for verb in re.findall(r"\bmake ([a-z-]+)", step.get("run", "")):
                assert re.search(rf"^{verb}:.*##", text, re.MULTILINE), verb

    def test_every_script_is_one(self, path: Path) -> None:
        for step in steps(path):
            subprocess.run(["bash", "-n"], input=step.get("run", ""), text=True, check=True)

    def test_what_is_downloaded_was_uploaded(self, path: Path) -> None:
        uploaded = {
            step["with"]["name"]: step["with"]["path"]
            for other in EXAMPLES
            for step in steps(other)
            if step.get("uses", "").startswith("actions/upload-artifact@")
        }
        for step in steps(path):
            if step.get("uses", "").startswith("actions/download-artifact@") and "name" in step["with"]:
                assert uploaded[step["with"]["name"]] == step["with"]["path"] == "cdk.out/"


class TestEnvironments:
    def test_each_trusts_what_imports_from_it(self, environments: dict[str, Environment]) -> None:
        assert untrusted(environments) == {}
        assert [each.role for each in environments.values()] == [Role.TRAIN, Role.IMPORT, Role.IMPORT]

    def test_each_is_deployed_after_the_one_before(self, environments: dict[str, Environment]) -> None:
        deployed = {name: job for name, job in jobs(EXAMPLE / "main.yml").items() if name != "synth"}
        assert {name: job["with"]["environment"] for name, job in deployed.items()} == {name: name for name in deployed}
        assert list(deployed) == list(environments)
        assert [job["needs"] for job in deployed.values()] == ["synth", *deployed][:-1]

    def test_each_is_where_the_file_says(self, environments: dict[str, Environment]) -> None:
        matrix = jobs(EXAMPLE / "pull-request.yml")["diff"]["strategy"]["matrix"]["include"]
        called = [job["with"] for job in jobs(EXAMPLE / "main.yml").values() if "with" in job]
        for each in (*matrix, *called):
            environment = environments[each["environment"]]
            assert each["region"] == environment.region
            assert each["role"].split(":")[4] == environment.account
        assert [each["environment"] for each in matrix] == list(environments)

    def test_each_stands_in_the_comment(self, environments: dict[str, Environment]) -> None:
        (comment,) = [step["run"] for step in jobs(EXAMPLE / "pull-request.yml")["comment"]["steps"] if "run" in step]
        assert f"for environment in {' '.join(environments)}; do" in comment

    def test_github_asks_for_approval_by_the_environments_name(self) -> None:
        assert jobs(EXAMPLE / "deploy-environment.yml")["deploy"]["environment"] == "${{ inputs.environment }}"
