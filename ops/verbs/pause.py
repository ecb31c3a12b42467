"""Pausing the pipeline: while `turns/paused` is there, no turn starts; a running one goes on to its end.

Promotions go on: they are how a person undoes what a turn did, paused or not.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from flywheel.comprehend.flywheel import DatasetStatus
from flywheel.promotions.requests import waiting_promotion
from flywheel.records.promotions import PROMOTIONS
from flywheel.records.turns import PAUSE_KEY, Pause
from flywheel.store.record import Record
from ops.deployment.errors import OperatorError
from ops.deployment.executions import find_execution
from ops.deployment.polling import looks
from ops.deployment.published import Deployment
from ops.verbs.approve import decline_whatever_waits
from ops.verbs.promotions import running_promotion
from ops.verbs.turns import TurnProgress, TurnState, running_turn

_LOOKS_IN_A_ROW = 2
"""A turn that was being started when the pause came is seen by the second look."""
_BEGINS_WITHIN = timedelta(minutes=1)
"""After the pause: a turn whose number was taken before has begun by then and Step Functions tells of it, or it never
begins. The same of a promotion, which no pause keeps from beginning, after its number was taken."""


class PauseResult(Record):
    pause: Pause
    already: bool
    """It was paused before; that pause stands."""
    running: TurnProgress | None = None
    """The turn that goes on to its end."""


class ResumeResult(Record):
    was: Pause | None
    """The pause that ended; None if there was none."""


def pause(deployment: Deployment, *, reason: str = "") -> PauseResult:
    wanted = Pause(by=deployment.clients.caller(), at=datetime.now(UTC), reason=reason)
    written = deployment.intake.write_once(PAUSE_KEY, wanted)
    standing = wanted if written else deployment.intake.read(PAUSE_KEY, Pause) or wanted
    return PauseResult(pause=standing, already=not written, running=running_turn(deployment))


def resume(deployment: Deployment) -> ResumeResult:
    """Ends the pause and lets the pipeline look for work, whether it was paused or not."""
    was = deployment.intake.read(PAUSE_KEY, Pause)
    deployment.intake.delete([PAUSE_KEY])
    deployment.poke()
    return ResumeResult(was=was)


def wait_until_idle(
    deployment: Deployment,
    *,
    timeout_seconds: float,
    poll_seconds: float,
    decline_waiting: str | None = None,
    on_progress: Callable[[str], None] = lambda _: None,
) -> None:
    """Returns when no turn runs and Comprehend neither iterates nor ingests: before that it deletes no flywheel.

    A promotion that waits for approval may wait on for days and is none of this, unless `decline_waiting` gives the
    reason with which to decline it: Step Functions deletes no machine before its executions have ended.
    `on_progress` is told in words what still runs. Meant for a paused pipeline. Raises OperatorError if something
    still runs after `timeout_seconds`.
    """
    idle = 0
    running: str | None = None
    for _ in looks(timeout_seconds=timeout_seconds, poll_seconds=poll_seconds):
        if decline_waiting is not None:
            decline_whatever_waits(deployment, reason=decline_waiting)
        running = what_runs(deployment, waiting_too=decline_waiting is not None)
        idle = 0 if running else idle + 1
        if idle == _LOOKS_IN_A_ROW:
            return
        if running:
            on_progress(running)
    raise OperatorError(
        f"{running or 'a turn that was being started'} still runs after {timeout_seconds / 60:g} minutes. The pipeline "
        "stays paused: wait on with `flywheel pause --wait`."
    )


def what_runs(deployment: Deployment, *, waiting_too: bool = False) -> str | None:
    """In words: the running turn, else the iteration or dataset that Comprehend still works on, else a promotion.

    A promotion that waits for approval counts only if `waiting_too`.
    """
    turn = running_turn(deployment)
    if turn is not None and (
        turn.state is TurnState.RUNNING or (turn.state is TurnState.STARTING and _begins(deployment))
    ):
        return f"{turn.turn}: {turn.step}" if turn.step else turn.turn
    service = deployment.service
    for iteration in service.iterations():
        if iteration.status.running:
            return f"iteration {iteration.id}"
    for dataset in service.datasets():
        if dataset.status is DatasetStatus.CREATING:
            return f"dataset {dataset.name}"
    if waiting_too or waiting_promotion(deployment.intake) is None:
        return running_promotion(deployment) or _beginning_promotion(deployment)
    return None


def _begins(deployment: Deployment) -> bool:
    """Whether a turn that has a number and no execution that is told of may run or begin."""
    paused = deployment.intake.read(PAUSE_KEY, Pause)
    return paused is not None and datetime.now(UTC) < paused.at + _BEGINS_WITHIN


def _beginning_promotion(deployment: Deployment) -> str | None:
    """The promotion that has taken its number a moment ago and that Step Functions does not tell of yet."""
    taken = next((found["LastModified"] for found in deployment.intake.list(PROMOTIONS.current_key)), None)
    if taken is None or datetime.now(UTC) >= taken + _BEGINS_WITHIN:
        return None
    name = PROMOTIONS.name_of(PROMOTIONS.current_number(deployment.intake))
    told = find_execution(deployment.clients, deployment.promotion_execution(name))
    return name if told is None else None
