"""Analysis jobs: when a drop is complete, and what happens to its files while a run is at work."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from flywheel.analysis.pokes import delayed_poke
from flywheel.analysis.start_analysis import jobs_to_look_at
from flywheel.records.analyses import AnalysisOutcome, input_folder
from tests.pipeline.analyses import (
    FILES,
    LINES,
    analysed,
    ended,
    executions_of,
    outputs,
    rows_of,
    send,
    with_model,
)
from tests.pipeline.deployed import Deployment


@pytest.mark.parametrize(
    ("options", "problem"),
    [({"format": "ONE_DOC_PER_PAGE"}, "ONE_DOC_PER_FILE"), ({"formats": LINES}, "formats"), ([], "job.json")],
)
def test_options_that_cannot_be_read(at: Deployment, options: Any, problem: str) -> None:
    summary = analysed(at, "job", {"a.txt": b"sports news"}, options=options)
    assert summary.outcome is AnalysisOutcome.FAILED
    assert problem in summary.reason


def test_an_empty_drop_fails_with_what_to_do(at: Deployment) -> None:
    summary = analysed(at, "job", {"folder/": b""}, options={})
    assert summary.outcome is AnalysisOutcome.FAILED
    assert "There is no file" in summary.reason


def test_a_drop_is_complete_when_it_rested_or_says_so() -> None:
    at = with_model(analysis={"quiet_period_minutes": 5})
    send(at, {"a.txt": b"sports news"}, job="rests")
    at.let_pass(timedelta(minutes=4))
    assert executions_of(at, "rests") == []
    at.let_pass(timedelta(minutes=2))
    assert len(executions_of(at, "rests")) == 1
    send(at, {"a.txt": b"sports news"}, options={}, job="says so")
    at.let_pass(timedelta(minutes=1))
    assert len(executions_of(at, "says so")) == 1
    send(at, {}, options={}, job="says so")
    at.let_pass(timedelta(minutes=1))
    assert len(executions_of(at, "says so")) == 2
    at.invoke("start_analysis", {"Records": [{"messageId": "a", "body": delayed_poke("a job that is not there")}]})
    assert len(at.executions("Analyze")) == 3


def test_a_drop_that_nobody_was_told_of_is_found(at: Deployment) -> None:
    at.script.events_take = 2
    analysed(at, "told", {"a.txt": b"sports news"})
    at.script.loses_events_of = ""
    send(at, {"a.txt": b"sports news"}, job="missed")
    at.settle()
    at.script.loses_events_of = None
    assert outputs(at, "missed") == []
    assert jobs_to_look_at(at.bucket) == ["missed"]
    at.invoke("start_analysis", {"Records": [{"messageId": "a", "body": json.dumps({"poke": "schedule"})}]})
    assert ended(at, "missed").outcome is AnalysisOutcome.SUCCEEDED
    assert len(at.executions("Analyze")) == 2


@pytest.mark.parametrize("stopped", [False, True])
def test_a_file_that_comes_during_a_run_leaves_the_output_to_the_run_of_all(at: Deployment, stopped: bool) -> None:
    send(at, {"a.txt": b"sports news"}, job="job")
    late = at.run_before("JoinAnalysis", machine="Analyze")
    at.let_pass(timedelta(seconds=5))
    summary = analysed(at, "job", {"b.txt": b"business news"})
    assert summary.files == 2
    output = rows_of(at, "job")
    if stopped:
        at.stop("Analyze")
    else:
        at.go_on(late)
    assert ended(at, "job") == summary
    assert [one.status for one in executions_of(at, "job")] == ["ABORTED" if stopped else "SUCCEEDED", "SUCCEEDED"]
    assert rows_of(at, "job") == output
    assert len(output) == 2


def test_a_run_that_is_stopped_before_it_began_leaves_the_summary_of_later_files(at: Deployment) -> None:
    send(at, {"a.txt": b"sports news"}, job="job")
    at.run_before("BeginAnalysis", machine="Analyze")
    at.let_pass(timedelta(seconds=5))
    summary = analysed(at, "job", {"b.txt": b"business news"})
    at.stop("Analyze")
    assert ended(at, "job") == summary
    assert [one.status for one in executions_of(at, "job")] == ["ABORTED", "SUCCEEDED"]


def test_input_that_is_removed_during_a_run_is_answered_all_the_same(at: Deployment) -> None:
    send(at, {"a.txt": b"sports news", "b.txt": b"business news"}, job="job")
    held = at.run_before("PlanAnalysis", machine="Analyze")
    at.s3.delete_object(Bucket=at.app.intake, Key=f"{input_folder('job')}a.txt")
    at.go_on(held)
    assert ended(at, "job").outcome is AnalysisOutcome.SUCCEEDED
    assert len(rows_of(at, "job")) == 2


def test_options_that_are_removed_during_a_run_do_not_make_it_another_job(at: Deployment) -> None:
    send(at, {"a.txt": b"sports news"}, options={}, job="job")
    held = at.run_before("JoinAnalysis", machine="Analyze")
    at.s3.delete_object(Bucket=at.app.intake, Key=f"{input_folder('job')}job.json")
    at.go_on(held)
    assert ended(at, "job").outcome is AnalysisOutcome.SUCCEEDED


@pytest.mark.parametrize("input_format", [LINES, FILES])
def test_input_that_is_deleted_for_good_is_named(at: Deployment, input_format: str) -> None:
    send(at, {"a.txt": b"sports news", "b.txt": b"business news"}, options={"format": input_format}, job="job")
    held = at.run_before("SplitUnits", machine="Analyze")
    key = f"{input_folder('job')}a.txt"
    version = at.s3.head_object(Bucket=at.app.intake, Key=key)["VersionId"]
    at.s3.delete_object(Bucket=at.app.intake, Key=key, VersionId=version)
    at.go_on(held)
    summary = ended(at, "job")
    assert summary.outcome is AnalysisOutcome.FAILED
    assert f"The version of {key} that the job began with was deleted for good" in summary.reason
