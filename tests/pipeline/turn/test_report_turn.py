"""The record of a turn: written however it ended, and not by an execution that is not the turn any more."""

from __future__ import annotations

from datetime import timedelta

import pytest

from flywheel.records import turns
from flywheel.records.turns import TurnOutcome, TurnRecord
from flywheel.records.uploads import UploadOutcome
from flywheel.turn.report_turn import message
from local.comprehend.faults import Fault
from tests.pipeline.deployed import Deployment, result_of
from tests.pipeline.documents import LABELS, as_csv, documents

ROWS = documents(*LABELS, count=10)
TEST = documents(*LABELS, count=5, words="judge: ")


@pytest.fixture
def at() -> Deployment:
    return Deployment()


def record_of(at: Deployment, turn: str) -> TurnRecord:
    return at.bucket.require(turns.record_key(turn), TurnRecord)


def test_a_record_tells_the_whole_turn(at: Deployment) -> None:
    at.upload("test/a.csv", TEST)
    at.upload("train/a.csv", ROWS)
    at.upload("train/b.csv", as_csv(documents(*LABELS, start=50, count=5)) + b"CHESS,an unknown label\n")
    record = at.run_turn()
    assert record == record_of(at, "turn-000001")
    assert record.began_at
    assert record.began_at <= record.ended_at
    assert [(dataset.name, dataset.documents) for dataset in record.datasets] == [
        ("test-000001", 10),
        ("train-000001", 30),
    ]
    assert record.datasets[1].labels == dict.fromkeys(LABELS, 15)
    assert result_of(record, "train/b.csv").outcome is UploadOutcome.PARTLY_ACCEPTED
    assert record.candidate
    assert record.candidate.metrics.F1Score is not None
    assert record.promotion
    assert record.promotion.model_arn == record.candidate.arn == at.active_model()
    text = message(record, flywheel_name=at.name, intake_bucket=at.name)
    assert "unknown label" not in text
    assert "told in document" not in text


@pytest.mark.parametrize(
    "step", ["BeginTurn", "PrepareTrainUpload", "RegisterDataset", "AwaitIterationBegin", "RequestPromotion"]
)
def test_a_turn_that_was_stopped_is_reported_as_far_as_it_got(at: Deployment, step: str) -> None:
    at.upload("train/a.csv", ROWS)
    turn = at.start_turn().run_before(step)
    record = turn.stop()
    assert record.outcome is TurnOutcome.ABORTED
    assert [upload.key for upload in record.unprepared] == (["train/a.csv"] if step == "PrepareTrainUpload" else [])
    assert len(record.uploads) == (0 if step in {"BeginTurn", "PrepareTrainUpload"} else 1)
    assert (record.iteration_id is not None) is (step in {"AwaitIterationBegin", "RequestPromotion"})
    assert record.promotion is None
    at.run_until_at_rest()
    at.check_consistency()


def test_a_report_that_comes_late_finds_the_dataset_of_its_turn_discarded(at: Deployment) -> None:
    at.upload("train/a.csv", ROWS)
    at.faults.add(Fault(resource="dataset", times=1))
    turn = at.start_turn().run_before("AwaitDatasetBegin")
    at.script.events_take = 3600.0
    at.stop("Turn")
    at.let_pass(timedelta(minutes=1))
    at.script.events_take = 0.5
    at.run_turn()
    at.let_pass(timedelta(hours=1))
    assert turn.record().datasets == ()


def test_a_late_event_of_a_turn_that_was_stopped_and_redriven_leaves_its_success_alone(at: Deployment) -> None:
    at.upload("train/a.csv", ROWS)
    turn = at.start_turn().run_before("RunIteration")
    at.script.events_take = 3600.0
    at.stop("Turn")
    at.let_pass(timedelta(minutes=1))
    at.script.events_take = 0.5
    turn.redrive()
    at.settle()
    assert turn.record().outcome is TurnOutcome.SUCCEEDED
    at.let_pass(timedelta(hours=1))
    assert turn.record().outcome is TurnOutcome.SUCCEEDED
    at.check_consistency()


def test_an_execution_that_is_not_the_turn_any_more_leaves_the_record_alone(at: Deployment) -> None:
    at.upload("train/a.csv", ROWS)
    first = at.start_turn().run_before("RunIteration")
    first.stop()
    at.run_turn()
    first.redrive()
    at.settle()
    assert (first.execution.status, first.execution.error) == ("FAILED", "NotCurrentTurn")
    assert (first.record().outcome, first.record().error) == (TurnOutcome.ABORTED, None)
    at.check_consistency()
