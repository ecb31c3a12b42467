"""What messages in the queue of analysis jobs ask for, and what people read of a job's end."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from flywheel.analysis import report_analysis
from flywheel.analysis.inputs import JobInput
from flywheel.analysis.pokes import Look, LooseFile, Sweep, delayed_poke, read_poke
from flywheel.records.analyses import (
    AnalysisBeginning,
    AnalysisOutcome,
    AnalysisSummary,
    InputFormat,
    execution_name,
    job_of,
    run_of,
)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
QUIET = timedelta(minutes=5)


def created(key: str, *, ago: timedelta | None = None) -> str:
    event: dict[str, Any] = {"source": "aws.s3", "detail": {"object": {"key": key}}}
    if ago is not None:
        event["time"] = (NOW - ago).strftime("%Y-%m-%dT%H:%M:%SZ")
    return json.dumps(event)


@pytest.mark.parametrize(
    ("body", "poke"),
    [
        (created("analysis/input/news/a.txt", ago=timedelta(minutes=1)), Look(job="news", after=timedelta(minutes=4))),
        (created("analysis/input/news/deep/job.json", ago=timedelta(0)), Look(job="news", after=QUIET)),
        (created("analysis/input/news/job.json", ago=timedelta(0)), Look(job="news")),
        (created("analysis/input/news/a.txt", ago=timedelta(hours=1)), Look(job="news")),
        (created("analysis/input/news/a.txt"), Look(job="news")),
        (created("analysis/input/a.txt"), LooseFile(key="analysis/input/a.txt")),
        (delayed_poke("news of today"), Look(job="news of today")),
        ('{"poke": "schedule"}', Sweep()),
        ('{"poke": "another"}', None),
        ('{"source": "aws.s3"}', None),
        ("[]", None),
        ("no JSON", None),
    ],
)
def test_messages(body: str, poke: object) -> None:
    assert read_poke(body, quiet_period=QUIET, now=NOW) == poke


@pytest.mark.parametrize(
    ("key", "job"),
    [
        ("analysis/input/news/a.txt", "news"),
        ("analysis/input/news/a/b.txt", "news"),
        ("analysis/input/a.txt", None),
        ("analysis/input//a.txt", None),
        ("train/news/a.txt", None),
    ],
)
def test_the_job_of_a_file(key: str, job: str | None) -> None:
    assert job_of(key) == job


def test_an_executions_name_is_one_that_step_functions_takes() -> None:
    job = "the news, of \N{SNOWMAN}/" * 20
    name = execution_name(job, "0" * 16)
    assert len(name) <= 80
    assert run_of(name, job=job) == "0" * 16
    assert run_of("by hand", job="the news") is None
    assert name.isascii()
    assert not set(name) & set(' <>{}[]?*"#%\\^|~`$&,;:/')


def summary(**more: Any) -> AnalysisSummary:
    given: dict[str, Any] = {
        "job": "news\n\N{SNOWMAN}" + "x" * 100,
        "run": "1",
        "outcome": AnalysisOutcome.SUCCEEDED,
        "reason": "3 documents were classified.",
        "documents": 3,
        "labels": {"SPORTS": 2, "WORLD": 1},
        "low_confidence": 1,
        "low_confidence_threshold": 0.7,
        "errors": {"EMPTY": 4},
        "ended_at": NOW,
    }
    return AnalysisSummary(**{**given, **more})


def test_the_notification_is_one_that_sns_takes() -> None:
    subject = report_analysis.subject(summary(), flywheel_name="news")
    assert len(subject) <= 100
    assert all(" " <= char <= "~" for char in subject)


def test_the_notification_says_what_there_is_to_know() -> None:
    text = report_analysis.message(summary(job="daily"), bucket="intake", flywheel_name="news")
    assert "SPORTS: 2" in text
    assert "Low confidence (below 0.7): 1" in text
    assert "EMPTY: 4 lines" in text
    assert "--again" not in text
    failed = summary(job="of today", outcome=AnalysisOutcome.FAILED, documents=0, labels={}, errors={})
    text = report_analysis.message(failed, bucket="intake", flywheel_name="news")
    assert "flywheel --name news analyze --again 'of today'" in text
    assert "s3://intake/analysis/output/of today/summary.json" in text


def job_input(**more: Any) -> JobInput:
    return JobInput(**{"job": "news", "run": "new", "files": 2, "options": None, "newest": NOW, **more})


@pytest.mark.parametrize(
    ("found", "superseded"),
    [
        (job_input(run="old"), False),
        (job_input(newest=NOW + timedelta(seconds=1)), True),
        # Replaced within the second, which is all that S3 tells.
        (job_input(), True),
        (job_input(files=1), False),
        (job_input(files=0, newest=None), False),
        (job_input(files=1, newest=NOW + timedelta(seconds=1)), True),
    ],
)
def test_only_what_came_makes_it_another_job(found: JobInput, superseded: bool) -> None:
    beginning = AnalysisBeginning(
        job="news",
        run="old",
        began_at=NOW,
        format=InputFormat.LINES,
        files=2,
        objects=2,
        bytes=10,
        newest=NOW,
        units=1,
        model_arn="model",
        flywheel_arn=None,
    )
    assert found.supersedes(beginning) is superseded
