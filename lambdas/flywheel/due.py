"""Whether a turn should start: a pure decision over what start_turn found. A poke alone never starts one."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

MAXIMUM_FAILURES = 3
"""So many turns in a row may fail before the pipeline waits for a person."""
_FLYWHEEL_CREATION = timedelta(seconds=60)


class Poke(StrEnum):
    UPLOAD = "upload"
    TURN_ENDED = "turn ended"
    SCHEDULE = "schedule"
    OPERATOR = "operator"
    DELAYED = "delayed"


@dataclass(frozen=True, kw_only=True)
class Situation:
    now: datetime
    pokes: frozenset[Poke]
    paused: bool = False
    requested: bool = False
    flywheel_active: bool = True
    undecided_iteration: str | None = None
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
    minimum_between_iterations: timedelta = field(default=timedelta(0))


@dataclass(frozen=True, kw_only=True)
class Verdict:
    start: bool
    reason: str
    again_in: timedelta | None = None
    """Not yet, but look again after this long without waiting for an event."""
    waits_for_a_person: bool = False
    """Nothing but an operator's request starts the next turn."""


def judge(situation: Situation) -> Verdict:
    """Should a turn start now? The reason is a sentence for the log and `flywheel status`."""
    if situation.paused:
        return _no("the pipeline is paused")
    if not situation.flywheel_active:
        return _no("the flywheel is not ACTIVE yet", again_in=_FLYWHEEL_CREATION)
    # A turn that fails before it takes the request leaves it: the end of that turn must not start one without end.
    if situation.requested and (Poke.OPERATOR in situation.pokes or situation.failures < MAXIMUM_FAILURES):
        return _yes("an operator asked for a turn")
    if situation.failures >= MAXIMUM_FAILURES:
        return Verdict(
            start=False,
            reason=f"the last {situation.failures} turns failed: `flywheel turn --now` tries again",
            waits_for_a_person=True,
        )
    if situation.undecided_iteration:
        return _yes(f"iteration {situation.undecided_iteration} is not decided")
    if situation.changed_outside:
        return _yes(situation.changed_outside)
    retry = _retry_of_the_schedule(situation)
    if retry:
        return _yes(retry)
    if situation.work_left is None and not situation.uncollected:
        return _no(_nothing_to_do(situation))
    too_soon = too_soon_for_an_iteration(
        now=situation.now, last=situation.last_iteration_at, minimum=situation.minimum_between_iterations
    )
    if too_soon:
        return _no(too_soon)
    if situation.work_left is not None:
        return _yes(situation.work_left)
    rested_at = min(situation.uncollected) + situation.quiet_period
    if rested_at > situation.now:
        return _no("the oldest upload has not rested for QuietPeriodMinutes yet", again_in=rested_at - situation.now)
    return _yes(f"{len(situation.uncollected)} uploads wait")


def _nothing_to_do(situation: Situation) -> str:
    if not situation.left:
        return "there is nothing to do"
    uploads = "1 upload" if situation.left == 1 else f"{situation.left} uploads"
    next_try = "the schedule tries again" if situation.unprepared < MAXIMUM_FAILURES else "`flywheel turn --now` does"
    return f"there is nothing new to do, but {uploads} could not be prepared: {next_try}"


def _retry_of_the_schedule(situation: Situation) -> str | None:
    """A sentence if the schedule is to try again what the last turn could not do."""
    if Poke.SCHEDULE not in situation.pokes:
        return None
    if situation.last_turn_failed:
        return "the last turn failed and the schedule tries again"
    if 0 < situation.unprepared < MAXIMUM_FAILURES:
        return "the last turn could not prepare an upload and the schedule tries again"
    return None


def too_soon_for_an_iteration(*, now: datetime, last: datetime | None, minimum: timedelta) -> str | None:
    """A sentence if MinimumHoursBetweenIterations has not passed since the last iteration began."""
    if last is None or now >= last + minimum:
        return None
    return f"the next iteration may begin at {last + minimum:%Y-%m-%d %H:%M} UTC (MinimumHoursBetweenIterations)"


def _yes(reason: str) -> Verdict:
    return Verdict(start=True, reason=reason)


def _no(reason: str, again_in: timedelta | None = None) -> Verdict:
    return Verdict(start=False, reason=reason, again_in=again_in)
