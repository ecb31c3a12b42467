"""`make deploy ENV=...` and its like: from the assembly that `make synth` left, with the environment's parameters."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from typer.testing import CliRunner

from ops.deploy import destroy
from ops.deployment.environments import (
    SynthesisedEnvironment,
    SynthesisedEnvironments,
    digests,
    find_environment,
    with_given,
    write_environments,
)
from ops.deployment.errors import NotSynthesisedError, OperatorError
from ops.deployment.synthesised import read_synthesised
from ops.main import app
from tests.infrastructure.ops.test_deploy import CDK, TELL
from tests.infrastructure.synthesised import ROOT, Synthesised

UNITS, SCORE = "news-serving:InferenceUnits=1", "news-flywheel:MinimumScore=0.4"
NAMED = {
    "dev": SynthesisedEnvironment(
        flywheel="news", role="train", account="111122223333", region="eu-west-1", folder="assembly-dev",
        parameters=(SCORE, UNITS),
    ),
    "prod": SynthesisedEnvironment(
        flywheel="live", role="import", account="444455556666", region="eu-west-1", folder="assembly-prod",
        parameters=(),
    ),
}  # fmt: skip


@pytest.fixture
def here(tmp_path: Path, default: Synthesised, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone with sources, and an assembly that was made of them just now."""
    folder = tmp_path / "clone"
    assembly = folder / "cdk.out"
    for each in ("stacks", "lambdas"):
        (folder / each).mkdir(parents=True)
        (folder / each / "module.py").write_text("VALUE = 1\n")
    for each in ("app.py", "requirements.txt"):
        (folder / each).write_text("\n")
    (folder / "cdk.json").write_text(
        json.dumps({"context": {"flywheel": {"name": "news"}, "environments": {"dev": {}}}})
    )
    assembly.mkdir()
    (assembly / "manifest.json").write_text("{}")
    for name in NAMED:
        (assembly / f"assembly-{name}").symlink_to(default.folder)
    write_environments(assembly, SynthesisedEnvironments(sources=digests(folder), environments=NAMED))
    monkeypatch.chdir(folder)
    return folder


Make = Callable[..., tuple[str, list[str]]]


@pytest.fixture
def make(here: Path, tmp_path: Path) -> Make:
    """Returns what the verb said, and what the CDK CLI was called with."""
    (here / "ops").symlink_to(ROOT / "ops")
    command, told = tmp_path / "cdk.py", tmp_path / "told.json"
    command.write_text(TELL)
    installed = ("-o", ".venv/installed", "-o", "node_modules/.package-lock.json", f"BIN={Path(sys.executable).parent}")

    def run(*arguments: str, **environment: str) -> tuple[str, list[str]]:
        done = subprocess.run(
            ["make", "-f", str(ROOT / "Makefile"), *arguments, *installed, f"CDK={sys.executable} {command}"],
            cwd=here,
            env={**os.environ, "TOLD": str(told), **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stderr, json.loads(told.read_text())[0] if told.exists() else []

    return run


class TestMake:
    def test_deploy(self, make: Make) -> None:
        said, arguments = make("deploy", "ENV=dev", "ARGS=--concurrency 2")
        assert arguments == [
            *("deploy", "dev/*", "--app", "cdk.out", "--parameters", SCORE, "--parameters", UNITS),
            *("--concurrency", "2"),
        ]
        assert 'make deploy ENV=dev ARGS="--require-approval never"' in said

    def test_parameters_stand_above_those_of_the_environment(self, make: Make) -> None:
        _, arguments = make("deploy", "ENV=dev", "PARAMETERS=news-serving:InferenceUnits=3")
        assert arguments[4:] == ["--parameters", SCORE, "--parameters", "news-serving:InferenceUnits=3"]

    def test_diff(self, make: Make) -> None:
        _, arguments = make("diff", "ENV=dev", "ARGS=--fail")
        assert arguments == [
            "diff",
            "dev/*",
            "--app",
            "cdk.out",
            "--parameters",
            SCORE,
            "--parameters",
            UNITS,
            "--fail",
        ]

    @pytest.mark.parametrize("method", ["--method=template", "--method template", "-m template", "--template=x.json"])
    def test_a_diff_of_templates_takes_no_parameters(self, make: Make, method: str) -> None:
        """The CDK CLI refuses them."""
        _, arguments = make("diff", "ENV=dev", f"ARGS={method}")
        assert arguments == ["diff", "dev/*", "--app", "cdk.out", *method.split()]

    def test_destroy_where_nothing_trains(self, make: Make) -> None:
        _, arguments = make("destroy", "ENV=prod", "ARGS=--force")
        assert arguments == ["destroy", "prod/*", "--app", "cdk.out", "--force"]

    def test_destroy_without_a_terminal_does_not_begin(self, make: Make) -> None:
        said, arguments = make("destroy", "ENV=prod")
        assert "there is nobody to ask" in said
        assert arguments == []

    @pytest.mark.parametrize("verb", ["deploy", "diff", "destroy"])
    def test_an_environment_has_to_be_said(self, make: Make, verb: str) -> None:
        # Some shells have a variable ENV of their own.
        said, arguments = make(verb, "ARGS=--force", ENV="/root/.profile")
        assert f"cdk.json has the environments dev: say which, such as `make {verb} ENV=dev`." in said
        assert arguments == []

    @pytest.mark.parametrize("verb", ["deploy", "diff", "destroy"])
    def test_an_environment_that_is_none(self, make: Make, verb: str) -> None:
        said, arguments = make(verb, "ENV=prd", "ARGS=--force")
        assert "There is no environment prd in cdk.out. Did you mean prod?" in said
        assert arguments == []

    def test_a_wrong_parameter_is_refused_without_synthesis(self, make: Make) -> None:
        said, arguments = make("deploy", "ENV=dev", "PARAMETERS=news-serving:InferenceUnit=3")
        assert "The environment dev cannot be deployed: news-serving:InferenceUnit=3" in said
        assert "Did you mean InferenceUnits?" in said
        assert arguments == []

    def test_context_would_come_too_late(self, make: Make) -> None:
        said, arguments = make("deploy", "ENV=dev", "ARGS=-c labels=A,B")
        assert "-c labels=A,B would change nothing" in said
        assert arguments == []


class TestCurrent:
    def test_it_is_found(self, here: Path) -> None:
        assert find_environment(here, "prod") == NAMED["prod"]

    def test_times_say_nothing(self, here: Path) -> None:
        """A checkout and an unpacked artifact have those of that moment."""
        for each in (here / "app.py", here / "cdk.json", here / "stacks" / "module.py"):
            os.utime(each, (2_000_000_000, 2_000_000_000))
        (here / "stacks" / "__pycache__").mkdir()
        (here / "stacks" / "__pycache__" / "module.pyc").write_bytes(b"x")
        assert find_environment(here, "dev") == NAMED["dev"]

    @pytest.mark.parametrize("name", ["app.py", "cdk.json", "lambdas/module.py", "stacks/module.py", "stacks/new.py"])
    def test_what_was_changed_since_is_named(self, here: Path, name: str) -> None:
        (here / name).write_text('{"context": {}}')
        with pytest.raises(NotSynthesisedError, match=rf"cdk.out is older .*\({name.partition('/')[0]} changed"):
            find_environment(here, "dev")

    def test_what_moved_from_one_file_to_the_next_is_seen(self, here: Path) -> None:
        (here / "stacks" / "module.py").rename(here / "stacks" / "modules.py")
        with pytest.raises(NotSynthesisedError, match="stacks changed since"):
            find_environment(here, "dev")

    def test_without_an_assembly(self, here: Path) -> None:
        shutil.rmtree(here / "cdk.out")
        with pytest.raises(NotSynthesisedError, match=r"no templates in cdk\.out: run `make synth` first"):
            find_environment(here, "dev")

    def test_an_assembly_from_before_there_were_environments(self, here: Path) -> None:
        write_environments(here / "cdk.out", None)
        with pytest.raises(NotSynthesisedError, match="holds no environments: run `make synth` again"):
            find_environment(here, "dev")
        (here / "cdk.json").write_text('{"context": {}}')
        with pytest.raises(NotSynthesisedError, match=r"cdk\.json names none"):
            find_environment(here, "dev")

    def test_what_another_version_wrote(self, here: Path) -> None:
        (here / "cdk.out" / "environments.json").write_text('{"environments": {}}')
        with pytest.raises(NotSynthesisedError, match="run `make synth` again"):
            find_environment(here, "dev")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], [SCORE, UNITS]),
        (["news-serving:InferenceUnits=0"], [SCORE, "news-serving:InferenceUnits=0"]),
        # The CLI has those of a stack above those of all stacks.
        (["InferenceUnits=0"], [SCORE, "InferenceUnits=0"]),
        (["news-analysis:InferenceUnits=0"], [SCORE, UNITS, "news-analysis:InferenceUnits=0"]),
    ],
)
def test_what_is_given_replaces_what_the_environment_has(given: Sequence[str], expected: Sequence[str]) -> None:
    assert with_given(NAMED["dev"].parameters, given) == expected


class AnotherAccount(BaseHTTPRequestHandler):
    """STS, and nothing else of AWS: whatever else is asked for fails the test."""

    asked: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        self.asked.append(self.headers["Authorization"].split("/")[2])
        namespace = "https://sts.amazonaws.com/doc/2011-06-15/"
        body = (
            f'<GetCallerIdentityResponse xmlns="{namespace}"><GetCallerIdentityResult><Account>777788889999</Account>'
            "</GetCallerIdentityResult></GetCallerIdentityResponse>"
        ).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def test_another_accounts_flywheel_is_not_paused(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may have the same name."""
    server = HTTPServer(("127.0.0.1", 0), AnotherAccount)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    try:
        with pytest.raises(OperatorError, match="these credentials are of the account 777788889999, not of the fly"):
            destroy(["false"], arguments=["--force"], environment="dev", confirm=None, say=print)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert AnotherAccount.asked == ["eu-west-1"], "asked once, in the environment's Region"


def test_what_only_imports_is_destroyed_without_a_pause(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No account is asked: there are no credentials, and no Region, in this process."""
    (tmp_path / "cdk.json").write_text('{"context": {"flywheel": {"name": "news", "role": "import"}}}')
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    asked: list[str] = []

    def confirm(question: str) -> bool:
        asked.append(question)
        return True

    command = (sys.executable, "-c", "raise SystemExit(7)")
    assert destroy(command, arguments=[], confirm=confirm, say=print) == 7
    assert asked == ["Destroy the stacks of the imported models of news? Buckets and models are kept."]


@pytest.mark.usefixtures("here")
class TestReading:
    """What `flywheel cost --settings` and `flywheel doctor` work with."""

    def test_an_environment_has_its_parameters(self) -> None:
        found = read_synthesised(environment="dev", parameters=["news-flywheel:ModelsToKeep=9"])
        (stack,) = [each for each in found.stacks if each.name == "news-flywheel"]
        assert (stack.parameters["MinimumScore"], stack.parameters["ModelsToKeep"]) == ("0.4", "9")
        assert found.endpoint_target is not None
        assert found.endpoint_target.inference_units == 1

    @pytest.mark.parametrize(
        ("arguments", "status", "said"),
        [
            (["cost", "--settings", "--env", "dev"], 0, "Endpoint"),
            (["cost", "--settings", "--env", "de"], 1, "There is no environment de in cdk.out. Did you mean dev?"),
            (["cost", "--env", "dev"], 2, "go with"),
        ],
    )
    def test_the_command_line_takes_a_name(self, arguments: list[str], status: int, said: str) -> None:
        done = CliRunner().invoke(app, arguments, env={"COLUMNS": "200"})
        assert done.exit_code == status, done.output
        assert said in done.output

    def test_one_has_to_be_said(self, here: Path, default: Synthesised) -> None:
        shutil.copy(default.folder / "manifest.json", here / "cdk.out")
        for each in default.folder.glob("*.template.json"):
            shutil.copy(each, here / "cdk.out")
        os.utime(here / "cdk.json", (0, 0))
        with pytest.raises(NotSynthesisedError, match="holds the environments dev, prod: say which, such as --env dev"):
            read_synthesised()


def test_make_synth_lets_no_error_in_a_stage_pass(tmp_path: Path) -> None:
    """Without a pattern the CDK CLI looks at no stack in a stage, and succeeds whatever was found."""
    shown = subprocess.run(
        ["make", "-n", "synth", "-o", ".venv/installed", "-o", "node_modules/.package-lock.json", "CDK=cdk"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    (command,) = [line for line in shown.splitlines() if "cdk synth" in line]
    (tmp_path / "app.py").write_text(
        "import aws_cdk as cdk\n"
        "app = cdk.App(analytics_reporting=False)\n"
        "stack = cdk.Stack(cdk.Stage(app, 'prod'), 'empty')\n"
        "cdk.Annotations.of(stack).add_error('no resources')\n"
        "app.synth()\n"
    )
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    cli = f"node {CDK} --app '{sys.executable} {tmp_path}/app.py' --no-notices"
    done = subprocess.run(
        ["sh", "-c", command.removeprefix("@").replace("cdk synth", f"{cli} synth", 1)],
        cwd=tmp_path,
        env={**os.environ, "PATH": path, "CDK_HOME": str(tmp_path), "AWS_EC2_METADATA_DISABLED": "true"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "no resources" in done.stderr


def test_make_check_lints_the_templates_of_environments(here: Path) -> None:
    shown = subprocess.run(["make", "-n", "check"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    (command,) = [line for line in shown.splitlines() if "cfn-lint" in line]
    (here / "cdk.out" / "assembly-test").mkdir()
    (here / "cdk.out" / "assembly-test" / "testnews.template.json").touch()
    linted = subprocess.run(
        ["sh", "-c", command.replace(".venv/bin/cfn-lint", "echo")],
        cwd=here,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert linted == ["cdk.out/assembly-test/testnews.template.json"]
