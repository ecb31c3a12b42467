"""Promotions as an operator looks for them: by a turn or by their own name, and what becomes of them."""

from __future__ import annotations

import time
from collections.abc import Callable

from flywheel.promotions import requests
from flywheel.records import promotions, turns
from flywheel.records.decisions import DecisionKind
from flywheel.records.promotions import Promotion, PromotionBeginning, PromotionFailures, PromotionRequest
from flywheel.records.turns import TurnOutcome, TurnRecord
from ops.deployment import Deployment
from ops.errors import NotAskedError, PromotionTimeoutError, UnknownPromotionError
from ops.turns import turn_name


def all_requests(deployment: Deployment) -> list[PromotionRequest]:
    """Open and ended, oldest first."""
    found = deployment.intake.read_all(deployment.intake.keys(promotions.REQUESTS), PromotionRequest)
    return sorted(found, key=lambda request: (request.requested_at, request.id))


def find_request(deployment: Deployment, asked: str) -> PromotionRequest:
    """The request that a turn (name or number) made, or that a promotion (name) works or worked on.

    Raises UnknownTurnError, UnknownPromotionError, and NotAskedError where there is no request.
    """
    if promotions.number_of(asked) is not None:
        beginning = deployment.intake.read(promotions.begin_key(asked), PromotionBeginning)
        if beginning is None:
            raise UnknownPromotionError(asked)
        if beginning.request is None:
            raise NotAskedError(f"{asked} found nothing to promote: there is nothing to answer.")
        return beginning.request
    turn = turn_name(deployment, asked)
    made = [request for request in all_requests(deployment) if request.turn == turn]
    if not made:
        raise NotAskedError(why_no_request(turn, deployment.intake.read(turns.record_key(turn), TurnRecord)))
    return made[-1]


def why_no_request(turn: str, record: TurnRecord | None) -> str:
    """In words, why the turn of this record wants nothing promoted."""
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


def failures_of(deployment: Deployment, request_id: str) -> int:
    """How many executions failed at the request so far."""
    failures = deployment.intake.read(promotions.failures_key(request_id), PromotionFailures)
    return len(failures.promotions) if failures else 0


def wait_for_promotion(
    deployment: Deployment,
    request_id: str,
    *,
    failures: int = 0,
    timeout_seconds: float,
    poll_seconds: float,
    on_progress: Callable[[Promotion | None], None] | None = None,
) -> Promotion:
    """The end of the request, or its next failure after so many `failures`, also if it is tried again.

    `on_progress` is told at every look how it stands. Raises PromotionTimeoutError.
    """
    deadline = time.monotonic() + timeout_seconds
    while True:
        ended = deployment.intake.read(promotions.end_key(request_id), Promotion)
        if ended is not None:
            return ended
        failed = deployment.intake.read(promotions.failures_key(request_id), PromotionFailures)
        if failed is not None and len(failed.promotions) > failures:
            return failed.last
        now = requests.promotion_of(request_id, intake=deployment.intake)
        if on_progress is not None:
            on_progress(now)
        if time.monotonic() >= deadline:
            last = f"{now.status}: {now.reason.rstrip('.')}" if now else "its request is gone"
            raise PromotionTimeoutError(request_id=request_id, seconds=timeout_seconds, last=last)
        time.sleep(poll_seconds)
