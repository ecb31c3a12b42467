"""Commands that wait, while what Step Functions tells of executions is behind by up to a minute."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from flywheel.promotions.start_promotion import Poke
from flywheel.records.analyses import AnalysisOutcome
from flywheel.records.one_at_a_time import Current
from flywheel.records.promotions import PROMOTIONS
from flywheel.records.turns import TURNS
from ops.verbs import analyze, pause
from tests.pipeline.analyses import with_model
from tests.pipeline.deployed import Deployment
from tests.pipeline.promotions.smoke_tested import ask


@pytest.fixture
def at() -> Deployment:
    deployment = with_model()
    deployment.world.states.behind = 60.0
    return deployment


def test_an_analysis_that_has_just_begun_is_waited_for(at: Deployment, tmp_path: Path) -> None:
    file = tmp_path / "texts.txt"
    file.write_text("sports news, told in document 1\n")
    started = analyze.start_job(at.operator, [file], job="job")
    summary = analyze.wait_for_analysis(at.operator, started, poll_seconds=5)
    assert summary.outcome is AnalysisOutcome.SUCCEEDED


def test_a_turn_that_has_just_begun_is_waited_for(at: Deployment) -> None:
    turn = at.start_turn()
    pause.pause(at.operator)
    told: list[str] = []
    pause.wait_until_idle(at.operator, timeout_seconds=3600, poll_seconds=5, on_progress=told.append)
    assert turn.execution.status == "SUCCEEDED"
    assert told[0] == turn.name


def test_a_turn_that_never_begins_is_waited_for_as_long_as_it_could(at: Deployment) -> None:
    """start_turn has taken its number and was killed, and while the pipeline is paused it does not go on."""
    at.bucket.write(TURNS.current_key, Current(number=99))
    began = at.now()
    pause.pause(at.operator)
    pause.wait_until_idle(at.operator, timeout_seconds=3600, poll_seconds=5)
    assert timedelta(seconds=60) <= at.now() - began <= timedelta(seconds=80)


def test_a_promotion_that_has_just_begun_is_waited_for(at: Deployment) -> None:
    """No pause keeps it from beginning."""
    at.let_pass(timedelta(hours=1))
    pause.pause(at.operator)
    promotion = PROMOTIONS.name_of(PROMOTIONS.current_number(at.bucket) + 1)
    active = at.active_model()
    assert active
    ask(at, active)
    at.poke_promotions(Poke.REQUEST)
    told: list[str] = []
    pause.wait_until_idle(at.operator, timeout_seconds=3600, poll_seconds=5, on_progress=told.append)
    assert at.executions("Promote")[-1].status == "SUCCEEDED"
    assert told[0] == promotion
