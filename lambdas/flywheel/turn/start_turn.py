"""Whether a turn should start: what start_turn finds, and a pure decision over it. A poke alone never starts one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import takewhile
from typing import TYPE_CHECKING

from flywheel.promotions.changed_outside import describe_change_outside
from flywheel.records.turns import (
    PAUSE_KEY,
    REQUEST_KEY,
    Pause,
    TurnBeginning,
    TurnOutcome,
    TurnRecord,
    TurnRequest,
    begin_key,
    current_number,
    name_of,
    record_key,
)
from flywheel.records.uploads import Split
from flywheel.turn.unfinished import unfinished_iteration

if TYPE_CHECKING:
    from flywheel.pipeline import Pipeline
    from flywheel.store.bucket import IntakeBucket

MAXIMUM_FAILURES = 3
"""So many turns in a row may fail before the pipeline waits for a person."""
_LOOK_BACK = MAXIMUM_FAILURES + 1
_FLYWHEEL_CREATION = timedelta(seconds=60)


class Poke(StrEnum):
    UPLOAD = "upload"
    TURN_ENDED = "turn ended"
    SCHEDULE = "schedule"
    OPERATOR = "operator"
    DELAYED = "delayed"


@dataclass(frozen=True, kw_only=True)
class PipelineState:
    now: datetime
    pokes: frozenset[Poke]
    paused: bool = False
    requested: bool = False
    flywheel_active: bool = True
    unfinished_iteration: str | None = None
    changed_outside: str | None = None
    """A sentence, when the active model was changed past the pipeline and no turn has recorded it yet."""
    last_turn_failed: bool = False
    """The current turn's record says so, or there is none."""
    failures: int = 0
    """Turns that failed in a row, counted up to MAXIMUM_FAILURES."""
    unprepared: int = 0
    """Turns in a row that ended well but could not prepare an upload, counted up to MAXIMUM_FAILURES."""
    work_left: str | None = None
    """What the last turn or a deployment left for the next one to do, in words."""
    uncollected: tuple[datetime, ...] = ()
    """When each upload that no turn has collected yet was last modified."""
    left: int = 0
    """Uploads that the last turn tried, or an earlier one set aside, and that are still where they were dropped."""
    last_iteration_at: datetime | None = None
    quiet_period: timedelta = timedelta(0)
    minimum_between_iterations: timedelta = timedelta(0)


@dataclass(frozen=True, kw_only=True)
class TurnStart:
    start: bool
    reason: str
    again_in: timedelta | None = None
    """Not yet, but look again after this long without waiting for an event."""
    waits_for_a_person: bool = False
    """Nothing but an operator's request starts the next turn."""


def decide(state: PipelineState) -> TurnStart:
    """Should a turn start now? The reason is a sentence for the log and `flywheel status`."""
    if state.paused:
        return _no("the pipeline is paused")
    if not state.flywheel_active:
        return _no("the flywheel is not ACTIVE yet", again_in=_FLYWHEEL_CREATION)
    # A turn that fails before it takes the request leaves it: the end of that turn must not start one without end.
    if state.requested and (Poke.OPERATOR in state.pokes or state.failures < MAXIMUM_FAILURES):
        return _yes("an operator asked for a turn")
    if state.failures >= MAXIMUM_FAILURES:
        return TurnStart(
            start=False,
            reason=f"the last {state.failures} turns failed: `flywheel turn --now` tries again",
            waits_for_a_person=True,
        )
    if state.unfinished_iteration:
        return _yes(f"iteration {state.unfinished_iteration} is not decided")
    if state.changed_outside:
        return _yes(state.changed_outside)
    retry = _retry_of_the_schedule(state)
    if retry:
        return _yes(retry)
    if state.work_left is None and not state.uncollected:
        return _no(_nothing_to_do(state))
    too_soon = too_soon_for_an_iteration(
        now=state.now, last=state.last_iteration_at, minimum=state.minimum_between_iterations
    )
    if too_soon:
        return _no(too_soon)
    if state.work_left is not None:
        return _yes(state.work_left)
    rested_at = min(state.uncollected) + state.quiet_period
    if rested_at > state.now:
        return _no("the oldest upload has not rested for QuietPeriodMinutes yet", again_in=rested_at - state.now)
    return _yes(f"{len(state.uncollected)} uploads wait")


def _nothing_to_do(state: PipelineState) -> str:
    if not state.left:
        return "there is nothing to do"
    uploads = "1 upload" if state.left == 1 else f"{state.left} uploads"
    next_try = "the schedule tries again" if state.unprepared < MAXIMUM_FAILURES else "`flywheel turn --now` does"
    return f"there is nothing new to do, but {uploads} could not be prepared: {next_try}"


def _retry_of_the_schedule(state: PipelineState) -> str | None:
    """A sentence if the schedule is to try again what the last turn could not do."""
    if Poke.SCHEDULE not in state.pokes:
        return None
    if state.last_turn_failed:
        return "the last turn failed and the schedule tries again"
    if 0 < state.unprepared < MAXIMUM_FAILURES:
        return "the last turn could not prepare an upload and the schedule tries again"
    return None


def too_soon_for_an_iteration(*, now: datetime, last: datetime | None, minimum: timedelta) -> str | None:
    """A sentence if MinimumHoursBetweenIterations has not passed since the last iteration began."""
    if last is None or now >= last + minimum:
        return None
    return f"the next iteration may begin at {last + minimum:%Y-%m-%d %H:%M} UTC (MinimumHoursBetweenIterations)"


def _yes(reason: str) -> TurnStart:
    return TurnStart(start=True, reason=reason)


def _no(reason: str, again_in: timedelta | None = None) -> TurnStart:
    return TurnStart(start=False, reason=reason, again_in=again_in)


def observe(
    *,
    pokes: frozenset[Poke],
    now: datetime,
    quiet_period: timedelta,
    minimum_between_iterations: timedelta,
    pipeline: Pipeline,
) -> PipelineState:
    if pipeline.intake.read(PAUSE_KEY, Pause) is not None:
        return PipelineState(now=now, pokes=pokes, paused=True)
    flywheel = pipeline.service.describe()
    if not flywheel.active:
        return PipelineState(now=now, pokes=pokes, flywheel_active=False)
    number = current_number(pipeline.intake)
    recent = [name_of(n) for n in range(number, max(0, number - _LOOK_BACK), -1)]
    records = [pipeline.intake.read(record_key(turn), TurnRecord) for turn in recent]
    last = next((record for record in records if record is not None), None)
    uncollected, left = _uploads(pipeline.intake, recent)
    newest_iteration = next(pipeline.service.iterations(), None)
    unfinished = unfinished_iteration(pipeline.intake, pipeline.service)
    return PipelineState(
        now=now,
        pokes=pokes,
        requested=pipeline.intake.read(REQUEST_KEY, TurnRequest) is not None,
        unfinished_iteration=unfinished,
        changed_outside=None if unfinished else describe_change_outside(pipeline=pipeline, unfinished=None),
        last_turn_failed=bool(records) and _failed(records[0]),
        failures=_in_a_row(records, _failed),
        unprepared=_in_a_row(records, _unprepared),
        work_left=_work_left(last, flywheel_arn=pipeline.service.arn),
        uncollected=tuple(uncollected),
        left=left,
        last_iteration_at=newest_iteration.created_at if newest_iteration else None,
        quiet_period=quiet_period,
        minimum_between_iterations=minimum_between_iterations,
    )


def _failed(record: TurnRecord | None) -> bool:
    """A turn without a record was killed before it could report, or runs: then starting it again changes nothing."""
    return record is None or record.outcome is not TurnOutcome.SUCCEEDED


def _unprepared(record: TurnRecord | None) -> bool:
    """The upload stays where it is, but for the turn it is no reason to fail: others went on."""
    return record is not None and not _failed(record) and bool(record.unprepared)


def _in_a_row(records: list[TurnRecord | None], holds: Callable[[TurnRecord | None], bool]) -> int:
    """Of how many of the newest turns it holds, without a gap."""
    return min(sum(1 for _ in takewhile(holds, records)), MAXIMUM_FAILURES)


def _work_left(last: TurnRecord | None, *, flywheel_arn: str) -> str | None:
    if last is None:
        return None
    if last.flywheel_arn != flywheel_arn:
        return "a new generation of the flywheel has to be seeded with what was accepted so far"
    if last.more and last.outcome is TurnOutcome.SUCCEEDED:
        return "the last dataset was full and documents wait for the next one"
    return None


def last_beginning(intake: IntakeBucket, turns_newest_first: Iterable[str]) -> TurnBeginning | None:
    beginnings = (intake.read(begin_key(turn), TurnBeginning) for turn in turns_newest_first)
    return next((found for found in beginnings if found is not None), None)


def _uploads(intake: IntakeBucket, recent: list[str]) -> tuple[list[datetime], int]:
    """When the uploads that the last turn did not collect were last modified, and how many it did that are still there.

    Those are a failed turn's, or could not be prepared: retried, but not news. The same file dropped again has the
    same ETag, but not the same age.
    """
    beginning = last_beginning(intake, recent)
    collected = (
        {(upload.key, upload.etag, upload.last_modified) for upload in (*beginning.uploads, *beginning.set_aside)}
        if beginning
        else set()
    )
    uncollected: list[datetime] = []
    left = 0
    for split in Split:
        for found in intake.list(f"{split}/"):
            if (found["Key"], found["ETag"], found["LastModified"]) in collected:
                left += 1
            elif not found["Key"].endswith("/"):
                uncollected.append(found["LastModified"])
    return uncollected, left
