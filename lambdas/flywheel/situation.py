"""What start_turn looks at before it decides: the bucket, the flywheel, and how the last turns ended."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from itertools import takewhile
from typing import TYPE_CHECKING

from flywheel import turns
from flywheel.due import MAXIMUM_FAILURES, Poke, Situation
from flywheel.outside import change_outside
from flywheel.turn_records import Pause, TurnBeginning, TurnOutcome, TurnRecord, TurnRequest
from flywheel.undecided import undecided_iteration
from flywheel.upload_records import Split

if TYPE_CHECKING:
    from flywheel.comprehend import FlywheelService
    from flywheel.intake import IntakeBucket
    from flywheel.published import PublishedModels

PAUSE_KEY = "turns/paused"
REQUEST_KEY = "turns/request.json"
_LOOK_BACK = MAXIMUM_FAILURES + 1


def look(
    *,
    intake: IntakeBucket,
    service: FlywheelService,
    published: PublishedModels,
    pokes: frozenset[Poke],
    now: datetime,
    quiet_period: timedelta,
    minimum_between_iterations: timedelta,
) -> Situation:
    if intake.read(PAUSE_KEY, Pause) is not None:
        return Situation(now=now, pokes=pokes, paused=True)
    flywheel = service.describe()
    if not flywheel.active:
        return Situation(now=now, pokes=pokes, flywheel_active=False)
    number = turns.current_number(intake)
    recent = [turns.name_of(n) for n in range(number, max(0, number - _LOOK_BACK), -1)]
    records = [intake.read(turns.record_key(turn), TurnRecord) for turn in recent]
    last = next((record for record in records if record is not None), None)
    uncollected, left = _uploads(intake, recent)
    newest_iteration = next(service.iterations(), None)
    undecided = undecided_iteration(intake, service)
    return Situation(
        now=now,
        pokes=pokes,
        requested=intake.read(REQUEST_KEY, TurnRequest) is not None,
        undecided_iteration=undecided,
        changed_outside=None
        if undecided
        else change_outside(service=service, published=published, unfinished=None, intake=intake),
        last_turn_failed=bool(records) and _failed(records[0]),
        failures=_in_a_row(records, _failed),
        unprepared=_in_a_row(records, _unprepared),
        work_left=_work_left(last, flywheel_arn=service.arn),
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
    beginnings = (intake.read(turns.begin_key(turn), TurnBeginning) for turn in turns_newest_first)
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
