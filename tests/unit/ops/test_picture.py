"""What became of each step of an execution, from its history."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from ops.verbs.picture import PROMOTION, TURN, StepState, steps_of

BEGAN = datetime(2026, 3, 2, 9, tzinfo=UTC)
DONE, RUNNING, TO_COME, FAILED = StepState.DONE, StepState.RUNNING, StepState.TO_COME, StepState.FAILED


def history(*names: str) -> list[dict[str, Any]]:
    """`+A` entered, `-A` left, a second apart."""
    kinds = {"+": ("TaskStateEntered", "stateEnteredEventDetails"), "-": ("TaskStateExited", "stateExitedEventDetails")}
    return [
        {
            "type": kinds[name[0]][0],
            "timestamp": BEGAN + timedelta(seconds=second),
            kinds[name[0]][1]: {"name": name[1:]},
        }
        for second, name in enumerate(names)
    ]


def states(*names: str, status: str = "RUNNING") -> dict[str, StepState]:
    return {step.name: step.state for step in steps_of(history(*names), TURN, status=status)}


def test_what_is_done_what_runs_and_what_is_to_come() -> None:
    found = states("+BeginTurn", "-BeginTurn", "+PrepareTestUploads")
    assert list(found) == list(TURN)
    assert found["BeginTurn"] is DONE
    assert found["PrepareTestUploads"] is RUNNING
    assert {found[name] for name in list(TURN)[2:]} == {TO_COME}


def test_a_waits_states_are_one_step_however_often_it_asks() -> None:
    wait = ["+AwaitIterationBegin", "-AwaitIterationBegin"]
    for _ in range(3):
        wait += ["+AwaitIterationAsk", "-AwaitIterationAsk", "+AwaitIterationPause", "-AwaitIterationPause"]
    events = history(*wait, "+AwaitIterationAsk")
    step = next(step for step in steps_of(events, TURN, status="RUNNING") if step.name == "AwaitIteration")
    assert (step.state, step.entered_at, step.left_at) == (RUNNING, BEGAN, None)


def test_what_stands_in_a_map_is_its_maps_step() -> None:
    inner = ("+RegisterDataset", "-RegisterDataset", "+AwaitDatasetAsk", "-AwaitDatasetAsk", "+AcceptDataset")
    found = states("+RegisterDatasets", *inner)
    assert found["RegisterDatasets"] is RUNNING
    assert found["RunIteration"] is TO_COME


def test_between_two_states_the_one_that_was_left_goes_on() -> None:
    assert states("+BeginTurn", "-BeginTurn")["BeginTurn"] is RUNNING


def test_what_was_passed_over_was_not_needed() -> None:
    found = states("+BeginTurn", "-BeginTurn", "+AwaitIterationBegin")
    assert found["ComposeDatasets"] is StepState.PASSED_OVER
    ended = states("+BeginTurn", "-BeginTurn", "+ReportTurn", "-ReportTurn", status="SUCCEEDED")
    assert ended["CompareMetrics"] is StepState.PASSED_OVER
    assert ended["ReportTurn"] is DONE


def test_the_step_before_the_report_of_a_failure_failed() -> None:
    found = states("+BeginTurn", "-BeginTurn", "+RunIteration", "-RunIteration", "+ReportFailure", status="RUNNING")
    assert found["RunIteration"] is FAILED
    assert found["BeginTurn"] is DONE


def test_of_an_execution_that_failed_or_was_stopped_the_last_step_did_not_end() -> None:
    assert states("+BeginTurn", status="FAILED")["BeginTurn"] is FAILED
    assert states("+BeginTurn", status="TIMED_OUT")["BeginTurn"] is FAILED
    assert states("+BeginTurn", status="ABORTED")["BeginTurn"] is StepState.STOPPED


def test_an_execution_that_has_just_begun_has_all_to_come() -> None:
    assert set(states().values()) == {TO_COME}


def test_putting_the_former_model_back_is_shown_once_it_happens() -> None:
    usual = [step.name for step in steps_of(history("+CheckModel"), PROMOTION, status="RUNNING")]
    assert "PutBackFormerModel" not in usual
    taken_back = [step.name for step in steps_of(history("+PutBackFormerModel"), PROMOTION, status="RUNNING")]
    assert "PutBackFormerModel" in taken_back
