"""Each model answers the documents of a hold-out once: in which classification jobs, and when one fails or is gone."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from flywheel.decisions.holdout_answers import MOST_ATTEMPTS
from flywheel.records.decisions import DecisionKind, Evidence
from flywheel.records.turns import TurnOutcome
from local.comprehend.faults import Fault
from tests.pipeline.decisions.holdout.world import BETTER, GOOD, TEST, first, jobs, predictions_of
from tests.pipeline.deployed import Deployment
from tests.pipeline.documents import LABELS, documents
from tests.simulation.functions import FunctionFailed


def test_a_job_that_does_not_show_yet_has_not_failed_and_is_not_paid_for_twice(at: Deployment) -> None:
    at.upload("test/a.csv", TEST)
    at.upload("train/a.csv", GOOD)
    turn = at.start_turn().run_before("PredictHoldout")
    at.let_pass(timedelta(minutes=2))
    with at.comprehend_with(created_things_found_after_seconds=60):
        at.script.lose_answers()
        assert turn.run().outcome is TurnOutcome.SUCCEEDED
    (job,) = jobs(at)
    assert job["JobName"].endswith("-1")


def test_no_prediction_is_paid_for_twice(at: Deployment) -> None:
    assert first(at).decision is DecisionKind.PROMOTE
    at.upload("train/b.csv", BETTER)
    record = at.run_turn()
    assert record.holdout
    assert record.holdout.dollars == pytest.approx(0.12), "the active model's answers were there"
    asked = Counter(job["DocumentClassifierArn"] for job in jobs(at))
    assert set(asked.values()) == {1}
    assert len(asked) == 2


def test_a_failed_job_fails_the_turn_and_the_next_turn_asks_again(at: Deployment) -> None:
    at.upload("test/a.csv", TEST)
    at.upload("train/a.csv", GOOD)
    at.faults.add(Fault(resource="job", message="Out of capacity.", times=1))
    record = at.run_turn()
    assert (record.outcome, record.error) == (TurnOutcome.FAILED, "PredictionFailed")
    assert "Out of capacity." in (record.cause or "")
    assert at.poked().start
    record = at.run_turn()
    assert record.decision is DecisionKind.PROMOTE
    assert [job["JobStatus"] for job in jobs(at)] == ["FAILED", "COMPLETED"]
    assert record.candidate
    assert predictions_of(at, record.candidate.arn).attempt == 2


def test_an_active_model_whose_jobs_all_fail_is_a_reason_to_keep(at: Deployment) -> None:
    former = first(at).candidate
    assert former
    at.upload("train/b.csv", BETTER)
    at.upload("test/b.csv", documents(*LABELS, start=900, count=5, words="judge: "))
    turn = at.start_turn().run_before("PredictHoldouts")
    # Both are asked side by side. Here the candidate is first, so that only the active model's jobs are left to fail.
    newest = max(at.iterations(), key=lambda iteration: iteration["CreationTime"])
    step = {"iteration_id": newest["FlywheelIterationId"], "model_arn": newest["TrainedModelArn"]}
    at.invoke("predict_holdout", {"turn": turn.name, **step})
    at.faults.add(Fault(resource="job", message="A failure.", times=MOST_ATTEMPTS))
    record = turn.run()
    outcomes = [record.outcome]
    while len(outcomes) < MOST_ATTEMPTS:
        record = at.run_turn()
        outcomes.append(record.outcome)
    assert outcomes == [TurnOutcome.FAILED, TurnOutcome.FAILED, TurnOutcome.SUCCEEDED]
    assert record.decision is DecisionKind.KEEP
    assert f"{MOST_ATTEMPTS} of its classification jobs failed" in record.reasons[0]
    assert "A failure." in record.reasons[0]
    asked = Counter(job["DocumentClassifierArn"] for job in jobs(at))
    assert sorted(asked.values()) == [1, 1 + MOST_ATTEMPTS]


def test_an_answer_that_got_lost_does_not_make_a_second_job(at: Deployment) -> None:
    at.faults.add(Fault(operation="StartDocumentClassificationJob", kind="lose_response", times=1))
    assert first(at, GOOD).decision is DecisionKind.PROMOTE
    assert len(jobs(at)) == 1


def test_too_many_jobs_at_a_time_are_waited_for(at: Deployment) -> None:
    refusal = Fault(operation="StartDocumentClassificationJob", code="TooManyRequestsException", times=9)
    at.faults.add(refusal)
    at.upload("test/a.csv", TEST)
    at.upload("train/a.csv", GOOD)
    assert at.run_turn().decision is DecisionKind.PROMOTE
    assert at.world.retries["PredictHoldout", "ServiceBusy"] == 1


def test_a_job_that_still_runs_is_waited_for_by_the_next_turn(at: Deployment) -> None:
    at.upload("test/a.csv", TEST)
    at.upload("train/a.csv", GOOD)
    turn = at.start_turn().run_before("PredictHoldout")
    with at.comprehend_with(job_seconds=3600):
        turn.run_before("AwaitPredictionBegin").stop()
        (job,) = jobs(at)
        following = at.start_turn().run_before("AwaitPredictionBegin")
        assert [found["JobId"] for found in jobs(at)] == [job["JobId"]]
    assert following.run().decision is DecisionKind.PROMOTE
    assert [found["JobId"] for found in jobs(at)] == [job["JobId"]]


def test_an_output_that_has_vanished_is_predicted_again(at: Deployment) -> None:
    active = first(at).candidate
    assert active
    archive = predictions_of(at, active.arn).archive
    assert archive
    at.bucket.delete([archive])
    at.upload("train/b.csv", BETTER)
    record = at.run_turn()
    assert record.decision is DecisionKind.PROMOTE
    assert predictions_of(at, active.arn).attempt == 2
    assert record.holdout
    assert record.holdout.dollars == pytest.approx(0.24)


def test_an_output_that_cannot_be_read_fails_the_turn_and_is_predicted_again(at: Deployment) -> None:
    at.upload("test/a.csv", TEST)
    at.upload("train/a.csv", GOOD)
    turn = at.start_turn().run_before("CompareMetrics")
    (archive,) = [key for key in at.keys("evaluations/") if key.endswith("output.tar.gz")]
    at.bucket.write_bytes(archive, b"not an archive")
    record = turn.run()
    assert (record.outcome, record.error) == (TurnOutcome.FAILED, "PredictionFailed")
    assert at.run_turn().decision is DecisionKind.PROMOTE
    assert len(jobs(at)) == 2


def test_an_iteration_that_trained_nothing_asks_nobody(at: Deployment) -> None:
    first(at, GOOD)
    at.upload("test/b.csv", documents(*LABELS, start=900, count=5, words="judge: "))
    record = at.run_turn()
    assert record.decision is DecisionKind.REPORT
    assert (record.evidence, record.holdout) == (Evidence.ITERATION, None)
    assert len(jobs(at)) == 1


def test_an_older_execution_asks_nobody(at: Deployment) -> None:
    at.upload("test/a.csv", TEST)
    at.upload("train/a.csv", GOOD)
    older = at.start_turn().run_before("PredictHoldout")
    iteration = at.iterations()[0]["FlywheelIterationId"]
    older.stop()
    at.start_turn().run_before("BeginTurn")
    with pytest.raises(FunctionFailed, match="NotCurrentTurn"):
        at.invoke("prepare_holdout", {"turn": older.name, "iteration_id": iteration})
    older.redrive()
    at.settle()
    assert older.execution.error == "NotCurrentTurn"
    assert jobs(at) == []
