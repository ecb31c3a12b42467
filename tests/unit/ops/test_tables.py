"""What people see: everything that matters is there, and what a file says is never taken for markup."""

from __future__ import annotations

import io
from datetime import UTC, datetime

from rich.console import RenderableType

from flywheel.records.datasets import DatasetSummary
from flywheel.records.decisions import DecisionKind, Metrics, ModelScore
from flywheel.records.turns import TurnOutcome, TurnRecord
from flywheel.records.uploads import Split, Upload, UploadOutcome, UploadResult
from ops.tables.purge import left_behind_view
from ops.tables.status import status_view
from ops.tables.terminal import result_console
from ops.tables.turns import progress_sentence, turn_view, turns_table
from ops.tables.uploads import results_table
from ops.verbs.left_behind import LeftBehind, LeftBucket, LeftModel
from ops.verbs.prepared import LabelCount, Prepared, UploadWaiting
from ops.verbs.status import DatasetQuota, NextTurn, Status
from ops.verbs.turns import TurnProgress, TurnState, TurnView

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
MODEL = "arn:aws:comprehend:us-east-1:111122223333:document-classifier/news/version/Comprehend-Generated-v1-bb52d585"
REJECTED = UploadResult(
    upload=Upload(key="train/[red]x.csv", split=Split.TRAIN, version_id="v", etag="e", size=1, last_modified=NOW),
    outcome=UploadOutcome.REJECTED,
    reason="7 of 9 lines are bad",
    bad_lines={"unknown-label": 7},
)
RECORD = TurnRecord(
    turn="turn-000003",
    outcome=TurnOutcome.SUCCEEDED,
    flywheel_arn="arn",
    began_at=NOW,
    ended_at=NOW,
    decision=DecisionKind.KEEP,
    reasons=("0.7012 does not beat 0.8812",),
    uploads=(REJECTED,),
    datasets=(DatasetSummary(name="train-000003", split=Split.TRAIN, documents=1200, labels={"SPORTS": 1200}),),
    active=ModelScore(arn=MODEL, metrics=Metrics(F1Score=0.8812), source="iteration 20261120T090000Z"),
    candidate=ModelScore(arn=MODEL, metrics=Metrics(F1Score=0.7012), source="this iteration"),
)


def shown(renderable: RenderableType, *, width: int = 80) -> str:
    console = result_console()
    console.file = io.StringIO()
    console.width = width
    console.print(renderable)
    return console.file.getvalue()


def test_a_line_of_turns_fits_a_narrow_terminal() -> None:
    text = shown(turns_table([RECORD], metric="F1Score"))
    line = next(line for line in text.splitlines() if "turn-000003" in line)
    for figure in ("1,200", "0.8812", "0.7012", "keep"):
        assert figure in line
    assert all(len(line) <= 80 for line in text.splitlines())


def test_a_failed_turn_shows_why() -> None:
    failed = RECORD.model_copy(update={"outcome": TurnOutcome.FAILED, "error": "DatasetFailed", "cause": "too small"})
    text = shown(turns_table([failed], metric="F1Score"))
    assert "FAILED" in text
    assert "too small" in text
    assert "keep" not in text


def test_no_turns_is_said_in_words() -> None:
    assert shown(turns_table([], metric="F1Score")).strip() == "No turn has ended yet."


def test_one_turn_shows_reasons_scores_and_uploads_literally() -> None:
    text = shown(turn_view(TurnView(turn="turn-000003", record=RECORD)), width=200)
    for part in ("0.7012 does not beat 0.8812", "F1Score 0.8812", "train/[red]x.csv", "7 of 9 lines are bad"):
        assert part in text


def test_a_running_turn_shows_its_step() -> None:
    running = TurnProgress(turn="turn-000004", state=TurnState.RUNNING, step="RunIteration")
    assert shown(turn_view(TurnView(turn="turn-000004", progress=running))).strip() == "turn-000004 runs: RunIteration"


def test_a_turn_without_a_record_shows_its_cause() -> None:
    ended = TurnProgress(turn="turn-000004", state=TurnState.ENDED, execution_status="FAILED", error="E", cause="why")
    assert progress_sentence(ended) == "turn-000004 ended FAILED and has no record: E: why"


def test_progress_without_a_turn() -> None:
    assert progress_sentence(None) == "No turn has begun yet"


def test_rejected_uploads_count_their_bad_lines() -> None:
    assert "7" in shown(results_table([REJECTED]))
    assert shown(results_table([])).strip() == "Nothing was rejected."


def test_status_shows_what_waits_and_what_is_missing() -> None:
    uploads = tuple(
        UploadWaiting(key=f"train/{number}.csv", split=Split.TRAIN, size=1, last_modified=NOW) for number in range(7)
    )
    labels = (
        LabelCount(label="SPORTS", documents=60, needed=50, missing=0),
        LabelCount(label="[bold]", documents=10, needed=50, missing=40),
    )
    status = Status(
        name="news",
        region="us-east-1",
        flywheel_arn="arn",
        flywheel_status="ACTIVE",
        selection_metric="F1Score",
        active=RECORD.active,
        last_turn=RECORD,
        next_turn=NextTurn(due=False, reason="there is nothing to do"),
        uploads=uploads,
        prepared=(
            Prepared(
                split=Split.TRAIN, parts=1, documents=70, bytes=9000, labels=labels, ready=0, reason="Not enough yet."
            ),
        ),
        quotas=(DatasetQuota(split=Split.TRAIN, used=3, failed=1),),
    )
    text = shown(status_view(status), width=120)
    for part in (
        "news in us-east-1: ACTIVE",
        "Comprehend-Generated-v1-bb52d585",
        "F1Score 0.8812",
        "there is nothing to do",
        "7 in train/",
        "and 2 more",
        "Not enough yet.",
        "3 of 50 used (1 failed)",
        "kept the active model",
    ):
        assert part in text
    line = next(line for line in text.splitlines() if "[bold]" in line)
    assert line.split() == ["[bold]", "10", "50", "40"]


def test_purge_lists_what_it_removes_and_what_it_leaves() -> None:
    kept = LeftBehind(
        name="news",
        region="us-east-1",
        buckets=(LeftBucket(name="intake", versions=1000, more=True),),
        models=(LeftModel(arn=MODEL, flywheel_arn="arn", status="TRAINED"),),
        keys=("arn:key",),
    )
    text = shown(left_behind_view(kept, delete_keys=False), width=200)
    assert "more than 1,000" in text
    assert MODEL in text
    assert "leaves it" in text
    assert "30 days" in shown(left_behind_view(kept, delete_keys=True), width=200)


def test_purge_with_nothing_kept() -> None:
    assert "Nothing of news is kept" in shown(
        left_behind_view(LeftBehind(name="news", region="us-east-1"), delete_keys=False)
    )
