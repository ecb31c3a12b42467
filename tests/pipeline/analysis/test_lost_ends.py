"""Runs of analysis jobs whose execution ended without a report, when the event that says so got lost."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from flywheel.records.analyses import SUMMARY, AnalysisOutcome, AnalysisSummary, input_folder, output_key
from tests.pipeline.analyses import ANALYSIS, analysed, rows_of
from tests.pipeline.deployed import Deployment
from tests.pipeline.documents import documents

SWEEP = {"Records": [{"messageId": "1", "body": json.dumps({"poke": "schedule"})}]}
TEXT = b"sports news, told in document 1\n"


@pytest.fixture(scope="module")
def deployment() -> Deployment:
    at = Deployment(analysis=ANALYSIS)
    at.upload("train/train.csv", documents(*at.labels, count=20))
    at.run_turn()
    at.promote_all()
    return at


@pytest.fixture
def at(deployment: Deployment) -> Iterator[Deployment]:
    deployment.script.loses_events_of = "Analysis"
    yield deployment
    deployment.script.loses_events_of = None


def stopped(at: Deployment, job: str, *, before: str) -> None:
    """Its execution, before it enters a state; nobody hears of it."""
    at.upload(f"{input_folder(job)}a.txt", TEXT)
    name = at.run_before(before, machine="Analyze")
    assert name.startswith(job)
    at.stop("Analyze")
    at.settle()
    assert summary_of(at, job) is None


def summary_of(at: Deployment, job: str) -> AnalysisSummary | None:
    return at.bucket.read(output_key(job, SUMMARY), AnalysisSummary)


def told_of(at: Deployment, job: str) -> int:
    topics = {topic.arn for stack in at.app.stacks.values() for topic in stack.topics}
    told = [one.subject or "" for topic in topics for one in at.world.sns.published(topic)]
    return sum(f"analysis {job}:" in subject for subject in told)


@pytest.mark.parametrize("before", ["BeginAnalysis", "PlanAnalysis", "JoinAnalysis"])
def test_a_stopped_run_is_reported_by_the_next_sweep(at: Deployment, before: str) -> None:
    job = f"stopped-before-{before.lower()}"
    stopped(at, job, before=before)
    for _ in range(2):
        at.invoke("start_analysis", SWEEP)
        at.settle()
        summary = summary_of(at, job)
        assert summary is not None
        assert summary.outcome is AnalysisOutcome.FAILED
        assert "was stopped or failed, and the event that says why got lost" in (summary.reason or "")
    assert told_of(at, job) == 1


def test_a_run_whose_output_is_there_has_succeeded(at: Deployment) -> None:
    stopped(at, "nearly-done", before="ReportAnalysis")
    at.invoke("start_analysis", SWEEP)
    summary = summary_of(at, "nearly-done")
    assert summary is not None
    assert summary.outcome is AnalysisOutcome.SUCCEEDED
    assert summary.documents == len(rows_of(at, "nearly-done")) == 1


def test_a_run_that_goes_on_is_left_alone(at: Deployment) -> None:
    at.upload(f"{input_folder('running')}a.txt", TEXT)
    name = at.run_before("JoinAnalysis", machine="Analyze")
    at.invoke("start_analysis", SWEEP)
    assert summary_of(at, "running") is None
    at.go_on(name)
    at.settle()
    summary = summary_of(at, "running")
    assert summary is not None
    assert summary.outcome is AnalysisOutcome.SUCCEEDED
    assert [one.name for one in at.executions("Analyze")].count(name) == 1


def test_an_output_that_was_deleted_does_not_come_back(at: Deployment) -> None:
    analysed(at, "deleted", {"a.txt": TEXT})
    for key in at.keys(output_key("deleted", "")):
        at.client("s3").delete_object(Bucket=at.bucket.name, Key=key)
    at.invoke("start_analysis", SWEEP)
    at.settle()
    assert at.keys(output_key("deleted", "")) == []
