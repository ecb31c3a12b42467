"""What `python -m local run` says before and after its walk."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from flywheel.turn_records import TurnOutcome, TurnRecord, UploadCounts
from local.cloud.errors import CdkFailed, LocalCloudError
from local.run import in_short, left_out, register, warning_of


@pytest.mark.parametrize(("value", "warns"), [("10", True), ("49", True), ("50", False), ("x", False)])
def test_a_minimum_below_comprehends_own_warns(value: str, warns: bool) -> None:
    assert bool(warning_of({"MinimumDocumentsPerLabel": value})) is warns
    assert warning_of({}) is None


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


def test_what_was_left_out_is_counted() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    record = TurnRecord(
        turn="turn-000001",
        outcome=TurnOutcome.SUCCEEDED,
        flywheel_arn="arn",
        began_at=now,
        ended_at=now,
        upload_counts=UploadCounts(duplicates=3, bad_lines=2),
        leaked={"train": 4},
    )
    assert left_out(record) == {"bad_lines": 2, "duplicates": 3, "leaked": 4, "waiting": 0}


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
