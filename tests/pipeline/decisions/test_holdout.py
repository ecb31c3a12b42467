"""Evidence HOLDOUT: both models answer the same documents, each once, and only a gain that is sure promotes."""

from __future__ import annotations

import io
import itertools
import json
import tarfile
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    precision_recall_fscore_support,
    roc_auc_score,
)

from flywheel.decisions.holdout import HoldoutFreezer, read_holdout
from flywheel.decisions.holdout_answers import MOST_ATTEMPTS
from flywheel.records.decisions import DecisionKind, Evidence
from flywheel.records.holdouts import FrozenHoldout, HoldoutAttempt, IterationHoldout, iteration_holdout_key
from flywheel.records.turns import TurnOutcome, TurnRecord
from local.comprehend.faults import Fault
from tests.pipeline.deployed import Deployment, Turn
from tests.pipeline.documents import DELIMITER, LABELS, Document, documents
from tests.simulation.functions import FunctionFailed

BUSINESS, SPORTS = LABELS
TEST = documents(*LABELS, count=40, words="judge: ")
GOOD = documents(*LABELS, count=20)
BETTER = documents(*LABELS, start=500, count=300)


def mislabelled(rows: list[Document]) -> list[Document]:
    return [(SPORTS if label == BUSINESS else BUSINESS, text) for label, text in rows]


WRONG = mislabelled(GOOD)
PARTS = 3
"""The kills are a few tests, so that processes can share them."""
ROWS = {text: label for label, text in TEST}


@pytest.fixture
def at() -> Deployment:
    return Deployment(evidence=Evidence.HOLDOUT)


def first(at: Deployment, rows: list[Document] = WRONG, test: list[Document] = TEST) -> TurnRecord:
    at.upload("test/a.csv", test)
    at.upload("train/a.csv", rows)
    return at.run_turn()


def jobs(at: Deployment) -> list[dict[str, Any]]:
    """Those of this deployment, oldest first."""
    found = at.comprehend.list_document_classification_jobs(MaxResults=500)["DocumentClassificationJobPropertiesList"]
    mine = [job for job in found if f"s3://{at.app.intake}/" in job["InputDataConfig"]["S3Uri"]]
    return sorted(mine, key=lambda job: job["SubmitTime"])


def holdout_of(at: Deployment, record: TurnRecord) -> FrozenHoldout:
    chosen = at.bucket.require(iteration_holdout_key(record.iteration_id or ""), IterationHoldout)
    found = read_holdout(at.bucket, chosen)
    assert found
    return found


def texts_of(at: Deployment, holdout: FrozenHoldout) -> list[str]:
    (key,) = at.keys(holdout.documents_folder)
    return at.bucket.read_bytes(key).decode().split("\n")[:-1]


def predictions_of(at: Deployment, model_arn: str) -> HoldoutAttempt:
    found = [
        at.bucket.require(key, HoldoutAttempt) for key in at.keys("evaluations/") if key.endswith("/prediction.json")
    ]
    return next(prediction for prediction in found if prediction.model_arn == model_arn)


def answers_of(at: Deployment, model_arn: str) -> list[str]:
    """Read from the job's output without the pipeline's code."""
    archive = predictions_of(at, model_arn).archive
    assert archive
    with tarfile.open(fileobj=io.BytesIO(at.bucket.read_bytes(archive))) as members:
        content = members.extractfile(members.getmembers()[0])
        assert content
        lines = [json.loads(line) for line in content]
    by_line = {int(line["Line"]): max(line["Classes"], key=lambda entry: entry["Score"])["Name"] for line in lines}
    return [by_line[number] for number in range(len(by_line))]


def margins_of(at: Deployment, model_arn: str) -> list[float]:
    """As `answers_of`: by how much the best score is above the second."""
    archive = predictions_of(at, model_arn).archive
    assert archive
    with tarfile.open(fileobj=io.BytesIO(at.bucket.read_bytes(archive))) as members:
        content = members.extractfile(members.getmembers()[0])
        assert content
        lines = sorted((json.loads(line) for line in content), key=lambda line: int(line["Line"]))
    scores = [sorted((entry["Score"] for entry in line["Classes"]), reverse=True) for line in lines]
    return [best - second for best, second, *_ in scores]


def test_a_first_model_is_scored_alone(at: Deployment) -> None:
    record = first(at, GOOD)
    assert (record.outcome, record.decision) == (TurnOutcome.SUCCEEDED, DecisionKind.PROMOTE)
    assert (record.evidence, record.active) == (Evidence.HOLDOUT, None)
    assert record.holdout
    assert record.holdout.candidate
    assert (record.holdout.active, record.holdout.interval) == (None, None)
    assert record.holdout.documents == len(TEST)
    # 80 documents of 3 units of $0.0005.
    assert record.holdout.dollars == pytest.approx(0.12)
    assert len(jobs(at)) == 1
    at.check_consistency()


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


def test_both_models_are_scored_on_the_same_documents_as_scikit_learn_scores_them(at: Deployment) -> None:
    assert first(at).decision is DecisionKind.PROMOTE
    at.upload("train/b.csv", BETTER)
    record = at.run_turn()
    assert record.decision is DecisionKind.PROMOTE
    assert record.holdout
    truths = [ROWS[text] for text in texts_of(at, holdout_of(at, record))]
    assert sorted(truths) == sorted(ROWS.values())
    for result in (record.holdout.candidate, record.holdout.active):
        assert result
        answers = answers_of(at, result.arn)
        for average, scores in (("macro", result.macro), ("micro", result.micro)):
            expected = precision_recall_fscore_support(
                truths, answers, labels=at.labels, average=average, zero_division=0
            )
            assert (scores.precision, scores.recall, scores.f1) == pytest.approx(expected[:3], abs=1e-9)
        assert result.accuracy == pytest.approx(accuracy_score(truths, answers), abs=1e-9)
        each = precision_recall_fscore_support(truths, answers, labels=at.labels, zero_division=0)
        found = [(label.precision, label.recall, label.f1, label.support) for label in result.labels]
        for mine, theirs in zip(zip(*found, strict=True), each, strict=True):
            assert mine == pytest.approx(theirs, abs=1e-9)
        matrix = confusion_matrix(truths, answers, labels=at.labels)
        pairs = {(pair.true, pair.predicted): pair.documents for pair in result.confusions}
        assert [[pairs.get((true, said), 0) for said in at.labels] for true in at.labels] == matrix.tolist()
    assert record.candidate
    assert record.holdout.candidate
    assert record.candidate.metrics.F1Score == pytest.approx(record.holdout.candidate.macro.f1)
    assert record.candidate.metrics.Accuracy == record.holdout.candidate.accuracy
    interval = record.holdout.interval
    assert interval
    assert 0 < interval.low <= interval.difference <= interval.high
    assert "ConfidenceLevel 0.95" in record.reasons[0]
    at.check_consistency()


def test_how_well_margins_find_errors_is_recorded_as_scikit_learn_has_it(at: Deployment) -> None:
    test = [*TEST[:-10], *mislabelled(TEST[-10:])]
    record = first(at, GOOD, test)
    assert record.holdout
    result = record.holdout.candidate
    assert result
    assert result.ranking
    true = {text: label for label, text in test}
    texts, answers = texts_of(at, holdout_of(at, record)), answers_of(at, result.arn)
    wrong = [true[text] != said for text, said in zip(texts, answers, strict=True)]
    assert (result.ranking.documents, result.ranking.errors) == (len(test), sum(wrong))
    area = roc_auc_score(wrong, [-margin for margin in margins_of(at, result.arn)])
    assert result.ranking.area == pytest.approx(area)


def test_no_prediction_is_paid_for_twice(at: Deployment) -> None:
    assert first(at).decision is DecisionKind.PROMOTE
    at.upload("train/b.csv", BETTER)
    record = at.run_turn()
    assert record.holdout
    assert record.holdout.dollars == pytest.approx(0.12), "the active model's answers were there"
    asked = Counter(job["DocumentClassifierArn"] for job in jobs(at))
    assert set(asked.values()) == {1}
    assert len(asked) == 2


def test_new_test_data_make_another_holdout_that_both_answer(at: Deployment) -> None:
    assert first(at).decision is DecisionKind.PROMOTE
    at.upload("train/b.csv", BETTER)
    at.upload("test/b.csv", documents(*LABELS, start=900, count=10, words="judge: "))
    record = at.run_turn()
    assert record.holdout
    assert record.holdout.documents == len(TEST) + 20
    assert record.holdout.dollars == pytest.approx(2 * 100 * 0.0015)
    assert len(jobs(at)) == 3


def test_a_gain_that_may_be_chance_promotes_nothing(at: Deployment) -> None:
    """The candidate is right about one document of 81 more."""
    first(at, GOOD + quokkas(SPORTS, count=6), [*TEST, (BUSINESS, "quokka wombat numbat")])
    at.upload("train/b.csv", quokkas(BUSINESS, count=30))
    record = at.run_turn()
    assert record.decision is DecisionKind.KEEP
    assert record.holdout
    interval = record.holdout.interval
    assert interval
    assert interval.low <= 0 < interval.difference
    for number in (interval.low, interval.high, interval.difference):
        assert f"{number:+.4f}" in record.reasons[0]
    at.change(evidence=Evidence.ITERATION)
    at.upload("train/c.csv", quokkas(BUSINESS, start=50, count=30))
    assert at.run_turn().decision is DecisionKind.PROMOTE, "the iteration's own metrics know no chance"


def quokkas(label: str, *, count: int, start: int = 0) -> list[Document]:
    return [(label, f"quokka wombat numbat {number}") for number in range(start, start + count)]


def test_without_test_data_nothing_is_promoted_and_nothing_paid(at: Deployment) -> None:
    at.upload("train/a.csv", GOOD)
    record = at.run_turn()
    assert (record.outcome, record.decision) == (TurnOutcome.SUCCEEDED, DecisionKind.KEEP)
    assert "upload test data" in record.reasons[0]
    assert (record.evidence, record.holdout) == (Evidence.HOLDOUT, None)
    assert jobs(at) == []
    assert at.active_model() is None


def test_test_data_that_comprehend_has_not_accepted_are_not_in_it(at: Deployment) -> None:
    at.upload("test/a.csv", TEST)
    at.upload("train/a.csv", GOOD)
    turn = at.start_turn().run_before("PrepareHoldout")
    at.bucket.delete(["datasets/test/test-000001/accepted.json"])
    record = turn.run()
    assert (record.decision, record.holdout) == (DecisionKind.KEEP, None)


def test_test_documents_that_were_trained_on_are_not_in_it(at: Deployment) -> None:
    """As they can be when the training data came first, or by a dataset of another generation."""
    first(at, GOOD)
    leaked = "datasets/train/train-000001/hashes/0123.bin"
    (key,) = [key for key in at.keys("datasets/test/") if "/hashes/" in key]
    at.bucket.write_bytes(leaked, at.bucket.read_bytes(key)[: 8 * 10])
    at.upload("train/b.csv", BETTER)
    record = at.run_turn()
    assert record.holdout
    assert record.holdout.documents == len(TEST) - 10
    lines = texts_of(at, holdout_of(at, record))
    dropped = set(ROWS) - set(lines)
    assert dropped == {text for _, text in TEST[:10]}


def test_an_upload_that_only_repeats_another_adds_nothing_to_it(at: Deployment) -> None:
    at.upload("test/again.csv", [*reversed(TEST)])
    record = first(at, GOOD)
    assert len([key for key in at.keys("datasets/test/") if "/hashes/" in key]) == 2
    assert record.holdout
    assert record.holdout.documents == len(TEST)


def test_line_ends_within_a_document_do_not_make_two_of_it(at: Deployment) -> None:
    rows = [*TEST, (SPORTS, "sports news\u2028with a separator\x85and another")]
    record = first(at, GOOD, rows)
    assert record.decision is DecisionKind.PROMOTE
    assert record.holdout
    assert record.holdout.documents == len(rows)
    assert "sports news with a separator and another" in texts_of(at, holdout_of(at, record))


def test_a_sample_is_stratified_and_no_larger_than_asked(at: Deployment) -> None:
    at.set_variable("prepare_holdout", HOLDOUT_DOCUMENTS="10")
    record = first(at, GOOD, TEST + documents(BUSINESS, start=700, count=120, words="judge: "))
    assert record.holdout
    assert record.holdout.candidate
    assert {score.label: score.support for score in record.holdout.candidate.labels} == {BUSINESS: 8, SPORTS: 2}


def test_several_labels_a_document() -> None:
    at = Deployment(evidence=Evidence.HOLDOUT, multi_label=True)
    both = f"{BUSINESS}{DELIMITER}{SPORTS}"
    test = documents(*LABELS, both, count=20, words="judge: ")
    record = first(at, documents(*LABELS, both, count=30), test)
    assert record.decision is DecisionKind.PROMOTE
    assert record.holdout
    assert record.holdout.candidate
    assert {score.label: score.support for score in record.holdout.candidate.labels} == {BUSINESS: 40, SPORTS: 40}
    assert record.holdout.candidate.confusions == ()


def test_labels_joined_by_a_former_delimiter_are_read_too() -> None:
    at = Deployment(evidence=Evidence.HOLDOUT, multi_label=True)
    both = f"{BUSINESS}{DELIMITER}{SPORTS}"
    first(at, documents(*LABELS, both, count=30), documents(*LABELS, both, count=20, words="judge: "))
    freezer = HoldoutFreezer(intake=at.bucket, service=at.service, delimiter=";", at_most=2000)
    frozen = freezer.freeze("another")
    assert frozen
    assert Counter(frozen.labels) == {(BUSINESS,): 20, (SPORTS,): 20, (BUSINESS, SPORTS): 20}


def test_documents_are_charged_by_their_length(at: Deployment) -> None:
    """301 characters are four units; up to 300 are three."""
    rows = [*TEST, (SPORTS, "sports news " + "x" * 289)]
    record = first(at, GOOD, rows)
    assert holdout_of(at, record).units == 3 * len(TEST) + 4
    assert record.holdout
    assert record.holdout.dollars == pytest.approx((3 * len(TEST) + 4) * 0.0005)


def test_a_new_generation_is_compared_with_the_model_that_serves(at: Deployment) -> None:
    """On one copy of each test document, though each generation has a dataset with it."""
    former = first(at).candidate
    assert former
    at.replace_flywheel()
    at.upload("train/b.csv", BETTER)
    record = at.run_turn()
    assert record.holdout
    assert record.holdout.documents == len(TEST)
    assert record.holdout.active
    assert record.holdout.active.arn == former.arn
    assert record.decision is DecisionKind.PROMOTE
    assert record.holdout.dollars == pytest.approx(0.12), "the former model's answers were there"


def test_a_label_that_this_generation_does_not_know_is_left_out(at: Deployment) -> None:
    first(at)
    at.replace_flywheel(labels=(BUSINESS, "WORLD"))
    at.upload("test/w.csv", documents("WORLD", count=5, words="judge: "))
    at.upload("train/b.csv", documents(BUSINESS, "WORLD", count=30, start=2000))
    record = at.run_turn()
    assert record.holdout
    assert record.holdout.candidate
    assert {score.label: score.support for score in record.holdout.candidate.labels} == {BUSINESS: 40, "WORLD": 5}


def flywheels(at: Deployment) -> list[str]:
    pages = at.comprehend.list_flywheels(MaxResults=500)["FlywheelSummaryList"]
    return [flywheel["FlywheelArn"] for flywheel in pages]


def test_an_active_model_that_was_deleted_is_a_reason_to_keep(at: Deployment) -> None:
    former, flywheel = first(at).candidate, at.flywheel_arn
    assert former
    at.replace_flywheel()
    at.comprehend.delete_flywheel(FlywheelArn=flywheel)
    at.let_pass(timedelta(minutes=1))
    assert flywheel not in flywheels(at)
    at.comprehend.delete_document_classifier(DocumentClassifierArn=former.arn)
    at.upload("train/b.csv", BETTER)
    at.upload("test/b.csv", documents(*LABELS, start=900, count=5, words="judge: "))
    record = at.run_turn()
    assert (record.outcome, record.decision) == (TurnOutcome.SUCCEEDED, DecisionKind.KEEP)
    assert "active model could not be asked" in record.reasons[0]
    assert former.arn in record.reasons[0]
    assert record.holdout
    assert record.holdout.candidate
    assert record.holdout.active is None
    assert record.active
    assert record.active.metrics.F1Score is None


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


def test_a_model_that_became_active_after_the_others_were_asked_is_asked_by_the_next_turn(at: Deployment) -> None:
    one = first(at).candidate
    assert one
    at.upload("train/b.csv", mislabelled(documents(*LABELS, start=100, count=80)))
    two = at.run_turn().candidate
    assert two
    at.upload("train/c.csv", BETTER)
    at.upload("test/c.csv", documents(*LABELS, start=900, count=5, words="judge: "))
    turn = at.start_turn().run_before("CompareMetrics")
    at.comprehend.update_flywheel(FlywheelArn=at.flywheel_arn, ActiveModelArn=two.arn)
    record = turn.run()
    assert (record.outcome, record.error) == (TurnOutcome.FAILED, "PredictionFailed")
    record = at.run_turn()
    assert record.holdout
    assert record.holdout.active
    assert record.holdout.active.arn == two.arn


def test_a_turn_whose_holdout_was_never_made_ready_fails_and_the_next_one_makes_it(at: Deployment) -> None:
    """As when Evidence was changed while the turn ran by its former definition."""
    at.upload("test/a.csv", TEST)
    at.upload("train/a.csv", GOOD)
    turn = at.start_turn().run_before("PrepareHoldout")
    iteration = at.iterations()[0]["FlywheelIterationId"]
    with pytest.raises(FunctionFailed, match="UnknownRecord"):
        at.invoke("compare_metrics", {"turn": turn.name, "iteration_id": iteration})
    turn.stop()
    assert at.run_turn().decision is DecisionKind.PROMOTE


def test_a_holdout_too_small_for_the_labels_says_what_to_set(at: Deployment) -> None:
    at.set_variable("prepare_holdout", HOLDOUT_DOCUMENTS="1")
    record = first(at, GOOD)
    assert (record.outcome, record.error) == (TurnOutcome.FAILED, "SampleTooSmall")
    assert "HoldoutDocuments to 2" in (record.cause or "")
    at.set_variable("prepare_holdout", HOLDOUT_DOCUMENTS="2")
    assert at.run_turn().holdout


def test_an_iteration_that_trained_nothing_asks_nobody(at: Deployment) -> None:
    first(at, GOOD)
    at.upload("test/b.csv", documents(*LABELS, start=900, count=5, words="judge: "))
    record = at.run_turn()
    assert record.decision is DecisionKind.REPORT
    assert (record.evidence, record.holdout) == (Evidence.ITERATION, None)
    assert len(jobs(at)) == 1


def test_a_candidate_that_the_service_made_active_by_itself_stays(at: Deployment) -> None:
    with at.comprehend_with(first_model_becomes_active=True):
        at.upload("train/a.csv", GOOD)
        record = at.run_turn()
    assert record.decision is DecisionKind.PROMOTE
    at.check_consistency()


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


def second_turn() -> tuple[Deployment, Turn]:
    """One in which both models are to be asked."""
    at = Deployment(evidence=Evidence.HOLDOUT)
    first(at)
    at.upload("train/b.csv", BETTER)
    at.upload("test/b.csv", documents(*LABELS, start=900, count=5, words="judge: "))
    return at, at.start_turn().run_before("PrepareHoldout")


def check_killed(at: Deployment, record: TurnRecord) -> None:
    assert record.decision is DecisionKind.PROMOTE
    assert record.holdout
    assert record.holdout.documents == len(TEST) + 10
    asked = Counter((job["InputDataConfig"]["S3Uri"], job["DocumentClassifierArn"]) for job in jobs(at))
    assert list(asked.values()) == [1, 1, 1]
    assert len(at.keys("evaluations/iterations/")) == 2
    at.check_consistency()


@pytest.mark.parametrize("part", range(PARTS))
def test_killed_at_any_place_the_next_turn_asks_nobody_twice(part: int) -> None:
    for after in itertools.count(part, PARTS):
        at, turn = second_turn()
        at.script.kill(after=after)
        at.go_on(turn.name)
        at.until_killed()
        if not at.script.killed:
            assert after > 10, "the turn was hardly killed"
            return
        at.stop("Turn")
        records = [*at.run_until_at_rest(), at.bucket.require(f"turns/{turn.name}/turn.json", TurnRecord)]
        decided = [found for found in records if found.decision is not DecisionKind.NOTHING]
        try:
            check_killed(at, decided[0])
        except AssertionError as error:
            error.add_note(f"{turn.name} was killed after {after} changes.")
            raise


def test_killed_at_every_place_and_redriven_each_time() -> None:
    at, turn = second_turn()
    at.script.kill_everywhere()
    at.go_on(turn.name)
    killed = -1
    while len(at.script.killed) > killed:
        killed = len(at.script.killed)
        at.until_killed()
        at.redrive_what_runs()
    assert killed > 10, "the turn was hardly killed"
    at.script.kill()
    at.promote_all()
    check_killed(at, turn.record())


def test_repeated_steps_find_what_they_did(at: Deployment) -> None:
    at.upload("test/a.csv", TEST)
    at.upload("train/a.csv", GOOD)
    turn = at.start_turn().run_before("PrepareHoldout")
    at.script.lose_answers()
    assert turn.run().decision is DecisionKind.PROMOTE
    assert len(jobs(at)) == 1
    assert len(at.keys("evaluations/holdouts/")) == 2
