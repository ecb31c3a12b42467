"""Comprehend throttles, refuses a dataset or fails to train: the pipeline says so, and goes on from there."""

from __future__ import annotations

import pytest

from flywheel.records.turns import TurnOutcome, TurnRecord
from flywheel.records.uploads import Split
from flywheel.turn.start_turn import MAXIMUM_FAILURES, Poke
from local.cloud import LocalCloud
from tests.local_cloud.pipeline import CONTEXT, LONG, Pipeline, documents, shared_pipeline
from tests.local_cloud.resources import Synthesise, until


@pytest.fixture(scope="module")
def pipeline(cloud: LocalCloud, synthesise: Synthesise) -> Pipeline:
    return shared_pipeline(cloud, synthesise(context=CONTEXT))


def test_a_turn_goes_through_although_calls_are_throttled_and_nothing_shows_at_once(pipeline: Pipeline) -> None:
    """Every third call is throttled, and what was created is found a second later."""
    before = pipeline.current
    with pipeline.fault(operation="*", kind="throttle", every=3), pipeline.created_things_found_after(seconds=1):
        pipeline.upload("train/throttled.csv", documents())
        record = pipeline.recorded(pipeline.next_turn(before))
        assert pipeline.faults_struck() > 3
    assert record.outcome is TurnOutcome.SUCCEEDED, record.cause
    assert record.iteration_id
    assert pipeline.at_rest().turn == record.turn


def test_a_dataset_that_fails_ends_the_turn_and_its_documents_are_in_the_next_one(pipeline: Pipeline) -> None:
    before = pipeline.current
    rows = documents()
    with pipeline.fault(resource="dataset", kind="fail", times=1, message="The lake was frozen."):
        pipeline.upload("train/frozen.csv", rows)
        failed = pipeline.recorded(pipeline.next_turn(before))
    assert_failed(pipeline, failed, error="DatasetFailed", cause="The lake was frozen.")
    assert set(rows) <= pipeline.waiting(Split.TRAIN).keys()
    assert not pipeline.ask(Poke.TURN_ENDED)["start"], "a failed turn is not repeated at once"
    assert pipeline.ask(Poke.SCHEDULE)["start"]
    record = pipeline.at_rest()
    assert record.turn == pipeline.next_turn(failed.turn)
    assert [dataset.documents for dataset in record.datasets] == [len(rows)]


def test_iterations_that_fail_are_repeated_until_it_takes_a_person(pipeline: Pipeline) -> None:
    before = pipeline.current
    attempts = len(pipeline.iterations())
    turn = before
    with pipeline.fault(resource="iteration", kind="fail", message="No instance was to be had."):
        pipeline.upload("train/no-instance.csv", documents())
        for _ in range(MAXIMUM_FAILURES):
            turn = pipeline.next_turn(turn)
            assert_failed(
                pipeline, pipeline.recorded(turn), error="IterationFailed", cause="No instance was to be had."
            )
            verdict = pipeline.ask(Poke.SCHEDULE)
        assert not verdict["start"]
        assert "flywheel turn --now" in verdict["reason"]
        assert len(pipeline.iterations()) == attempts + MAXIMUM_FAILURES
        pipeline.upload("train/patient.csv", documents())
        until(lambda: not pipeline.queue_depth(), patience=LONG)
        assert pipeline.current == turn, "an upload started a turn although a person is waited for"
    record = pipeline.turn_now()
    assert record.outcome is TurnOutcome.SUCCEEDED
    assert record.iteration_id
    assert pipeline.at_rest().turn == record.turn


def test_an_upload_that_cannot_be_prepared_is_tried_again_and_holds_up_no_other(pipeline: Pipeline) -> None:
    before = pipeline.current
    functions, prepare_upload = pipeline.account.client("lambda"), pipeline.functions["prepare_upload"]
    handler = functions.get_function_configuration(FunctionName=prepare_upload)["Handler"]
    updated = functions.get_waiter("function_updated_v2")
    functions.update_function_configuration(FunctionName=prepare_upload, Handler="handlers.nowhere.handler")
    updated.wait(FunctionName=prepare_upload, WaiterConfig={"Delay": 1})
    pipeline.upload("train/unlucky.csv", documents())
    turn = pipeline.next_turn(before)
    record = pipeline.recorded(turn)
    functions.update_function_configuration(FunctionName=prepare_upload, Handler=handler)
    updated.wait(FunctionName=prepare_upload, WaiterConfig={"Delay": 1})
    assert record.outcome is TurnOutcome.SUCCEEDED
    assert [upload.key for upload in record.unprepared] == pipeline.keys("train/")
    assert not pipeline.ask(Poke.TURN_ENDED)["start"], "it is not tried again at once"
    assert pipeline.ask(Poke.SCHEDULE)["start"]
    assert pipeline.at_rest().turn == pipeline.next_turn(turn)


def assert_failed(pipeline: Pipeline, record: TurnRecord, *, error: str, cause: str) -> None:
    """The turn's record, its execution and what people are told name the error and the service's message."""
    assert (record.outcome, record.error, record.cause) == (TurnOutcome.FAILED, error, cause)
    until(lambda: pipeline.execution(record.turn)["status"] == "FAILED", patience=LONG)
    execution = pipeline.execution(record.turn)
    assert (execution["error"], execution["cause"]) == (error, cause)
    until(lambda: "TurnFailed" in alarms(pipeline), patience=LONG)


def alarms(pipeline: Pipeline) -> str:
    """The names of the alarms that call a person."""
    found = pipeline.account.client("cloudwatch").describe_alarms(StateValue="ALARM")["MetricAlarms"]
    return " ".join(alarm["AlarmName"] for alarm in found)
