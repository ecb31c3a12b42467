"""The deployed app's reports: written under the function's own role, named in the notification, found by `flywheel`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from flywheel.records import turns
from flywheel.records.turns import TurnOutcome
from local.cloud import LocalCloud
from ops.deployment.errors import UnknownTurnError
from ops.verbs.logs import events_of
from ops.verbs.report import save_report
from tests.local_cloud.pipeline import CONTEXT, NAME, Pipeline, documents, shared_pipeline
from tests.local_cloud.resources import Synthesise, create_queue, lets_send, messages, until


@pytest.fixture(scope="module")
def pipeline(cloud: LocalCloud, synthesise: Synthesise) -> Pipeline:
    return shared_pipeline(cloud, synthesise(context=CONTEXT))


def stored_page(pipeline: Pipeline, turn: str) -> bytes:
    key = turns.page_key(turn)
    until(lambda: pipeline.deployment.intake.exists(key))
    return pipeline.deployment.intake.read_bytes(key)


def notification(pipeline: Pipeline, inbox: str, turn: str) -> dict[str, Any] | None:
    return next((found for found in messages(pipeline.account, inbox) if turn in found["Subject"]), None)


def test_a_notification_leads_to_the_report(pipeline: Pipeline, tmp_path: Path) -> None:
    inbox, arn = create_queue(pipeline.account, lets_in=[lets_send("sns.amazonaws.com")])
    topic = pipeline.deployment.published.topic_arn
    pipeline.account.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    before = pipeline.current
    pipeline.upload("train/reported.csv", documents())
    turn = pipeline.next_turn(before)
    pipeline.at_rest()
    told = until(partial(notification, pipeline, inbox, turn))["Message"]
    assert f"flywheel --name {NAME} report {turn}\n" in told
    page = stored_page(pipeline, turn)
    saved = save_report(pipeline.deployment, turn, output=tmp_path / "report.html")
    assert saved.uri in told
    assert Path(saved.path).read_bytes() == page
    assert page.startswith(b"<!DOCTYPE html>")
    assert b"train/reported.csv" in page


def test_a_turn_that_is_stopped_has_a_report(pipeline: Pipeline) -> None:
    before = pipeline.current
    pipeline.upload("train/stopped.csv", documents())
    turn = pipeline.next_turn(before)
    pipeline.stop(turn, cause="<somebody> did")
    pipeline.recorded(turn, TurnOutcome.ABORTED)
    page = stored_page(pipeline, turn).decode()
    assert "The turn was stopped." in page
    assert "&lt;somebody&gt; did" in page
    pipeline.turn_now()
    pipeline.at_rest()


def test_a_turns_logs_are_those_of_its_steps_in_order(pipeline: Pipeline) -> None:
    before = pipeline.current
    pipeline.upload("train/logged.csv", documents())
    turn = pipeline.next_turn(before)
    followed = list(events_of(pipeline.deployment, turn, follow=True, poll_seconds=0.2))
    assert {"prepare_upload", "compose_datasets", "report_turn"} <= {event.source for event in followed}
    assert len(followed) == len({(event.at, event.source, event.message) for event in followed}), "each once"
    events = list(events_of(pipeline.deployment, turn))
    assert [event.at for event in events] == sorted(event.at for event in events)
    assert {event.message for event in followed} <= {event.message for event in events}
    machine = pipeline.deployment.published.turn_machine_arn.rpartition(":")[2]
    assert any(event.source == machine for event in events)
    pipeline.at_rest()


def test_the_logs_of_a_turn_that_never_began(pipeline: Pipeline) -> None:
    with pytest.raises(UnknownTurnError):
        next(events_of(pipeline.deployment, "999999"))
