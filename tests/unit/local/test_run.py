"""What `python -m local run` says before and after its walk."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from flywheel.records.decisions import ModelScore
from flywheel.records.turns import TurnOutcome, TurnRecord, UploadCounts
from local.cloud.errors import CdkFailed, LocalCloudError
from local.run import in_short, left_out, outcome_of, register, warning_of
from ops.verbs.file_labels import Kind


@pytest.mark.parametrize(("value", "warns"), [("10", True), ("49", True), ("50", False), ("x", False)])
def test_a_minimum_below_comprehends_own_warns(value: str, warns: bool) -> None:
    assert bool(warning_of({"MinimumDocumentsPerLabel": value}, kind=Kind.CLASSES)) is warns
    assert warning_of({}, kind=Kind.CLASSES) is None


def test_the_minimum_of_a_recognizer_is_one_of_annotations() -> None:
    assert warning_of({"MinimumDocumentsPerLabel": "25"}, kind=Kind.ENTITIES) is None
    warning = warning_of({"MinimumDocumentsPerLabel": "24"}, kind=Kind.ENTITIES)
    assert warning is not None
    assert "25 annotations of each type" in warning


def test_what_the_cdk_cli_writes_around_a_failure_is_left_out() -> None:
    said = [
        "walk-flywheel | 3/40 | CREATE_FAILED | AWS::S3::Bucket | Bucket: it exists",
        *["    at async something (/a/b.js:1:2)"] * 15,
        " ❌  walk-flywheel failed: ValidationError: MinimumScore must be at most 1",
    ]
    short = in_short(
        CdkFailed("`cdk deploy` failed. All it wrote is in /x/cdk.log; the end of it:\n" + "\n".join(said))
    )
    assert short.splitlines() == [
        "`cdk deploy` failed:",
        said[0],
        said[-1].strip(),
        "The whole log: /x/cdk.log",
    ]
    assert in_short(LocalCloudError("One sentence.")) == "One sentence."


def record(outcome: TurnOutcome = TurnOutcome.SUCCEEDED, **facts: Any) -> TurnRecord:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return TurnRecord(turn="turn-000001", outcome=outcome, flywheel_arn="arn", began_at=now, ended_at=now, **facts)


def test_a_turn_that_trains_nothing_is_a_failure_with_its_reasons() -> None:
    reasons = ("No dataset is new.",)
    assert outcome_of(record(reasons=reasons)) == ("NOTHING_TRAINED", "Nothing was trained. No dataset is new.")
    assert outcome_of(record(TurnOutcome.FAILED, cause="A quota.")) == ("FAILED", "The turn ended FAILED: A quota.")
    trained = ModelScore(arn="arn:model", metrics={"F1Score": 0.5}, source="this iteration")
    assert outcome_of(record(candidate=trained)) == ("SUCCEEDED", "")


def test_what_was_left_out_is_counted() -> None:
    found = record(upload_counts=UploadCounts(duplicates=3, bad_lines=2), leaked={"train": 4})
    assert left_out(found) == {"bad_lines": 2, "duplicates": 3, "leaked": 4, "waiting": 0}


def test_a_run_that_cannot_begin_says_so_in_json(tmp_path: Path) -> None:
    app = typer.Typer()
    register(app)
    path, json_path = tmp_path / "train.csv", tmp_path / "result.json"
    path.write_text("A,one\n")
    result = CliRunner().invoke(app, ["--train", str(path), "--json", str(json_path)])
    assert isinstance(result.exception, LocalCloudError)
    written = json.loads(json_path.read_text())
    assert (written["outcome"], written["turns"]) == ("FAILED", [])
    assert "1 different labels" in written["cause"]
