"""Which test documents are in a hold-out, and what they cost."""

from __future__ import annotations

from collections import Counter

import pytest

from flywheel.decisions.holdout import HoldoutFreezer
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
    texts_of,
)
from tests.pipeline.deployed import Deployment
from tests.pipeline.documents import DELIMITER, LABELS, documents
from tests.simulation.functions import FunctionFailed


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


def test_a_label_that_this_generation_does_not_know_is_left_out(at: Deployment) -> None:
    first(at)
    at.replace_flywheel(labels=(BUSINESS, "WORLD"))
    at.upload("test/w.csv", documents("WORLD", count=5, words="judge: "))
    at.upload("train/b.csv", documents(BUSINESS, "WORLD", count=30, start=2000))
    record = at.run_turn()
    assert record.holdout
    assert record.holdout.candidate
    assert {score.label: score.support for score in record.holdout.candidate.labels} == {BUSINESS: 40, "WORLD": 5}


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
