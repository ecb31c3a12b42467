"""`flywheel endpoint`, and the endpoint in `flywheel cost` and `flywheel status`, in a local cloud."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from flywheel.records.serving import STATE_KEY, ServingState, ServingStatus
from local.cloud import CloudAccount
from ops.deployment.clients import Clients
from ops.deployment.published import Deployment, find_deployment
from ops.main import app
from ops.verbs.endpoint import Scaling, endpoint
from ops.verbs.status import status
from ops.verbs.usage import find_usage
from tests.local_cloud.ops import ops_stack
from tests.local_cloud.resources import create_bucket
from tests.local_cloud.trained_models import data_access_role, serving_endpoint

NAME = "served"
PREFIX = f"/comprehend-flywheel/{NAME}"
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def deployment(account: CloudAccount) -> Deployment:
    ops_stack.deploy(account, name=NAME, physical_name=f"{NAME}-0a1b2c3d")
    return find_deployment(Clients(account.session()), name=NAME)


@pytest.fixture(scope="module")
def arn(account: CloudAccount) -> str:
    """An endpoint of one unit, pinned to a model of another flywheel."""
    bucket = create_bucket(account)
    return serving_endpoint(account, bucket=bucket, role=data_access_role(account, bucket), name=NAME)


def wish(deployment: Deployment, **members: str) -> None:
    """Publish what the Serving stack would."""
    value = {"inference_units": "1", "maximum_inference_units": "3", **members}
    deployment.clients.ssm.put_parameter(
        Name=f"{PREFIX}/serving", Value=json.dumps(value), Type="String", Overwrite=True
    )


def verb(account: CloudAccount, monkeypatch: pytest.MonkeyPatch, folder: Path, *words: str) -> str:
    for variable, value in account.environment().items():
        monkeypatch.setenv(variable, value)
    monkeypatch.chdir(folder)
    answer = CliRunner().invoke(app, ["--name", NAME, *words])
    assert answer.exit_code == 0, answer.stderr
    return answer.stdout


def test_before_anything_is_wanted_nothing_is_there_and_nothing_costs(
    account: CloudAccount, deployment: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment.clients.ssm.delete_parameters(Names=[f"{PREFIX}/serving", f"{PREFIX}/endpoint-arn"])
    found = endpoint(deployment)
    assert (found.wanted, found.endpoint, found.state, found.smoke_test) == (None, None, None, None)
    assert found.costs_now.an_hour == 0
    assert find_usage(deployment).wanted is None
    assert "no Serving stack is deployed" in verb(account, monkeypatch, tmp_path, "endpoint")
    assert "none yet: InferenceUnits asks for one" in verb(account, monkeypatch, tmp_path, "status")


def test_what_is_wanted_what_there_is_and_what_it_costs(
    account: CloudAccount, deployment: Deployment, arn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wish(deployment)
    noted = ServingState(
        status=ServingStatus.IN_SERVICE, reason="It answers.", since=NOW, endpoint_arn=arn, model_arn="m", at=NOW
    )
    deployment.intake.write(STATE_KEY, noted)
    assert (found := endpoint(deployment)).endpoint is not None, "noted, and not published yet"
    deployment.models.publish_endpoint(arn)
    target: dict[str, Any] = {
        "ServiceNamespace": "comprehend",
        "ResourceId": arn,
        "ScalableDimension": "comprehend:document-classifier-endpoint:DesiredInferenceUnits",
    }
    deployment.clients.scaling.register_scalable_target(**target, MinCapacity=1, MaxCapacity=3)

    found = endpoint(deployment)
    assert found.endpoint is not None
    assert (found.endpoint.arn, found.endpoint.current_units, found.endpoint.flywheel_arn) == (arn, 1, None)
    assert (found.state, found.scaling) == (noted, Scaling(least=1, most=3))
    assert not found.serves_active_model
    assert (found.costs_now.an_hour, found.costs_now.a_month) == (Decimal("1.80"), Decimal("1314.00"))
    assert found.costs_at_most.a_month == Decimal("3942.00")

    billed = find_usage(deployment)
    assert billed.wanted == found.wanted
    assert billed.inference_units == 0, "the wanted one is counted once"
    assert status(deployment).serving == noted

    printed = json.loads(verb(account, monkeypatch, tmp_path, "endpoint", "--json"))
    assert printed["endpoint"]["arn"] == arn
    assert "pinned" in verb(account, monkeypatch, tmp_path, "endpoint")
    assert "in service since" in verb(account, monkeypatch, tmp_path, "status")
    assert "$1,314.00 to $3,942.00" in verb(account, monkeypatch, tmp_path, "cost")


def test_an_endpoint_that_is_gone_is_not_there(deployment: Deployment, arn: str) -> None:
    wish(deployment, inference_units="0")
    deployment.models.publish_endpoint(f"{arn}-gone")
    found = endpoint(deployment)
    assert (found.endpoint, found.scaling) == (None, None)
    assert found.costs_wanted.a_month == 0
    assert find_usage(deployment).wanted is None
