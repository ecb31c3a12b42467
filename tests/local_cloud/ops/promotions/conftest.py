from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from local.cloud import CloudAccount, LocalCloud
from ops.deployment.clients import Clients
from ops.deployment.published import Deployment, find_deployment
from ops.main import app
from tests.local_cloud.ops import ops_stack
from tests.local_cloud.ops.promotions.steps import NAME, NUMBERS, PREFIX, taken_out, train


@pytest.fixture(scope="module")
def deployed() -> Iterator[CloudAccount]:
    with LocalCloud(instance=f"tests/{os.getpid()}-promotions") as cloud:
        account = cloud.account()
        durations = ("flywheel_creation", "dataset_ingestion", "iteration_training")
        account.comprehend_administration("PUT", "settings", {f"{duration}_seconds": 0 for duration in durations})
        ops_stack.deploy(account, name=NAME, physical_name=f"{NAME}-0a1b2c3d")
        yield account


@pytest.fixture(scope="module")
def models(deployed: CloudAccount) -> tuple[str, str]:
    """The ARNs of two versions that iterations of the flywheel trained."""
    deployment = find_deployment(Clients(deployed.session()), name=NAME)
    return train(deployment, 60), train(deployment, 70)


@pytest.fixture
def deployment(deployed: CloudAccount) -> Iterator[Deployment]:
    """The deployed flywheel with an intake bucket of the test's own, and nothing published."""
    found = find_deployment(Clients(deployed.session()), name=NAME)
    bucket = f"intake-{next(NUMBERS)}"
    found.clients.s3.create_bucket(Bucket=bucket)
    yield replace(found, published=found.published.model_copy(update={"intake_bucket": bucket}))
    names = [f"{PREFIX}{last}" for last in ("active-model-arn", "previous-model-arn", "desired-model-arn")]
    found.clients.ssm.delete_parameters(Names=names)
    taken_out(deployed, found.published.promotion_queue_url)


@pytest.fixture
def flywheel(deployed: CloudAccount, deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The command line as a user has it, with the test's own intake bucket."""
    for variable, value in deployed.environment().items():
        monkeypatch.setenv(variable, value)
    parameter = f"{PREFIX}deployment"
    ssm = deployment.clients.ssm
    before = ssm.get_parameter(Name=parameter)["Parameter"]["Value"]
    with_bucket = json.dumps(json.loads(before) | {"intake_bucket": deployment.intake.name})
    ssm.put_parameter(Name=parameter, Value=with_bucket, Overwrite=True)

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["--name", NAME, *arguments])

    yield run
    ssm.put_parameter(Name=parameter, Value=before, Overwrite=True)
