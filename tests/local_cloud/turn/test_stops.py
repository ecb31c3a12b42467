"""A turn that is stopped in each of its states, then redriven or followed by a new one; functions that are killed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from flywheel.records.promotions import PromotionStatus
from flywheel.records.turns import TurnOutcome
from flywheel.turn.start_turn import Poke
from local.cloud import LocalCloud
from ops.verbs.pause import pause, resume
from ops.verbs.turns import request_turn
from tests.local_cloud.pipeline import CONTEXT, LONG, Document, Pipeline, documents, paused
from tests.local_cloud.resources import Synthesise, until

REPORTER = "report_turn"
LATE_SECONDS = 1.5
HELD_SECONDS = 600.0
HELD_BY = {"AwaitDatasetPause": "dataset_ingestion_seconds", "AwaitIterationPause": "iteration_training_seconds"}
"""What Comprehend takes so long for that the turn is stopped while it waits."""


@dataclass(frozen=True)
class Stop:
    """A state of the turn machine, and what keeps a turn in it until it is stopped there.

    Either the function of the state is not to be had (Lambda refuses to start it and the machine tries again and
    again), or Comprehend is late to carry out what the function has asked for, so that it happens after the turn was
    stopped, or nothing has to be done, because the state is one of waiting.
    """

    state: str
    function: str | None = None
    operation: str | None = None


STOPS = (
    Stop("BeginTurn", function="begin_turn"),
    Stop("PrepareTestUploads", function="prepare_upload"),
    Stop("PrepareTrainUploads", function="prepare_upload"),
    Stop("ComposeDatasets", function="compose_datasets"),
    Stop("RegisterDataset", operation="CreateDataset"),
    Stop("AwaitDatasetPause"),
    Stop("AcceptDataset", function="accept_dataset"),
    Stop("RunIteration", operation="StartFlywheelIteration"),
    Stop("AwaitIterationPause"),
    Stop("CompareMetrics", function="compare_metrics"),
    Stop("RequestPromotion", function="request_promotion"),
    Stop("DeleteOldModels", function="delete_old_models"),
    Stop("ReportTurn", function=REPORTER),
)
# Redriven, the turn would meet its test uploads again, with the function closed that its train uploads are to wait for.
REDRIVEN = tuple(state for state in STOPS if state.state != "PrepareTrainUploads")
NOT_STOPPED_AT = {
    "AwaitDatasetAsk": "goes with AwaitDatasetPause",
    "AwaitIterationAsk": "goes with AwaitIterationPause",
    "AwaitPredictionAsk": "works with Evidence HOLDOUT only",
    "AwaitPredictionPause": "works with Evidence HOLDOUT only",
    "PredictHoldout": "works with Evidence HOLDOUT only",
    "PredictHoldouts": "works with Evidence HOLDOUT only",
    "PrepareHoldout": "works with Evidence HOLDOUT only",
    "PrepareTestUpload": "runs in the children of PrepareTestUploads",
    "PrepareTrainUpload": "runs in the children of PrepareTrainUploads",
    "RegisterDatasets": "holds RegisterDataset, AwaitDataset and AcceptDataset",
    "ReportFailure": "is entered by turns that fail only",
}


@pytest.fixture(scope="module")
def pipeline(cloud: LocalCloud, synthesise: Synthesise) -> Iterator[Pipeline]:
    """One whose first model is a bad one, so that the next is promoted."""
    account = cloud.account("100000000002")
    pipeline = Pipeline.deploy(account, synthesise(context=CONTEXT), MinimumScore="0")
    before = {name: account.comprehend_administration("GET", "settings")[name] for name in HELD_BY.values()}
    yield pipeline
    account.comprehend_administration("PUT", "settings", before)


def test_every_state_that_works_or_waits_is_stopped_at(pipeline: Pipeline) -> None:
    machine = pipeline.account.client("stepfunctions").describe_state_machine(
        stateMachineArn=pipeline.deployment.published.turn_machine_arn
    )
    working = working_states(json.loads(machine["definition"])["States"])
    assert working == {stop.state for stop in STOPS} | set(NOT_STOPPED_AT)


def test_a_turn_that_is_stopped_in_each_state_and_redriven_ends_as_if_nothing_had_happened(pipeline: Pipeline) -> None:
    before = pipeline.current
    pipeline.account.comprehend_administration("DELETE", "faults")
    hold(pipeline, HELD_SECONDS, *HELD_BY.values())
    arm(pipeline, STOPS[0])
    upload(pipeline, mislabelled(documents()))
    turn = pipeline.next_turn(before)
    stepfunctions, arn = pipeline.account.client("stepfunctions"), pipeline.deployment.turn_execution(turn)
    # A redriven turn is the current one only as long as no new one begins.
    pause(pipeline.deployment)
    for number, state in enumerate(REDRIVEN):
        stop(pipeline, turn, state, *REDRIVEN[number + 1 : number + 2])
        stepfunctions.redrive_execution(executionArn=arn)
    pipeline.recorded(turn, TurnOutcome.SUCCEEDED)
    assert_promoted(pipeline)
    assert stepfunctions.describe_execution(executionArn=arn)["redriveCount"] == len(REDRIVEN)
    resume(pipeline.deployment)
    assert pipeline.at_rest().turn == turn


def test_turns_that_are_stopped_in_each_state_are_carried_on_by_the_next_ones(pipeline: Pipeline) -> None:
    before = pipeline.current
    pipeline.account.comprehend_administration("DELETE", "faults")
    hold(pipeline, HELD_SECONDS, *HELD_BY.values())
    arm(pipeline, STOPS[0])
    upload(pipeline, documents(200))
    first = turn = pipeline.next_turn(before)
    for number, state in enumerate(STOPS):
        stop(pipeline, turn, state, *STOPS[number + 1 : number + 2])
        turn = carried_on(pipeline, turn)
    pipeline.at_rest()
    records = [record for record in pipeline.records() if record.turn >= first]
    assert {record.outcome for record in records[len(STOPS) :]} == {TurnOutcome.SUCCEEDED}
    assert_promoted(pipeline)
    assert_a_stale_turn_changes_nothing(pipeline, first)


def assert_a_stale_turn_changes_nothing(pipeline: Pipeline, turn: str) -> None:
    """One of the stopped turns is redriven although others have taken its place."""
    changes, record = changing_calls(pipeline), pipeline.record(turn)
    pipeline.account.client("stepfunctions").redrive_execution(executionArn=pipeline.deployment.turn_execution(turn))
    until(lambda: pipeline.execution(turn)["status"] == "FAILED", patience=LONG)
    assert pipeline.execution(turn)["error"] == "NotCurrentTurn"
    pipeline.at_rest()
    assert pipeline.record(turn) == record
    assert changing_calls(pipeline) == changes


def test_functions_that_are_killed_at_work_are_tried_again(pipeline: Pipeline) -> None:
    """Their time runs out while Comprehend has their request and will carry it out."""
    before = pipeline.current
    functions = pipeline.account.client("lambda")
    steps = {"register_dataset": "CreateDataset", "run_iteration": "StartFlywheelIteration"}
    hold(pipeline, 0, *HELD_BY.values())
    seconds = {
        step: functions.get_function_configuration(FunctionName=pipeline.functions[step])["Timeout"] for step in steps
    }
    for step, operation in steps.items():
        functions.update_function_configuration(FunctionName=pipeline.functions[step], Timeout=3)
        fault = {"operation": operation, "kind": "delay", "seconds": 4.0, "times": 1}
        pipeline.account.comprehend_administration("POST", "faults", fault)
    upload(pipeline, documents())
    record = pipeline.recorded(pipeline.next_turn(before))
    pipeline.account.comprehend_administration("DELETE", "faults")
    for step in steps:
        functions.update_function_configuration(FunctionName=pipeline.functions[step], Timeout=seconds[step])
        assert any("Task timed out" in line for line in pipeline.log_lines(step)), f"{step} was not killed"
    assert record.outcome is TurnOutcome.SUCCEEDED, record.cause
    assert record.iteration_id
    assert pipeline.at_rest().turn == record.turn


# How a turn is stopped in a state.


def arm(pipeline: Pipeline, stop: Stop) -> None:
    """From now on a turn does not get past this state."""
    if stop.function:
        pipeline.account.client("lambda").put_function_concurrency(
            FunctionName=pipeline.functions[stop.function], ReservedConcurrentExecutions=0
        )
    if stop.operation:
        fault = {"operation": stop.operation, "kind": "delay", "seconds": LATE_SECONDS, "times": 1}
        pipeline.account.comprehend_administration("POST", "faults", fault)


def hold(pipeline: Pipeline, seconds: float, *names: str) -> None:
    """What Comprehend does from now on, or is doing, takes so long."""
    pipeline.account.comprehend_administration("PUT", "settings", dict.fromkeys(names, seconds))


def disarm(pipeline: Pipeline, stop: Stop) -> None:
    if stop.function:
        name = pipeline.functions[stop.function]
        pipeline.account.client("lambda").delete_function_concurrency(FunctionName=name)


def stop(pipeline: Pipeline, turn: str, at: Stop, *following: Stop) -> None:
    """Stop the turn in the state once it is there, and see it reported. No turn gets past the following state then."""
    until(lambda: is_held(pipeline, turn, at), patience=LONG)
    # The function that reports has to be there to report the stop.
    now = [state for state in following if state.function != REPORTER]
    for state in now:
        arm(pipeline, state)
    if at.function == REPORTER:
        disarm(pipeline, at)
    pipeline.account.client("stepfunctions").stop_execution(
        executionArn=pipeline.deployment.turn_execution(turn), error="Stopped", cause=at.state
    )
    if at.function not in [state.function for state in now]:
        disarm(pipeline, at)
    assert pipeline.execution(turn)["status"] == "ABORTED", f"{turn} was stopped too late"
    until(lambda: is_reported(pipeline, turn, at), patience=LONG)
    if at.state in HELD_BY:
        hold(pipeline, 0, HELD_BY[at.state])
    for state in following:
        if state not in now:
            arm(pipeline, state)


def is_reported(pipeline: Pipeline, turn: str, at: Stop) -> bool:
    record = pipeline.record(turn)
    if record is not None and at.function == REPORTER and record.outcome is TurnOutcome.SUCCEEDED:
        # The pause before the next try is drawn by chance: the reporter may have been at work already.
        return True
    return record is not None and (record.outcome, record.cause) == (TurnOutcome.ABORTED, at.state)


def is_held(pipeline: Pipeline, turn: str, at: Stop) -> bool:
    events = pipeline.history(turn)
    # What was there before a redrive does not count.
    begun = max((number for number, event in enumerate(events) if event["type"] == "ExecutionRedriven"), default=0)
    names = [event.get("stateEnteredEventDetails", {}).get("name") for event in events[begun:]]
    if at.state not in names:
        return False
    if at.operation:
        faults = pipeline.account.comprehend_administration("GET", "faults")["faults"]
        return any(fault["operation"] == at.operation and fault["struck"] for fault in faults)
    if at.function == REPORTER:
        # It is let go right before the stop; by then the pause before the next try is long.
        return bool(sum(event["type"] == "TaskFailed" for event in events[begun + names.index(at.state) :]) >= 5)
    return True


def carried_on(pipeline: Pipeline, turn: str) -> str:
    """The turn that follows by itself or because of the schedule; a person asks for it when it takes one."""
    verdict = pipeline.ask(Poke.SCHEDULE)
    if not verdict["start"]:
        assert "flywheel turn --now" in verdict["reason"]
        request_turn(pipeline.deployment)
    return pipeline.next_turn(turn)


# What goes in and what must come out.


def upload(pipeline: Pipeline, rows: list[Document]) -> None:
    """Training documents, and test documents beside them."""
    with paused(pipeline):
        pipeline.upload(f"train/{len(rows)}.csv", rows)
        pipeline.upload("test/held-out.csv", documents(10))


def mislabelled(rows: list[Document]) -> list[Document]:
    other = {"CALM": "STORM", "STORM": "CALM"}
    return [(other[label], text) for label, text in rows]


def assert_promoted(pipeline: Pipeline) -> None:
    """The model of the newest iteration is active, and was made so once."""
    newest = pipeline.iterations()[-1]
    promotion = pipeline.ended(newest["FlywheelIterationId"])
    assert promotion.status is PromotionStatus.PROMOTED, promotion.reason
    assert pipeline.active_model() == promotion.model_arn == newest["TrainedModelArn"]


def changing_calls(pipeline: Pipeline) -> list[str]:
    """The operations by which somebody changed something in Comprehend, oldest first."""
    calls = pipeline.account.comprehend_administration("GET", "calls")["calls"]
    return [
        call["operation"]
        for call in calls
        if call["account"] == pipeline.account.account and call["operation"].startswith(("Create", "Start", "Update"))
    ]


def working_states(states: dict[str, Any]) -> set[str]:
    """The names of the Task, Wait and Map states, those in a Map's items included."""
    found = {name for name, state in states.items() if state["Type"] in ("Task", "Wait", "Map")}
    for state in states.values():
        if state["Type"] == "Map":
            found |= working_states(state["ItemProcessor"]["States"])
    return found
