"""Decides whether a turn should start: `observe` reads the state of the pipeline, then the pure `decide` decides.

A message to start_turn (a poke) only makes it look; alone it never starts a turn.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from itertools import islice, takewhile
from typing import TYPE_CHECKING, TypeAlias

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
from flywheel.records.uploads import Split, Upload
from flywheel.turn.unfinished import unfinished_iteration

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import ObjectTypeDef

    from flywheel.pipeline import FlywheelPipeline
    from flywheel.store.bucket import IntakeBucket

MAXIMUM_FAILURES = 3
"""After this many failed turns in a row the pipeline waits for a person."""
_LOOK_BACK = MAXIMUM_FAILURES + 1
_FLYWHEEL_CREATION = timedelta(seconds=60)
LONG_INCOMPLETE = timedelta(hours=24)
"""A folder that waits longer than this for some of its files is told of, by a turn of its own if there is no other."""


UploadThere: TypeAlias = "tuple[Split, ObjectTypeDef, Upload | None, str | None]"


class Poke(StrEnum):
    """Why start_turn was invoked."""

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
    request_is_new: bool = False
    """It came after the newest turn had begun, so that turn could not take it."""
    flywheel_active: bool = True
    unfinished_iteration: str | None = None
    changed_outside: str | None = None
    """A sentence, if the active model was changed outside the pipeline and no turn has recorded that yet."""
    last_turn_failed: bool = False
    """The current turn failed, or has no record; or so did the one before it, and all that followed only decided."""
    failures: int = 0
    """Turns that failed in a row, counted up to MAXIMUM_FAILURES."""
    unprepared: int = 0
    """Turns in a row that succeeded but could not prepare an upload, counted up to MAXIMUM_FAILURES."""
    work_left: str | None = None
    """A sentence about work that the last turn, a deployment or an incomplete folder left for the next turn."""
    uncollected: tuple[datetime, ...] = ()
    """When each upload was last modified that no turn has collected yet."""
    left: int = 0
    """Uploads that a turn has tried to prepare and that are still where they were dropped."""
    incomplete: int = 0
    """Files in folders that wait for others."""
    last_iteration_at: datetime | None = None
    quiet_period: timedelta = timedelta(0)
    minimum_between_iterations: timedelta = timedelta(0)


@dataclass(frozen=True, kw_only=True)
class TurnStart:
    start: bool
    reason: str
    again_in: timedelta | None = None
    """Look again after this time."""
    waits_for_a_person: bool = False
    """Only an operator's request starts the next turn."""


def observe(
    *,
    pokes: frozenset[Poke],
    now: datetime,
    quiet_period: timedelta,
    minimum_between_iterations: timedelta,
    pipeline: FlywheelPipeline,
) -> PipelineState:
    if pipeline.intake.read(PAUSE_KEY, Pause) is not None:
        return PipelineState(now=now, pokes=pokes, paused=True)
    flywheel = pipeline.service.describe()
    if not flywheel.active:
        return PipelineState(now=now, pokes=pokes, flywheel_active=False)
    every = recent_turns(pipeline.intake, sys.maxsize)
    recent = every[:_LOOK_BACK]
    # What the last turn left that did more than decide, the next one takes, whatever was decided meanwhile.
    worked = list(islice((turn for turn in every if not _only_decided(turn, pipeline.intake)), _LOOK_BACK))

    @cache
    def record(turn: str) -> TurnRecord | None:
        return pipeline.intake.read(record_key(turn), TurnRecord)

    def records() -> Iterator[TurnRecord | None]:
        """From the newest on, read as far as somebody looks: mostly at the newest only."""
        return map(record, recent)

    last = next((found for found in map(record, worked) if found is not None), None)
    failures = _in_a_row(records(), _failed)
    # What a turn has collected and left there is tried again, but is no reason for a turn.
    beginning = last_beginning(pipeline.intake, recent)
    uploads = list(uploads_there(pipeline.intake, beginning))
    uncollected = tuple(found["LastModified"] for _, found, collected, _ in uploads if collected is None)
    incomplete = sum(missing is not None for *_, missing in uploads)
    newest_iteration = next(pipeline.service.iterations(), None)
    unfinished = unfinished_iteration(pipeline.intake, pipeline.service)
    request, newest = pipeline.intake.read(REQUEST_KEY, TurnRequest), next(records(), None)
    return PipelineState(
        now=now,
        pokes=pokes,
        requested=request is not None,
        request_is_new=bool(request and newest and newest.began_at and request.at > newest.began_at),
        unfinished_iteration=unfinished,
        changed_outside=None if unfinished else describe_change_outside(pipeline=pipeline, unfinished=None),
        last_turn_failed=failures > 0 or (bool(worked) and _failed(record(worked[0]))),
        failures=failures,
        unprepared=_in_a_row(records(), _unprepared),
        work_left=_work_left(last, flywheel_arn=pipeline.service.arn) or _to_tell(uploads, beginning, now),
        uncollected=uncollected,
        left=len(uploads) - len(uncollected) - incomplete,
        incomplete=incomplete,
        last_iteration_at=newest_iteration.created_at if newest_iteration else None,
        quiet_period=quiet_period,
        minimum_between_iterations=minimum_between_iterations,
    )


def _only_decided(turn: str, intake: IntakeBucket) -> bool:
    beginning = intake.read(begin_key(turn), TurnBeginning)
    return beginning is not None and beginning.only_decides


def _to_tell(uploads: Iterable[UploadThere], beginning: TurnBeginning | None, now: datetime) -> str | None:
    """A sentence if a folder has been incomplete for LONG_INCOMPLETE, and no turn has told of it since."""
    there = {upload.key for _, _, upload, missing in uploads if upload is not None and missing is not None}
    for folder in beginning.incomplete if beginning is not None else ():
        key, told_from = folder.upload.key, folder.upload.last_modified + LONG_INCOMPLETE
        if key in there and beginning is not None and beginning.began_at < told_from <= now:
            hours = LONG_INCOMPLETE // timedelta(hours=1)
            return f"{key} has waited for some of its files for {hours} hours, and people are told"
    return None


def _failed(record: TurnRecord | None) -> bool:
    """Without a record the turn was killed before its report, or it runs. If it runs, starting it changes nothing."""
    return record is None or record.outcome is not TurnOutcome.SUCCEEDED


def _unprepared(record: TurnRecord | None) -> bool:
    """Whether the turn succeeded but could not prepare an upload, which stays where it is."""
    return record is not None and not _failed(record) and bool(record.unprepared)


def _in_a_row(records: Iterator[TurnRecord | None], holds: Callable[[TurnRecord | None], bool]) -> int:
    """The number of newest turns in a row for which `holds` is true, at most MAXIMUM_FAILURES."""
    return sum(1 for _ in takewhile(holds, islice(records, MAXIMUM_FAILURES)))


def _work_left(last: TurnRecord | None, *, flywheel_arn: str) -> str | None:
    if last is None:
        return None
    if last.flywheel_arn != flywheel_arn:
        return "a new generation of the flywheel has to be seeded with what was accepted so far"
    if last.more and last.outcome is TurnOutcome.SUCCEEDED:
        return "documents wait that the last turn left to the next one"
    return None


def recent_turns(intake: IntakeBucket, most: int = _LOOK_BACK) -> list[str]:
    """The names of the last turns that began, newest first; by default of those that `observe` looks at."""
    number = current_number(intake)
    return [name_of(n) for n in range(number, max(0, number - most), -1)]


def uploads_there(intake: IntakeBucket, beginning: TurnBeginning | None) -> Iterator[UploadThere]:
    """The files in `train/` and `test/`, each with what the last turn, which began with `beginning`, called it, None if
    it has not collected it; and, of a file in an incomplete folder, what the folder lacks.

    A file that is uploaded again has the same ETag, but another time.
    """
    collected: list[tuple[Upload, str | None]] = []
    if beginning is not None:
        collected += [(upload, None) for upload in (*beginning.uploads, *beginning.set_aside)]
        collected += [(folder.upload, folder.missing) for folder in beginning.incomplete]
    uploads = {(file.key, file.etag, file.last_modified): found for found in collected for file in found[0].files}
    for split in Split:
        for found in intake.list(f"{split}/"):
            if not found["Key"].endswith("/"):
                known = uploads.get((found["Key"], found["ETag"], found["LastModified"]), (None, None))
                yield split, found, *known


def last_beginning(intake: IntakeBucket, turns_newest_first: Iterable[str]) -> TurnBeginning | None:
    beginnings = (intake.read(begin_key(turn), TurnBeginning) for turn in turns_newest_first)
    return next((found for found in beginnings if found is not None), None)


def decide(state: PipelineState) -> TurnStart:
    """Whether a turn should start now. The reason is for the log and for `flywheel status`."""
    if state.paused:
        return _no("the pipeline is paused")
    if not state.flywheel_active:
        return _no("the flywheel is not ACTIVE yet", again_in=_FLYWHEEL_CREATION)
    # A turn that fails before it takes the request leaves it. The end of such a turn must not start turns forever.
    again = Poke.OPERATOR in state.pokes or state.request_is_new or state.failures < MAXIMUM_FAILURES
    if state.requested and again:
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


def _retry_of_the_schedule(state: PipelineState) -> str | None:
    """A sentence if the schedule should repeat what the last turn could not do."""
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


def _nothing_to_do(state: PipelineState) -> str:
    if state.last_turn_failed:
        return "there is nothing new to do, but a turn failed: the schedule tries again"
    if not state.left:
        waits = "a folder waits for some of its files: `flywheel status` says for which"
        return f"there is nothing to do, but {waits}" if state.incomplete else "there is nothing to do"
    uploads = "1 upload" if state.left == 1 else f"{state.left} uploads"
    next_try = "the schedule tries again" if state.unprepared < MAXIMUM_FAILURES else "`flywheel turn --now` does"
    return f"there is nothing new to do, but {uploads} could not be prepared: {next_try}"


def _yes(reason: str) -> TurnStart:
    return TurnStart(start=True, reason=reason)


def _no(reason: str, again_in: timedelta | None = None) -> TurnStart:
    return TurnStart(start=False, reason=reason, again_in=again_in)
