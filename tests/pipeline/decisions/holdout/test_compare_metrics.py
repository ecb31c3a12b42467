"""Two models' answers to a hold-out are compared: only a gain that is sure promotes."""

from __future__ import annotations

import io
import json
import tarfile
from datetime import timedelta
from typing import Any

import pytest
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    precision_recall_fscore_support,
    roc_auc_score,
)

from flywheel.records.decisions import DecisionKind, Evidence
from flywheel.records.turns import TurnOutcome
from tests.pipeline.decisions.holdout.world import (
    BETTER,
    BUSINESS,
    GOOD,
    ROWS,
    SPORTS,
    TEST,
    first,
    holdout_of,
    jobs,
    predictions_of,
    texts_of,
)
from tests.pipeline.deployed import Deployment
from tests.pipeline.documents import DELIMITER, LABELS, Document, documents, mislabelled


def classes_of(at: Deployment, model_arn: str) -> list[list[dict[str, Any]]]:
    """Of each document in order, the best first: read from the job's output without the pipeline's code."""
    archive = predictions_of(at, model_arn).archive
    assert archive
    with tarfile.open(fileobj=io.BytesIO(at.bucket.read_bytes(archive))) as members:
        content = members.extractfile(members.getmembers()[0])
        assert content
        lines = sorted((json.loads(line) for line in content), key=lambda line: int(line["Line"]))
    assert [int(line["Line"]) for line in lines] == list(range(len(lines)))
    return [sorted(line["Classes"], key=lambda entry: entry["Score"], reverse=True) for line in lines]


def answers_of(at: Deployment, model_arn: str) -> list[str]:
    return [best["Name"] for best, *_ in classes_of(at, model_arn)]


def margins_of(at: Deployment, model_arn: str) -> list[float]:
    """By how much the best score is above the second."""
    return [best["Score"] - second["Score"] for best, second, *_ in classes_of(at, model_arn)]


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


def test_a_candidate_that_the_service_made_active_by_itself_stays(at: Deployment) -> None:
    with at.comprehend_with(first_model_becomes_active=True):
        at.upload("train/a.csv", GOOD)
        record = at.run_turn()
    assert record.decision is DecisionKind.PROMOTE
    at.check_consistency()
