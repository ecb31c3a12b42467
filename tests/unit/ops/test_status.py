"""The sentences of `flywheel status` that are computed, not read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flywheel.comprehend.flywheel import Dataset, DatasetStatus
from flywheel.records.turns import Pause
from flywheel.records.uploads import Split
from flywheel.turn.start_turn import TurnStart
from ops.verbs.status import DATASETS_A_FLYWHEEL, NextTurn, next_turn, quota_of
from ops.verbs.turns import TurnProgress, TurnState

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
RUNNING = TurnProgress(turn="turn-000003", state=TurnState.RUNNING, step="RunIteration")
PAUSE = Pause(by="somebody", at=NOW)
DUE = TurnStart(start=True, reason="2 uploads wait")
RESTING = TurnStart(start=False, reason="it has not rested", again_in=timedelta(minutes=3))


def when(
    start: TurnStart, *, running: TurnProgress | None = None, paused: Pause | None = None, trigger: bool = True
) -> NextTurn:
    return next_turn(start=start, running=running, paused=paused, trigger_on_upload=trigger, now=NOW)


def dataset(*, split: Split, status: DatasetStatus) -> Dataset:
    return Dataset(
        name="d", arn="arn", type=split.dataset_type, status=status, message=None, documents=None, available_at=None
    )


def test_the_verdict_of_start_turn_is_passed_on() -> None:
    assert when(DUE) == NextTurn(due=True, reason="2 uploads wait")


def test_a_verdict_that_looks_again_says_when() -> None:
    assert when(RESTING).looked_at_again == NOW + timedelta(minutes=3)
    assert not when(RESTING).due


def test_a_pause_outweighs_everything() -> None:
    assert not when(DUE, paused=PAUSE, running=RUNNING).due
    assert "resume" in when(DUE, paused=PAUSE, running=RUNNING).reason


def test_a_running_turn_goes_first() -> None:
    assert not when(DUE, running=RUNNING).due
    assert "turn-000003" in when(DUE, running=RUNNING).reason


def test_a_turn_that_ended_without_a_record_holds_nothing_up() -> None:
    ended = TurnProgress(turn="turn-000003", state=TurnState.ENDED, execution_status="ABORTED")
    assert when(DUE, running=ended).due


def test_without_trigger_on_upload_a_due_turn_says_who_starts_it() -> None:
    assert "flywheel turn --now" in when(DUE, trigger=False).reason
    assert when(RESTING, trigger=False).reason == RESTING.reason


def test_the_quota_counts_failed_datasets_and_only_its_own_split() -> None:
    datasets = [
        dataset(split=Split.TRAIN, status=DatasetStatus.COMPLETED),
        dataset(split=Split.TRAIN, status=DatasetStatus.FAILED),
        dataset(split=Split.TRAIN, status=DatasetStatus.CREATING),
        dataset(split=Split.TEST, status=DatasetStatus.COMPLETED),
    ]
    quota = quota_of(Split.TRAIN, datasets)
    assert (quota.used, quota.creating, quota.failed, quota.left) == (3, 1, 1, DATASETS_A_FLYWHEEL - 3)
    assert quota_of(Split.TEST, datasets).used == 1


def test_four_fifths_of_the_datasets_are_said_as_the_alarm_says_them() -> None:
    datasets = [dataset(split=Split.TEST, status=DatasetStatus.COMPLETED)] * 39
    assert not quota_of(Split.TEST, datasets).running_out
    assert quota_of(Split.TEST, [*datasets, datasets[0]]).running_out


def test_a_raised_quota_never_leaves_less_than_nothing() -> None:
    datasets = [dataset(split=Split.TRAIN, status=DatasetStatus.COMPLETED)] * (DATASETS_A_FLYWHEEL + 5)
    assert quota_of(Split.TRAIN, datasets).left == 0
