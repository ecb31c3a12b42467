"""`make destroy`: what stops it before the stacks are gone leaves the pipeline as it was."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from flywheel.records import turns as turn_keys
from flywheel.records.one_at_a_time import Current
from flywheel.records.turns import PAUSE_KEY, Pause
from local.cloud import CloudAccount
from ops.deploy import destroy
from ops.deployment.clients import Clients
from ops.deployment.errors import OperatorError
from ops.deployment.published import Deployment, find_deployment
from ops.verbs import pause
from tests.local_cloud.ops import ops_stack

NAME = "leaving"
FAILS = (sys.executable, "-c", "raise SystemExit(7)")
"""In place of the CDK CLI. It takes any arguments."""


@pytest.fixture(scope="module")
def deployed(account: CloudAccount) -> CloudAccount:
    ops_stack.deploy(account, name=NAME, physical_name=f"{NAME}-0a1b2c3d")
    return account


@pytest.fixture
def deployment(deployed: CloudAccount, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Deployment:
    """Found as `make destroy` finds it: by the environment, and the settings in this folder."""
    for variable, value in deployed.environment().items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setenv("FLYWHEEL_NAME", "another")
    (tmp_path / "cdk.json").write_text('{"context": {"flywheel": {"name": "another"}}}')
    monkeypatch.chdir(tmp_path)
    return find_deployment(Clients(deployed.session()), name=NAME)


def run(
    *, cdk: Sequence[str] = FAILS, arguments: Sequence[str] = ("--force",), timeout_seconds: float = 60
) -> tuple[int, list[str]]:
    said: list[str] = []
    status = destroy(
        cdk,
        arguments=[*arguments, "-c", f"name={NAME}"],
        confirm=None,
        say=said.append,
        timeout_seconds=timeout_seconds,
        poll_seconds=0.1,
    )
    return status, said


def paused(deployment: Deployment) -> bool:
    return deployment.intake.read(PAUSE_KEY, Pause) is not None


def test_a_destroy_that_fails_ends_its_pause(deployment: Deployment) -> None:
    status, said = run()
    assert status == 7
    assert not paused(deployment)
    assert said[-1] == f"{NAME} was not destroyed; its pause has ended."


def test_while_the_stacks_are_destroyed_it_is_paused(deployment: Deployment, tmp_path: Path) -> None:
    called = tmp_path / "called"
    sees = (
        "import boto3, pathlib, sys;"
        f"boto3.client('s3').head_object(Bucket={deployment.intake.name!r}, Key={PAUSE_KEY!r});"
        f"pathlib.Path({str(called)!r}).write_text(' '.join(sys.argv[1:]))"
    )
    assert run(cdk=(sys.executable, "-c", sees), arguments=("-f", "--verbose"))[0] == 0
    assert called.read_text() == f"destroy --all --force --verbose -c name={NAME}"
    assert not paused(deployment), "this CLI destroyed nothing"


def test_the_pause_of_a_person_stands(deployment: Deployment) -> None:
    pause.pause(deployment, reason="holidays")
    run()
    assert paused(deployment)
    pause.resume(deployment)


def test_what_runs_too_long_ends_it(deployment: Deployment) -> None:
    deployment.intake.write(turn_keys.TURNS.current_key, Current(number=1))
    deployment.clients.stepfunctions.start_execution(
        stateMachineArn=deployment.published.turn_machine_arn, name="turn-000001", input="{}"
    )
    with pytest.raises(OperatorError, match="still runs after"):
        run(timeout_seconds=0.2)
    assert not paused(deployment)
    deployment.clients.stepfunctions.stop_execution(executionArn=deployment.turn_execution("turn-000001"))


def test_nobody_to_ask_and_a_person_who_says_no(deployment: Deployment) -> None:
    with pytest.raises(OperatorError, match="ARGS=--force"):
        run(arguments=())
    with pytest.raises(OperatorError, match=r"Nothing was destroyed\.$"):
        destroy(FAILS, arguments=["-c", f"name={NAME}"], confirm=lambda _: False, say=lambda _: None)
    assert not paused(deployment)


def test_stacks_that_nothing_runs_in_are_destroyed_all_the_same(deployment: Deployment) -> None:
    said: list[str] = []
    arguments = ["--force", "--context", f"name={NAME}-gone"]
    assert destroy(FAILS, arguments=arguments, confirm=None, say=said.append) == 7
    assert "Nothing is to be paused." in said[0]
