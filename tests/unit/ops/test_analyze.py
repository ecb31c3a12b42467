"""What people see of an analysis job."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import Any

from rich.console import Console

from flywheel.records.analyses import AnalysisOutcome, AnalysisSummary
from ops.tables.analyze import finished_table
from ops.verbs.analyze import AnalysisProgress, finished

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
MODEL = "arn:aws:comprehend:us-east-1:111122223333:document-classifier/m/version/1"


def summary(**more: Any) -> AnalysisSummary:
    given: dict[str, Any] = {
        "job": "[red]daily",
        "run": "1",
        "outcome": AnalysisOutcome.SUCCEEDED,
        "reason": "2,000 documents were classified.",
        "files": 1,
        "documents": 2000,
        "labels": {"SPORTS": 500, "WORLD": 1500},
        "low_confidence": 12,
        "low_confidence_threshold": 0.7,
        "errors": {"EMPTY": 1000, "NOT_UTF8": 2},
        "models": (MODEL,),
        "parts": 2,
        "began_at": NOW - timedelta(seconds=10),
        "ended_at": NOW,
    }
    return AnalysisSummary(**{**given, **more})


def shown(of: AnalysisSummary) -> str:
    console = Console(file=io.StringIO(), width=120)
    console.print(finished_table(finished(of)))
    written = console.file
    assert isinstance(written, io.StringIO)
    return written.getvalue()


def test_a_job_that_succeeded() -> None:
    text = shown(summary())
    assert "[red]daily" in text
    assert text.index("WORLD") < text.index("SPORTS")
    assert "75.0%" in text
    assert "2,000 from 1 file, in 2 parts" in text
    assert "1,002 (EMPTY 1,000, NOT_UTF8 2)" in text
    assert "200.0 documents/s" in text
    assert "m/version/1" in text


def test_a_job_of_errors_alone_asked_no_model() -> None:
    text = shown(summary(documents=0, labels={}, models=(), low_confidence=0))
    assert "none was asked" in text
    assert "documents/s" not in text


def test_a_job_that_failed() -> None:
    text = shown(summary(outcome=AnalysisOutcome.FAILED, reason="The weather was bad.", began_at=None))
    assert "FAILED. The weather was bad." in text
    assert "Label" not in text


def test_how_far_a_job_is() -> None:
    assert AnalysisProgress().words == "splitting the input"
    assert AnalysisProgress(parts=3, collected=1).words == "classifying: 1 of 3 parts are done"
