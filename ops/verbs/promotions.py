"""Promotions as an operator looks for them: by a turn or by their own name, what becomes of them, what is under way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from flywheel.promotions import requests
from flywheel.records import promotions, turns
from flywheel.records.decisions import DecisionKind
from flywheel.records.promotions import (
    Promotion,
    PromotionBeginning,
    PromotionFailures,
    PromotionRequest,
    PromotionStatus,
)
from flywheel.records.turns import TurnOutcome, TurnRecord
from flywheel.store.record import Record
from ops.deployment.errors import NotAskedError, OperatorError, WaitTimeoutError
from ops.deployment.executions import current_step, find_execution, runs
from ops.deployment.polling import looks
from ops.deployment.published import AnyDeployment, ImportDeployment
from ops.verbs.turns import turn_name

ASK_FOR_APPROVAL = "AskForApproval"
"""The state of the promote machine in which it waits for a person."""
_FAILED = {PromotionStatus.FAILED, PromotionStatus.STOPPED}


class Promotions(Record):
    open: tuple[Promotion, ...] = ()
    """Those without an end, oldest first."""
    waits_until: datetime | None = None
    """When the one that waits for approval gives up; None once it has its answer."""
    running: str | None = None
    """The promotion whose execution runs, with the state that it entered last."""
    step: str | None = None
    failed: Promotion | None = None
    """The last one, if it failed for good."""


class DesiredModel(Record):
    """`desired-model-arn`, where it is not the active model."""

    arn: str
    at: datetime
    promotion: Promotion | None = None
    """What became of this request; None before it is noticed."""


def promotions_now(deployment: AnyDeployment) -> Promotions:
    intake = deployment.intake
    found = (requests.promotion_of(request.id, intake=intake) for request in requests.open_requests(intake))
    waiting = requests.waiting_promotion(intake)
    running = running_promotion(deployment)
    step = current_step(deployment.clients, deployment.promotion_execution(running)) if running else None
    number = promotions.current_number(intake)
    last = intake.read(promotions.record_key(promotions.name_of(number)), Promotion) if number else None
    ended_badly = last is not None and last.status in _FAILED and intake.exists(promotions.end_key(last.request_id))
    return Promotions(
        open=tuple(promotion for promotion in found if promotion is not None),
        waits_until=waiting.wait.ends_at if waiting and step == ASK_FOR_APPROVAL else None,
        running=running,
        step=step,
        failed=last if ended_badly else None,
    )


def another_desired(deployment: AnyDeployment, *, active: str | None) -> DesiredModel | None:
    """The desired model if it is not `active`."""
    desired = deployment.models.desired()
    if desired is None or desired.arn == active:
        return None
    promotion = requests.promotion_of(desired.request_id, intake=deployment.intake)
    return DesiredModel(arn=desired.arn, at=desired.at, promotion=promotion)


def running_promotion(deployment: AnyDeployment) -> str | None:
    """The name of the current promotion if its execution runs, also while it waits for a person."""
    number = promotions.current_number(deployment.intake)
    if not number:
        return None
    name = promotions.name_of(number)
    execution = find_execution(deployment.clients, deployment.promotion_execution(name))
    return name if execution is not None and runs(execution) else None


def all_requests(deployment: AnyDeployment) -> list[PromotionRequest]:
    """Open and ended, oldest first."""
    found = deployment.intake.read_all(deployment.intake.keys(promotions.REQUESTS), PromotionRequest)
    return sorted(found, key=lambda request: (request.requested_at, request.id))


def past_promotions(deployment: AnyDeployment, *, last: int = 50) -> list[Promotion]:
    """How the `last` requests ended or stand, newest first."""
    newest = all_requests(deployment)[: -last - 1 : -1]
    found = (requests.promotion_of(request.id, intake=deployment.intake) for request in newest)
    return [promotion for promotion in found if promotion is not None]


def find_request(deployment: AnyDeployment, asked: str) -> PromotionRequest:
    """The request that a turn (name or number) made, or that a promotion (name) works or worked on. Where models are
    imported there are no turns: a number is a promotion's.

    Raises UnknownTurnError, OperatorError for an unknown promotion, and NotAskedError where there is no request.
    """
    if isinstance(deployment, ImportDeployment):
        asked = promotion_name(deployment, asked)
    if promotions.number_of(asked) is not None:
        beginning = deployment.intake.read(promotions.begin_key(asked), PromotionBeginning)
        if beginning is None:
            raise OperatorError(f"There is no promotion {asked}: `flywheel models` shows what became of each model.")
        if beginning.request is None:
            raise NotAskedError(f"{asked} found nothing to promote: there is nothing to answer.")
        return beginning.request
    turn = turn_name(deployment, asked)
    made = [request for request in all_requests(deployment) if request.turn == turn]
    if not made:
        raise NotAskedError(why_no_request(turn, deployment.intake.read(turns.record_key(turn), TurnRecord)))
    return made[-1]


def promotion_name(deployment: AnyDeployment, asked: str | None = None) -> str:
    """Of a promotion that has begun: its name or number; None: the last. Raises OperatorError."""
    current = promotions.current_number(deployment.intake)
    if not current:
        raise OperatorError("No promotion has begun yet: `flywheel status` shows what happens.")
    if asked is None:
        return promotions.name_of(current)
    number = int(asked) if asked.isdecimal() else promotions.number_of(asked)
    if number is None or not 1 <= number <= current:
        raise OperatorError(
            f"There is no promotion {asked} (the latest is {promotions.name_of(current)}): `flywheel models` shows "
            "what became of each model."
        )
    return promotions.name_of(number)


def why_no_request(turn: str, record: TurnRecord | None) -> str:
    """In words, why the turn of this record requested no promotion."""
    if record is None:
        return f"{turn} has not decided yet: `flywheel status` shows how far it is."
    if record.outcome is not TurnOutcome.SUCCEEDED:
        return f"{turn} {record.outcome} before it asked for a promotion: `flywheel show {turn}` says why."
    match record.decision:
        case DecisionKind.PROMOTE:
            return f"The request of {turn} is not in the intake bucket any more: `flywheel show {turn}` shows its end."
        case DecisionKind.KEEP:
            because = f" ({' '.join(record.reasons)})" if record.reasons else ""
            anyway = f"`flywheel rollback --to {turn}` promotes its model all the same."
            return f"{turn} decided to keep the active model{because}: there is nothing to answer. {anyway}"
        case DecisionKind.REPORT | DecisionKind.NOTHING:
            return f"{turn} trained no model: there is nothing to answer."


def failures_of(deployment: AnyDeployment, request_id: str) -> int:
    """How many executions failed at the request so far."""
    failures = deployment.intake.read(promotions.failures_key(request_id), PromotionFailures)
    return len(failures.promotions) if failures else 0


def wait_for_promotion(
    deployment: AnyDeployment,
    request_id: str,
    *,
    failures: int = 0,
    timeout_seconds: float,
    poll_seconds: float,
    on_progress: Callable[[Promotion | None], None] = lambda _: None,
) -> Promotion:
    """The end of the request, or its next failure after so many `failures`, also if it is tried again.

    `on_progress` is told at every look how it stands. Raises WaitTimeoutError.
    """
    now: Promotion | None = None
    for _ in looks(timeout_seconds=timeout_seconds, poll_seconds=poll_seconds):
        ended = deployment.intake.read(promotions.end_key(request_id), Promotion)
        if ended is not None:
            return ended
        failed = deployment.intake.read(promotions.failures_key(request_id), PromotionFailures)
        if failed is not None and len(failed.promotions) > failures:
            return failed.last
        now = requests.promotion_of(request_id, intake=deployment.intake)
        on_progress(now)
    raise WaitTimeoutError(
        f"The promotion {request_id}",
        seconds=timeout_seconds,
        now=f"{now.status}: {now.reason.rstrip('.')}" if now else "its request is gone",
        where="`flywheel status` shows where it is, `flywheel models` how it ended.",
    )
