"""Turns: listing them, showing one, how far the current one is, asking for one and waiting for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from enum import StrEnum

from flywheel.promotions.requests import promotion_of
from flywheel.records import turns
from flywheel.records.promotions import PromotionStatus
from flywheel.records.turns import PAUSE_KEY, REQUEST_KEY, Pause, TurnBeginning, TurnOutcome, TurnRecord, TurnRequest
from flywheel.report import chart
from flywheel.report.history import PromotionHistory, in_a_word
from flywheel.store.record import Record
from flywheel.text.failure_cause import readable_cause
from flywheel.turn.start_turn import recent_turns
from ops.deployment.errors import OperatorError, UnknownTurnError, WaitTimeoutError
from ops.deployment.executions import current_step, find_execution, runs
from ops.deployment.polling import looks
from ops.deployment.published import AnyDeployment, Deployment

DEFAULT_TIMEOUT_SECONDS = 12 * 3600.0
"""Iterations of one to two and a half hours are on record (reference 4.6), and two may queue."""
DEFAULT_POLL_SECONDS = 5.0
_OPEN = {PromotionStatus.REQUESTED, PromotionStatus.WAITING, PromotionStatus.FAILED}
"""Promotions that may have gone on since the turn ended; a failed one may have been tried again."""
RECORD_SECONDS = 60.0
"""A turn that was stopped gets its record from an event, which takes seconds; after this none is expected."""


class TurnState(StrEnum):
    STARTING = "STARTING"
    """Its number is taken, its execution has not begun."""
    RUNNING = "RUNNING"
    ENDED = "ENDED"
    """Its execution has ended and its record is still to come."""


class TurnProgress(Record):
    """A turn without a record."""

    turn: str
    state: TurnState
    began_at: datetime | None = None
    step: str | None = None
    """The state of the turn machine that was entered last."""
    execution_status: str | None = None
    """Step Functions' own word."""
    error: str | None = None
    cause: str | None = None
    """As the execution gives them, if it failed."""


class TurnView(Record):
    """One turn: its record once it has ended, its progress before."""

    turn: str
    record: TurnRecord | None = None
    progress: TurnProgress | None = None
    since: tuple[str, ...] = ()
    """Sentences: what became of the turn's model after that."""


class PastTurn(TurnRecord):
    """A turn's record, and what it came to in a word: `keep`, `promoted`, `declined, promoted later`."""

    came_to: str


class RequestedTurn(Record):
    request: TurnRequest
    after: int
    """The number of the last turn that had begun when the request was made; a later one answers it."""


def current_turn(deployment: AnyDeployment) -> int:
    """The number of the current turn, running or ended; 0 before the first."""
    return turns.current_number(deployment.intake)


def list_turns(deployment: Deployment, *, last: int = 20) -> list[TurnRecord]:
    """The records of the `last` turns, newest first. A running turn has none yet, and old ones expire."""
    keys = (turns.record_key(turn) for turn in recent_turns(deployment.intake, last))
    return deployment.intake.read_all(keys, TurnRecord)


def last_ended_turn(deployment: Deployment, *, look_back: int) -> TurnRecord | None:
    """The newest record of so many turns. Older records are not read: they need not be readable."""
    names = recent_turns(deployment.intake, look_back)
    records = (deployment.intake.read(turns.record_key(name), TurnRecord) for name in names)
    return next((record for record in records if record is not None), None)


def past_turns(deployment: Deployment, *, last: int = 20) -> list[PastTurn]:
    """As `list_turns`, with what became of each turn's model up to now."""
    records = list_turns(deployment, last=last)
    history = PromotionHistory.read(deployment.intake)
    return [past_turn(with_promotion_now(deployment, record), history) for record in records]


def past_turn(record: TurnRecord, history: PromotionHistory) -> PastTurn:
    candidate, status = record.candidate, record.promotion.status if record.promotion else None
    later = candidate is not None and history.made_active(candidate.arn)
    came_to = in_a_word(record.decision, status, promoted_later=later)
    return PastTurn(**dict(record), came_to=came_to)


def score_history(turns: Sequence[TurnRecord], *, metric: str, history: PromotionHistory) -> str | None:
    """The chart of a turn's page for these records, newest first, as SVG; None without scores."""
    oldest_first = [chart.PastTurn.of(record) for record in reversed(turns)]
    if not chart.has_scores(oldest_first, metric=metric):
        return None
    return chart.score_chart(chart.with_late_promotions(oldest_first, history=history), metric=metric)


def show_turn(deployment: Deployment, turn: str) -> TurnView:
    """`turn` is a name (`turn-000003`) or a number. Raises UnknownTurnError."""
    name, current = turn_name(deployment, turn), current_turn(deployment)
    record = deployment.intake.read(turns.record_key(name), TurnRecord)
    if record is not None:
        since = PromotionHistory.read(deployment.intake).sentences(record)
        return TurnView(turn=name, record=with_promotion_now(deployment, record), since=tuple(since))
    progress = progress_of(deployment, name)
    if progress is None or (name != turns.name_of(current) and progress.execution_status is None):
        raise UnknownTurnError(turn=turn, current=current)
    return TurnView(turn=name, progress=progress)


def running_turn(deployment: Deployment) -> TurnProgress | None:
    """The turn that goes on now, None between turns."""
    number = current_turn(deployment)
    return progress_of(deployment, turns.name_of(number)) if number else None


def progress_of(deployment: Deployment, turn: str) -> TurnProgress | None:
    """Where `turn` is; None if its record says how it ended."""
    if deployment.intake.read(turns.record_key(turn), TurnRecord) is not None:
        return None
    arn = deployment.turn_execution(turn)
    execution = find_execution(deployment.clients, arn)
    if execution is None:
        return TurnProgress(turn=turn, state=TurnState.STARTING)
    running = runs(execution)
    return TurnProgress(
        turn=turn,
        state=TurnState.RUNNING if running else TurnState.ENDED,
        began_at=execution["startDate"],
        step=current_step(deployment.clients, arn) if running else None,
        execution_status=execution["status"],
        error=execution.get("error"),
        cause=readable_cause(execution.get("cause")),
    )


def turn_name(deployment: AnyDeployment, turn: str) -> str:
    """`turn` is a name (`turn-000003`) or a number. Raises UnknownTurnError if it has not begun."""
    number = int(turn) if turn.isdecimal() else turns.number_of(turn)
    current = current_turn(deployment)
    if number is None or not 0 < number <= current:
        raise UnknownTurnError(turn=turn, current=current)
    return turns.name_of(number)


def with_promotion_now(deployment: Deployment, record: TurnRecord) -> TurnRecord:
    """The record says how a promotion stood when the turn ended; since then it may have asked a person."""
    if record.promotion is None or record.promotion.status not in _OPEN:
        return record
    now = promotion_of(record.promotion.request_id, intake=deployment.intake)
    return record.model_copy(update={"promotion": now}) if now else record


def request_turn(deployment: Deployment, *, overrule_minimum: bool = False) -> RequestedTurn:
    """Ask for a turn now, also when nothing is new. Raises OperatorError while the pipeline is paused.

    `overrule_minimum`: datasets are composed although labels have fewer documents than MinimumDocumentsPerLabel.
    """
    _require_not_paused(deployment)
    after = _last_begun(deployment)
    request = TurnRequest(by=deployment.clients.caller(), at=datetime.now(UTC), overrule_minimum=overrule_minimum)
    deployment.intake.write(REQUEST_KEY, request)
    deployment.poke()
    return RequestedTurn(request=request, after=after)


def wait_for_turn(
    deployment: Deployment,
    *,
    after: int,
    request: TurnRequest | None = None,
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
    poll_seconds: float = DEFAULT_POLL_SECONDS,
    record_seconds: float = RECORD_SECONDS,
    on_progress: Callable[[TurnProgress | None], None] = lambda _: None,
) -> TurnRecord:
    """The record of the first turn after number `after` that ended; with `request` of the one that answered it.

    `on_progress` is told where the turn is at every look, None while none runs. Raises WaitTimeoutError, and
    OperatorError if the pipeline is paused before the turn begins, or it ended without a record for `record_seconds`.
    """
    ended_at: float | None = None
    seen = after
    for _ in looks(timeout_seconds=timeout_seconds, poll_seconds=poll_seconds):
        current = current_turn(deployment)
        progress: TurnProgress | None = None
        for number in range(seen + 1, current + 1):
            name = turns.name_of(number)
            record = deployment.intake.read(turns.record_key(name), TurnRecord)
            if record is None and number < current:
                # It was killed and the next one began: its record may still come, or never.
                continue
            if record is None:
                progress = progress_of(deployment, name)
                ended_at = _require_record_soon(progress, ended_at, record_seconds)
                break
            if answers(record, request):
                return record
            seen = number
        if progress is None:
            _require_not_paused(deployment)
            # An earlier turn may still run: the awaited one starts after it.
            progress = progress_of(deployment, turns.name_of(current)) if current else None
        on_progress(progress)
    raise WaitTimeoutError(
        f"The turn after {after}" if after else "The first turn",
        seconds=timeout_seconds,
        where="`flywheel status` shows where it is, `flywheel turns` how it ended.",
    )


def answers(record: TurnRecord, request: TurnRequest | None) -> bool:
    """Whether `record` is of the turn that took up `request`, or that failed before it could take up any."""
    if request is None:
        return True
    if record.request is not None:
        return record.request.at >= request.at
    return record.outcome is not TurnOutcome.SUCCEEDED


def _require_record_soon(progress: TurnProgress | None, ended_at: float | None, record_seconds: float) -> float | None:
    """When the execution was first seen ended. Raises OperatorError when its record has not come since."""
    if progress is None or progress.state is not TurnState.ENDED:
        return None
    if ended_at is not None and time.monotonic() - ended_at >= record_seconds:
        why = ": ".join(part for part in (progress.error, progress.cause) if part) or "no cause is given"
        raise OperatorError(
            f"{progress.turn} ended {progress.execution_status} without writing its record ({why}): look into its "
            "execution and the log of report_turn."
        )
    return ended_at or time.monotonic()


def _last_begun(deployment: Deployment) -> int:
    """A turn that has begun has read its request; one that has not will find the new one."""
    current = current_turn(deployment)
    if current == 0:
        return 0
    name = turns.name_of(current)
    begun = deployment.intake.read(turns.begin_key(name), TurnBeginning) is not None
    ended = begun or deployment.intake.read(turns.record_key(name), TurnRecord) is not None
    return current if ended else current - 1


def _require_not_paused(deployment: Deployment) -> None:
    paused = deployment.intake.read(PAUSE_KEY, Pause)
    if paused is not None:
        because = f" ({paused.reason})" if paused.reason else ""
        raise OperatorError(f"The pipeline was paused by {paused.by}{because}: no turn starts until `flywheel resume`.")
