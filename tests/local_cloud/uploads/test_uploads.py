"""Uploads, events and messages as they come: early, late, twice, never, all at once."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from flywheel.records.decisions import DecisionKind
from flywheel.records.promotions import PromotionStatus
from flywheel.records.turns import PAUSE_KEY, TurnOutcome
from flywheel.records.uploads import Split, UploadOutcome
from flywheel.turn.start_turn import Poke
from local.cloud import LocalCloud
from ops.verbs.pause import pause
from tests.local_cloud.pipeline import CONTEXT, LABELS, LONG, Pipeline, as_csv, documents, paused, shared_pipeline
from tests.local_cloud.resources import Synthesise, until

MANY = 150
"""More than the 100 uploads of one invocation of prepare_upload."""


@pytest.fixture(scope="module")
def pipeline(cloud: LocalCloud, synthesise: Synthesise) -> Pipeline:
    return shared_pipeline(cloud, synthesise(context=CONTEXT))


def test_uploads_become_a_model_that_is_promoted_and_then_the_pipeline_rests(pipeline: Pipeline) -> None:
    before = pipeline.current
    with paused(pipeline):
        pipeline.upload("train/news.csv.gz", documents())
        pipeline.upload("test/news.csv", documents(10))
    record = pipeline.recorded(pipeline.next_turn(before))
    assert record.outcome is TurnOutcome.SUCCEEDED
    assert {dataset.split: dataset.documents for dataset in record.datasets} == {Split.TRAIN: 100, Split.TEST: 20}
    if record.decision is DecisionKind.PROMOTE:
        assert record.candidate
        assert pipeline.promotion_of(record).status is PromotionStatus.PROMOTED
        assert pipeline.active_model() == record.candidate.arn
    assert pipeline.active_model()
    assert pipeline.at_rest().turn == record.turn


def test_uploads_that_arrive_during_a_turn_are_the_next_ones(pipeline: Pipeline) -> None:
    """A file is dropped whenever the running turn has come one state further."""
    before = pipeline.current
    pipeline.upload("train/0.csv", documents())
    running = pipeline.next_turn(before)
    for number in range(1, 7):
        seen = len(pipeline.history(running))
        pipeline.upload(f"train/{number}.csv", documents())
        until(partial(went_on, pipeline, running, seen), patience=LONG)
    last = pipeline.at_rest()
    assert last.turn != running, "everything was in the first turn: nothing arrived while it ran"
    for split in Split:
        assert not pipeline.waiting(split)


def test_a_file_that_is_dropped_twice_is_accepted_once(pipeline: Pipeline) -> None:
    rows = documents()
    pipeline.upload("train/once.csv", rows)
    pipeline.at_rest()
    trained = len(pipeline.iterations())
    before = pipeline.current
    with paused(pipeline):
        pipeline.drop("train/once.csv", as_csv(rows))
        pipeline.drop("train/another name.csv", as_csv(rows))
    record = pipeline.recorded(pipeline.next_turn(before))
    assert {result.upload.key: result.outcome for result in record.uploads} == {
        "train/once.csv": UploadOutcome.DUPLICATE,
        "train/another name.csv": UploadOutcome.DUPLICATE,
    }
    pipeline.at_rest()
    assert len(pipeline.iterations()) == trained


def test_of_two_files_with_one_name_the_newer_counts_and_the_older_is_named(pipeline: Pipeline) -> None:
    before = pipeline.current
    with paused(pipeline):
        older = pipeline.drop("train/same.csv", as_csv(documents()))
        newer = pipeline.upload("train/same.csv", documents())
    record = pipeline.recorded(pipeline.next_turn(before))
    assert [result.upload.version_id for result in record.uploads] == [newer]
    assert [upload.version_id for upload in record.replaced] == [older]
    pipeline.at_rest()


def test_documents_that_are_too_few_wait_until_they_are_enough(pipeline: Pipeline) -> None:
    """accept_dataset brings back what a dataset held back, under its own role."""
    before = pipeline.current
    calm, storm = LABELS
    with paused(pipeline):
        pipeline.upload("train/few.csv", documents(60, labels=[calm]) + documents(10, labels=[storm]))
    record = pipeline.recorded(pipeline.next_turn(before))
    assert record.outcome is TurnOutcome.SUCCEEDED, record.cause
    assert [dataset.labels for dataset in record.datasets] == [{calm: 60}]
    assert [waiting.labels for waiting in record.waiting] == [{storm: 10}]
    pipeline.upload("train/more.csv", documents(50, labels=[storm]))
    pipeline.at_rest()
    assert not pipeline.waiting(Split.TRAIN)


def test_many_small_files_become_one_dataset(pipeline: Pipeline) -> None:
    before = pipeline.current
    rows = documents(MANY // 2)
    with paused(pipeline), ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: pipeline.upload(f"train/small-{number}.csv", [rows[number]]), range(MANY)))
    record = pipeline.recorded(pipeline.next_turn(before), patience=LONG)
    assert record.outcome is TurnOutcome.SUCCEEDED, record.cause
    assert (record.counts.uploads, record.counts.unprepared) == (MANY, 0)
    assert [(dataset.split, dataset.documents) for dataset in record.datasets] == [(Split.TRAIN, MANY)]
    assert pipeline.at_rest().turn == record.turn


def test_an_event_that_comes_three_times_starts_one_turn(pipeline: Pipeline) -> None:
    before = pipeline.current
    rows = documents()
    pipeline.upload("train/thrice.csv", rows)
    pipeline.send(json.dumps(object_created(pipeline, "train/thrice.csv")), times=3)
    assert pipeline.at_rest().turn == pipeline.next_turn(before)
    pipeline.send(json.dumps(object_created(pipeline, "train/thrice.csv")))
    assert pipeline.at_rest().turn == pipeline.next_turn(before)


def test_an_event_that_is_lost_is_made_up_for_by_the_schedule(pipeline: Pipeline) -> None:
    before = pipeline.current
    events = pipeline.account.client("events")
    rule = next(rule["Name"] for rule in events.list_rules()["Rules"] if "TriggersUploads" in rule["Name"])
    events.disable_rule(Name=rule)
    pipeline.upload("train/unheard-of.csv", documents())
    events.enable_rule(Name=rule)
    assert (pipeline.current, pipeline.queue_depth()) == (before, 0)
    verdict = pipeline.ask(Poke.SCHEDULE)
    assert (verdict["start"], verdict["reason"]) == (True, "1 uploads wait")
    assert pipeline.at_rest().turn == pipeline.next_turn(before)


def test_pokes_at_the_same_moment_start_one_turn(pipeline: Pipeline) -> None:
    before = pipeline.current
    pause(pipeline.deployment)
    pipeline.upload("train/one-turn.csv", documents())
    pipeline.deployment.intake.delete([PAUSE_KEY])
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda number: poke_directly(pipeline, number), range(4)))
    assert answers == [{"batchItemFailures": []}] * 4
    assert pipeline.at_rest().turn == pipeline.next_turn(before)


def test_a_message_that_is_no_poke_ends_among_the_dead_letters_and_holds_up_nothing(pipeline: Pipeline) -> None:
    before = pipeline.current
    sqs, url = pipeline.account.client("sqs"), pipeline.deployment.published.turn_queue_url
    seconds = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
    # Else it would be tried again after seven minutes only.
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "1"})
    with paused(pipeline):
        pipeline.upload("train/beside-poison.csv", documents())
        pipeline.send("this is not JSON")
        pipeline.send('{"source": "somebody else"}')
    assert pipeline.recorded(pipeline.next_turn(before)).outcome is TurnOutcome.SUCCEEDED
    until(lambda: pipeline.queue_depth("TurnDeadLetters") == 2 and not pipeline.queue_depth(), patience=LONG)
    sqs.set_queue_attributes(QueueUrl=url, Attributes=seconds)
    sqs.purge_queue(QueueUrl=pipeline.queue_url("TurnDeadLetters"))
    pipeline.at_rest()


def went_on(pipeline: Pipeline, turn: str, events: int) -> bool:
    return len(pipeline.history(turn)) > events or pipeline.record(turn) is not None


def object_created(pipeline: Pipeline, key: str) -> dict[str, Any]:
    """What EventBridge puts into the queue about an upload."""
    detail = {"bucket": {"name": pipeline.deployment.intake.name}, "object": {"key": key}}
    return {"version": "0", "source": "aws.s3", "detail-type": "Object Created", "detail": detail}


def poke_directly(pipeline: Pipeline, number: int) -> Any:
    """Invoke start_turn as the queue does, but at the same moment as others do."""
    body = json.dumps({"poke": Poke.SCHEDULE.value})
    answer = pipeline.account.client("lambda").invoke(
        FunctionName=pipeline.functions["start_turn"],
        Payload=json.dumps({"Records": [{"messageId": str(number), "body": body}]}),
    )
    return json.loads(answer["Payload"].read())
