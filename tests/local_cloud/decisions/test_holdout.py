"""A deployment whose decisions rest on a hold-out: real jobs under the roles of the template, seen from outside."""

from __future__ import annotations

import pytest

from flywheel.evaluation import holdout_cost
from flywheel.records.decisions import DecisionKind, Evidence
from flywheel.records.turns import TurnRecord
from local.cloud import LocalCloud
from ops.cost import Range, cost
from tests.local_cloud.pipeline import CONTEXT, LABELS, Document, Pipeline, documents
from tests.local_cloud.resources import Synthesise

TEST_DOCUMENTS = 40
DOLLARS = TEST_DOCUMENTS * 3 * 0.0005
"""What one model's answers to them cost."""


@pytest.fixture(scope="module")
def pipeline(cloud: LocalCloud, synthesise: Synthesise) -> Pipeline:
    """One that nothing but people start."""
    account = cloud.account("100000000007")
    account.comprehend_administration("PUT", "settings", {"job_queue_seconds": 0.1, "job_seconds": 0.1})
    return Pipeline.deploy(account, synthesise(context=CONTEXT), TriggerOnUpload="false", Evidence="HOLDOUT")


def mislabelled(rows: list[Document]) -> list[Document]:
    other = dict(zip(LABELS, LABELS[::-1], strict=True))
    return [(other[label], text) for label, text in rows]


def jobs(pipeline: Pipeline) -> list[str]:
    """The status of each."""
    answer = pipeline.account.client("comprehend").list_document_classification_jobs()
    return [job["JobStatus"] for job in answer["DocumentClassificationJobPropertiesList"]]


def turn_with(pipeline: Pipeline, train: list[Document], *, test: list[Document] | None = None) -> TurnRecord:
    name = f"{len(pipeline.records())}.csv"
    if test:
        pipeline.upload(f"test/{name}", test)
    pipeline.upload(f"train/{name}", train)
    return pipeline.turn_now()


@pytest.fixture(scope="module")
def compared(pipeline: Pipeline) -> list[TurnRecord]:
    """Three turns: all labels wrong, then right ones, then more of the same."""
    records = [turn_with(pipeline, mislabelled(documents()), test=documents(TEST_DOCUMENTS // 2))]
    pipeline.at_rest()
    for count in (150, 60):
        records.append(turn_with(pipeline, documents(count)))
        pipeline.at_rest()
    return records


def test_models_are_compared_by_their_own_answers_to_the_same_documents(compared: list[TurnRecord]) -> None:
    wrong, first, same = compared
    # All wrong, so not promoted: nothing is yet active.
    assert (wrong.decision, wrong.evidence) == (DecisionKind.KEEP, Evidence.HOLDOUT)
    assert wrong.holdout
    assert wrong.holdout.candidate
    assert wrong.holdout.candidate.accuracy == 0
    assert wrong.holdout.dollars == pytest.approx(DOLLARS)
    assert first.decision is DecisionKind.PROMOTE
    assert same.decision is DecisionKind.KEEP
    assert same.holdout
    assert same.holdout.active
    assert same.holdout.dollars == pytest.approx(DOLLARS), "the active model had answered before"
    assert {label.support for label in same.holdout.active.labels} == {TEST_DOCUMENTS // 2}


@pytest.mark.usefixtures("compared")
def test_cost_counts_what_this_deployment_has(pipeline: Pipeline) -> None:
    models = len(pipeline.iterations())
    lines = {line.what: line for line in cost(pipeline.deployment).lines}
    alarms = pipeline.account.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert lines["Alarms"].quantity == Range.of(len(alarms))
    assert lines["Dashboard"].quantity == Range.of(1)
    assert lines["Custom metrics"].quantity.high > 10
    assert lines["Model versions"].quantity.low == models
    assert f"billed training time of this flywheel's models that there are ({models})" in lines["Training"].basis
    assert lines["Hold-out"].dollars == Range.of(
        holdout_cost(documents=TEST_DOCUMENTS, models=1), holdout_cost(documents=2000, models=2)
    )
    assert lines["Turn machine"].quantity.low > 10
    assert lines["S3 storage"].quantity.low > 0


@pytest.mark.usefixtures("compared")
def test_a_job_that_fails_ends_the_turn_with_its_reason_and_the_next_turn_asks_again(pipeline: Pipeline) -> None:
    before = jobs(pipeline)
    with pipeline.fault(resource="job", message="Out of capacity.", times=1):
        failed = turn_with(pipeline, documents(60))
        assert failed.error == "PredictionFailed"
        assert "Out of capacity." in (failed.cause or "")
    assert pipeline.turn_now().decision in {DecisionKind.KEEP, DecisionKind.PROMOTE}
    pipeline.at_rest()
    assert before == ["COMPLETED"] * 3
    assert sorted(jobs(pipeline)) == ["COMPLETED"] * 4 + ["FAILED"]
