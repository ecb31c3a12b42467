"""A recognizer's flywheel from uploads to a promoted model that answers, in this process."""

from __future__ import annotations

from typing import Any

from flywheel.preparation.entities import from_line
from flywheel.records.datasets import by_single_label
from flywheel.records.decisions import DecisionKind, Evidence
from flywheel.records.serving import STATE_KEY, ServingState, ServingStatus, smoke_test_of
from flywheel.records.uploads import Split
from tests.pipeline.deployed import Deployment
from tests.pipeline.entities.documents import TYPES, annotated, as_json_lines


def people(**options: Any) -> Deployment:
    return Deployment(entities=True, labels=TYPES, **options)


def test_a_first_turn_trains_and_promotes_a_recognizer() -> None:
    at = people()
    documents = annotated(count=200)
    at.upload("train/people.jsonl", as_json_lines(documents))
    at.upload("test/people.jsonl", as_json_lines(annotated(start=300, count=60)))
    record = at.run_turn()
    assert record.decision is DecisionKind.PROMOTE
    at.promote_all()
    (dataset,) = [one for one in record.datasets if one.split is Split.TRAIN]
    assert dataset.documents == len(documents)
    assert dataset.labels == {"PERSON": 200, "PLACE": 200}
    manifest = at.bucket.read_bytes(f"datasets/train/{dataset.name}/manifest.jsonl").decode()
    assert sorted(map(from_line, manifest.splitlines())) == sorted(documents)
    model = at.active_model()
    assert model is not None
    assert ":entity-recognizer/" in model
    at.check_consistency()


def test_a_better_recognizer_is_promoted_on_the_evidence_of_the_hold_out() -> None:
    at = people(evidence=Evidence.HOLDOUT)
    at.upload("test/people.jsonl", as_json_lines(annotated(start=300, count=60)))
    at.upload("train/wrong.jsonl", as_json_lines(annotated(count=80, wrong=True)))
    assert at.run_turn().decision is DecisionKind.PROMOTE
    at.promote_all()
    first = at.active_model()
    at.upload("train/right.jsonl", as_json_lines(annotated(start=1000, count=200)))
    record = at.run_turn()
    assert record.decision is DecisionKind.PROMOTE
    at.promote_all()
    assert at.active_model() != first
    assert record.holdout is not None
    assert record.holdout.candidate is not None
    assert record.holdout.candidate.compared_by == "micro"
    assert {one.label for one in record.holdout.candidate.labels} == set(TYPES)
    assert record.holdout.interval is not None
    assert record.holdout.interval.low > 0


def test_a_recognizer_is_served_and_tested() -> None:
    smoke = "serving/smoke.jsonl"
    at = people(serving={"inference_units": 50, "smoke_test_key": smoke, "smoke_test_minimum": 0.6})
    at.upload(smoke, as_json_lines(annotated(start=500, count=5)))
    at.upload("train/people.jsonl", as_json_lines(annotated(count=200)))
    at.upload("test/people.jsonl", as_json_lines(annotated(start=300, count=60)))
    assert at.run_turn().decision is DecisionKind.PROMOTE
    assert at.bucket.require(STATE_KEY, ServingState).status is ServingStatus.IN_SERVICE
    endpoint = at.endpoint()
    assert endpoint is not None
    assert (endpoint["Status"], endpoint["ModelArn"]) == ("IN_SERVICE", at.active_model())
    tested = smoke_test_of(at.active_model() or "", intake=at.bucket)
    assert tested is not None
    assert tested.passed


def test_documents_wait_until_each_type_has_its_minimum() -> None:
    at = people(minimum_documents_per_label=25)
    at.upload("train/few.jsonl", as_json_lines(annotated(count=20)))
    record = at.run_turn()
    assert record.datasets == ()
    (waits,) = record.waiting
    assert waits.reason == "Not enough annotations yet: 5 more of PERSON, 5 more of PLACE needed."
    assert waits.labels == {"PERSON": 20, "PLACE": 20}
    assert by_single_label({"PERSON\x1e2\x1fPLACE\x1e1": 3}) == {"PERSON": 6, "PLACE": 3}
