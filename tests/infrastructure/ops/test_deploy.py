"""`make deploy` and the CDK CLI: what they are given reaches the app, which refuses what no stack has."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.infrastructure.synthesised import ROOT, run_app

CDK = ROOT / "node_modules" / "aws-cdk" / "bin" / "cdk"
TELL = (
    "import json, os, pathlib, sys; pathlib.Path(os.environ['TOLD']).write_text("
    "json.dumps([sys.argv[1:], json.loads(os.environ.get('GIVEN_PARAMETERS', 'null'))])); sys.exit(3)"
)
"""In place of the CDK CLI: writes down what it was called with."""


def make(told: Path, *arguments: str) -> tuple[subprocess.CompletedProcess[str], list[list[str]]]:
    command = told.with_suffix(".py")
    command.write_text(TELL)
    # As if all was installed: tests run beside each other.
    installed = ("-o", ".venv/installed", "-o", "node_modules/.package-lock.json", f"BIN={Path(sys.executable).parent}")
    done = subprocess.run(
        ["make", *arguments, *installed, f"CDK={sys.executable} {command}"],
        cwd=ROOT,
        env={**os.environ, "TOLD": str(told)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return done, json.loads(told.read_text()) if told.exists() else []


def test_make_deploy_gives_parameters_and_arguments_as_they_are(tmp_path: Path) -> None:
    schedule, score = "news-flywheel:TurnSchedule=cron(0 6 ? * MON-FRI *)", "news-flywheel:MinimumScore=0.8"
    done, (arguments, given) = make(
        tmp_path / "told.json",
        "deploy",
        f"PARAMETERS={schedule} {score}",
        'ARGS=--require-approval never -c \'labels=["A B", "C"]\'',
    )
    assert given == [schedule, score]
    assert arguments == [
        *("deploy", "--all", "--parameters", schedule, "--parameters", score),
        *("--require-approval", "never", "-c", 'labels=["A B", "C"]'),
    ]
    assert done.returncode == 2
    assert "Error 3" in done.stderr, "the exit status of the CLI"


def test_a_deployment_that_fails_where_nobody_can_approve_says_how(tmp_path: Path) -> None:
    done, _ = make(tmp_path / "told.json", "deploy")
    assert 'ARGS="--require-approval never"' in done.stderr


def test_make_destroy_without_a_terminal_does_not_begin(tmp_path: Path) -> None:
    done, called = make(tmp_path / "told.json", "destroy")
    assert "Nothing was destroyed: there is nobody to ask." in done.stderr
    assert "ARGS=--force" in done.stderr
    assert called == []


def test_make_diff(tmp_path: Path) -> None:
    _, (arguments, _) = make(tmp_path / "told.json", "diff", "ARGS=news-serving")
    assert arguments == ["diff", "news-serving"]


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="only Linux lets one read the CLI's command line")
def test_the_app_sees_the_parameters_of_a_cli_that_was_run_by_hand(tmp_path: Path) -> None:
    seen = tmp_path / "seen.json"
    app = tmp_path / "app.py"
    app.write_text(
        "import json, pathlib, sys\nfrom ops.deployment.given_parameters import given_to_cdk\n"
        f"pathlib.Path({str(seen)!r}).write_text(json.dumps(given_to_cdk()))\nsys.exit(1)\n"
    )
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    subprocess.run(
        [
            *("node", str(CDK), "deploy", "--all", "--app", f"{sys.executable} {app}", "--no-notices"),
            *("--parameters", "news-flywheel:TurnSchedule=rate(2 hours)", "--parameters=news-flywheel:MinimumScor=0.8"),
        ],
        cwd=tmp_path,
        env={
            **inherited,
            "PATH": path,
            "PYTHONPATH": str(ROOT),
            "CDK_HOME": str(tmp_path),
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_REGION": "us-east-1",
        },
        capture_output=True,
        check=False,
    )
    assert json.loads(seen.read_text()) == ["news-flywheel:TurnSchedule=rate(2 hours)", "news-flywheel:MinimumScor=0.8"]


def test_a_wrong_parameter_stops_the_synthesis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIVEN_PARAMETERS", json.dumps(["news-flywheel:MinimumScor=0.8", "news-serving:PollSeconds=60"]))
    # What the templates are like is looked at elsewhere.
    monkeypatch.setenv("CDK_VALIDATION", "false")
    done = run_app(context={}, outdir=tmp_path / "out")
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1] == (
        "This cannot be deployed: news-flywheel:MinimumScor=0.8: news-flywheel has no parameter MinimumScor. "
        "Did you mean MinimumScore?"
    )
