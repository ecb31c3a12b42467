"""`flywheel rollback`: which model is meant, and what is asked for."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from flywheel.promotions import requests
from flywheel.records import promotions
from flywheel.records.decisions import DecisionKind
from flywheel.records.promotions import PromotionRequest, PromotionSource
from flywheel.store.parameters import PREVIOUS
from local.cloud import CloudAccount
from ops.deployment.errors import OperatorError, UnknownTurnError, UnknownVersionError
from ops.deployment.published import Deployment
from ops.verbs import rollback
from ops.verbs.models import version_name
from tests.local_cloud.ops.promotions.steps import PREFIX, activate, decide, pokes, request_of_turn


def test_a_rollback_asks_for_the_model_before(
    deployed: CloudAccount, deployment: Deployment, models: tuple[str, str]
) -> None:
    old, new = models
    activate(deployment, old, new)
    asked = rollback.rollback(deployment, reason="complaints")
    assert asked.request is not None
    stored = deployment.intake.require(promotions.request_key(asked.request.id), PromotionRequest)
    assert stored == asked.request
    assert (stored.model_arn, stored.decided_against, stored.reason) == (old, new, "complaints")
    assert stored.source is PromotionSource.OPERATOR
    assert stored.by == deployment.clients.sts.get_caller_identity()["Arn"]
    assert stored.id.startswith("operator-20")
    assert pokes(deployed, deployment) == [{"poke": "operator"}]


def test_nothing_is_asked_for_that_is_active_already_or_never_was(
    deployed: CloudAccount, deployment: Deployment, models: tuple[str, str]
) -> None:
    old, _ = models
    activate(deployment, old)
    assert rollback.rollback(deployment, to=old).request is None
    with pytest.raises(OperatorError, match="nothing to go back to: `flywheel models`"):
        rollback.rollback(deployment)
    gone = old.replace("/version/", "/version/x")
    with pytest.raises(OperatorError, match=f"{gone} was deleted"):
        rollback.rollback(deployment, to=gone)
    assert list(deployment.intake.keys(promotions.REQUESTS)) == []
    assert pokes(deployed, deployment) == []


def test_an_active_model_that_is_not_published_is_undone_to_the_published_one(
    deployment: Deployment, models: tuple[str, str]
) -> None:
    old, new = models
    activate(deployment, old)
    deployment.clients.ssm.put_parameter(Name=f"{PREFIX}{PREVIOUS}", Value="arn:older", Type="String")
    deployment.service.set_active_model(new)
    assert rollback.rollback(deployment).model_arn == old


def test_an_active_model_that_is_not_published_can_be_asked_for_once(
    deployment: Deployment, models: tuple[str, str]
) -> None:
    """As a flywheel's only model is after it failed its smoke test."""
    old, new = models
    activate(deployment, old)
    deployment.service.set_active_model(new)
    asked = rollback.rollback(deployment, to=new).request
    assert asked is not None
    assert (asked.model_arn, asked.decided_against) == (new, new)
    assert rollback.rollback(deployment, to=new).request is None


def test_a_version_is_meant_by_name_part_of_it_arn_or_turn(deployment: Deployment, models: tuple[str, str]) -> None:
    old, new = models
    decide(deployment, 1, old)
    decide(deployment, 2, new, decision=DecisionKind.KEEP)
    decide(deployment, 3, old.replace(version_name(old), "gone"))
    name = version_name(old)
    for wanted in (old, name, name[-8:], "turn-000001"):
        assert rollback.find_model(deployment, wanted) == old
    assert rollback.find_model(deployment, "turn-000002") == new
    # Comprehend names the versions that iterations train alike up to here.
    both = "Comprehend-Generated-"
    with pytest.raises(OperatorError, match="may be each of") as error:
        rollback.find_model(deployment, both)
    assert old in str(error.value)
    assert new in str(error.value)
    for wanted in ("nonsense", "arn:aws:s3:::bucket"):
        with pytest.raises(UnknownVersionError, match=wanted):
            rollback.find_model(deployment, wanted)
    with pytest.raises(UnknownTurnError):
        rollback.rollback(deployment, to="turn-000009")
    with pytest.raises(OperatorError, match="was deleted"):
        rollback.rollback(deployment, to="turn-000003")


def test_a_rollback_ends_what_was_wished_before_whatever_the_clocks_say(
    deployment: Deployment, models: tuple[str, str]
) -> None:
    old, new = models
    activate(deployment, old)
    ahead = request_of_turn(deployment, at=datetime.now(UTC) + timedelta(minutes=5))
    asked = rollback.rollback(deployment, to=new)
    choice = requests.choose(requests.open_requests(deployment.intake))
    assert choice is not None
    assert (choice.chosen, choice.superseded) == (asked.request, (ahead,))


def test_the_command_line_lists_models_and_rolls_back(
    deployed: CloudAccount, deployment: Deployment, models: tuple[str, str], flywheel: Any
) -> None:
    old, new = models
    activate(deployment, old, new)
    assert version_name(old) in flywheel("models").stdout
    assert {version["arn"] for version in json.loads(flywheel("models", "--json").stdout)} == set(models)
    assert "is the active model already" in flywheel("rollback", "--to", version_name(new)).stdout
    asked = flywheel("rollback", "--no-wait", "--json")
    assert json.loads(asked.stdout)["request"]["model_arn"] == old
    late = flywheel("rollback", "--timeout-minutes", "0")
    assert (late.exit_code, "did not end within" in late.stderr) == (1, True)
    assert len(list(deployment.intake.keys(promotions.REQUESTS))) == 2
