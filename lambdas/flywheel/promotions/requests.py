"""The series of promotions, and the requests that they work off; docs/interfaces.md lists the keys.

A request is an object that is written once. It is open until there is an end of it; which of the open ones is next is
a pure choice over them, so that a lost or repeated poke changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from flywheel.errors import PromotionRefused
from flywheel.records import promotions
from flywheel.records.promotions import (
    ENDS,
    REQUESTS,
    ApprovalWait,
    Promotion,
    PromotionBeginning,
    PromotionFailures,
    PromotionRequest,
    PromotionSource,
    PromotionStatus,
    approval_key,
    begin_key,
    current_number,
    end_key,
    failures_key,
    name_of,
    record_key,
    request_key,
)
from flywheel.text.byte_limits import LONGEST_SENTENCE, within

if TYPE_CHECKING:
    from flywheel.comprehend.flywheel import FlywheelState
    from flywheel.store.bucket import IntakeBucket
    from flywheel.store.parameters import PublishedModels


def open_requests(intake: IntakeBucket) -> list[PromotionRequest]:
    """Those without an end, oldest first."""
    ended = {key.removeprefix(ENDS) for key in intake.keys(ENDS)}
    keys = [key for key in intake.keys(REQUESTS) if key.removeprefix(REQUESTS) not in ended]
    requests = intake.read_all(keys, PromotionRequest)
    return sorted(requests, key=lambda request: (request.requested_at, request.id))


def require_open(request: PromotionRequest, *, intake: IntakeBucket) -> None:
    """Raises PromotionRefused if the request has its end."""
    ended = intake.read(end_key(request.id), Promotion)
    if ended is not None:
        raise PromotionRefused(
            f"What {request.by} asked for has its end already ({ended.status}, {ended.at:%Y-%m-%d %H:%M} UTC): "
            f"`flywheel rollback --to` asks for {request.model_arn} again."
        )


@dataclass(frozen=True, kw_only=True)
class Choice:
    chosen: PromotionRequest
    superseded: tuple[PromotionRequest, ...]


def choose(requests: Sequence[PromotionRequest]) -> Choice | None:
    """The request to work on next, and those that it makes pointless.

    A person's wish comes first and ends whatever was wished for before it. Of the turns' candidates the one with the
    best score comes first and ends the older ones. What is newer than the chosen one stays open: it is refused later
    if the active model has changed by then.
    """
    if not requests:
        return None
    by_people = [request for request in requests if request.source is not PromotionSource.TURN]
    chosen = max(by_people, key=_age) if by_people else max(requests, key=_quality)
    older = tuple(request for request in requests if _age(request) < _age(chosen))
    return Choice(chosen=chosen, superseded=older)


def _age(request: PromotionRequest) -> tuple[datetime, str]:
    return request.requested_at, request.id


def _quality(request: PromotionRequest) -> tuple[float, datetime, str]:
    return (-1.0 if request.score is None else request.score, *_age(request))


def promotion_of(request_id: str, *, intake: IntakeBucket) -> Promotion | None:
    """What became of a request up to now; None if there is none of that id."""
    ended = intake.read(end_key(request_id), Promotion)
    if ended is not None:
        return ended
    request = intake.read(request_key(request_id), PromotionRequest)
    if request is None:
        return None
    waiting = waiting_promotion(intake)
    if waiting is not None and waiting.beginning.request == request:
        reason = f"It waits until {waiting.wait.ends_at:%Y-%m-%d %H:%M} UTC for somebody to approve it."
        return as_promotion(request, status=PromotionStatus.WAITING, reason=reason, at=waiting.wait.asked_at)
    failures = intake.read(failures_key(request_id), PromotionFailures)
    if failures is not None:
        return failures.last
    return as_promotion(
        request,
        status=PromotionStatus.REQUESTED,
        reason="The promote machine has it, or takes it next.",
        at=request.requested_at,
    )


def as_promotion(
    request: PromotionRequest,
    *,
    status: PromotionStatus,
    reason: str,
    at: datetime,
    beginning: PromotionBeginning | None = None,
    answered_by: str | None = None,
    warning: str | None = None,
    serving: str | None = None,
) -> Promotion:
    return Promotion(
        request_id=request.id,
        source=request.source,
        model_arn=request.model_arn,
        former_model_arn=beginning.former_model_arn if beginning else None,
        status=status,
        reason=reason,
        at=at,
        by=request.by,
        turn=request.turn,
        iteration_id=request.iteration_id,
        promotion=beginning.promotion if beginning else None,
        answered_by=answered_by,
        warning=warning,
        serving=serving,
    )


def event_detail(beginning: PromotionBeginning, *, flywheel_name: str) -> dict[str, str | None]:
    """The detail of the event `Model Promoted` (docs/interfaces.md).

    EventBridge takes 256 KiB of an entry, Step Functions of the state that carries it. What people wrote is shortened;
    the request has the whole.
    """
    request = beginning.request
    if request is None:
        raise ValueError(f"{beginning.promotion} found no request: it promoted nothing.")
    whole = f" [shortened: {request_key(request.id)} in the intake bucket has the whole]"
    return {
        "flywheel": flywheel_name,
        "flywheelArn": request.flywheel_arn,
        "modelArn": request.model_arn,
        "formerModelArn": beginning.former_model_arn,
        "promotion": beginning.promotion,
        "source": request.source.value,
        "by": within(request.by, LONGEST_SENTENCE, rest=whole),
        "reason": within(request.reason, LONGEST_SENTENCE, rest=whole),
        "turn": request.turn,
        "iterationId": request.iteration_id,
    }


@dataclass(frozen=True, kw_only=True)
class Waiting:
    beginning: PromotionBeginning
    wait: ApprovalWait


def waiting_promotion(intake: IntakeBucket) -> Waiting | None:
    """The current promotion if it has asked a person; it may have been answered a moment ago."""
    beginning = current_beginning(intake)
    wait = intake.read(approval_key(beginning.promotion), ApprovalWait) if beginning else None
    if beginning is None or wait is None:
        return None
    # A redriven promotion has a record already, but one that is older than its question.
    record = intake.read(record_key(beginning.promotion), Promotion)
    return None if record is not None and record.at >= wait.asked_at else Waiting(beginning=beginning, wait=wait)


def taken_back(model_arn: str, *, intake: IntakeBucket) -> Promotion | None:
    """The last end of a wish for the model, if that was a failed smoke test."""
    ends = [end for end in intake.read_all(intake.keys(ENDS), Promotion) if end.model_arn == model_arn]
    last = max(ends, key=lambda end: end.at, default=None)
    return last if last is not None and last.status is PromotionStatus.SMOKE_TEST_FAILED else None


def current_beginning(intake: IntakeBucket) -> PromotionBeginning | None:
    """What the current promotion works on; None before it has begun."""
    number = current_number(intake)
    return intake.read(begin_key(name_of(number)), PromotionBeginning) if number else None


def models_under_way(intake: IntakeBucket) -> frozenset[str]:
    """The models of all open requests: one may be active before it is published."""
    return frozenset(request.model_arn for request in open_requests(intake))


def pending_desire(
    *, published: PublishedModels, intake: IntakeBucket, flywheel: FlywheelState, now: datetime
) -> PromotionRequest | None:
    """The request that an edit of `desired-model-arn` is, unless it is what is published or was dealt with before.

    A promotion writes the parameter too, right before the model is the published one. But a model that waits for
    approval and is then written there has its approval.
    """
    desired = published.desired()
    if desired is None or desired.arn == published.active() or intake.read(end_key(desired.request_id), Promotion):
        return None
    waiting = waiting_promotion(intake)
    asked_for = waiting.beginning.request if waiting else None
    if any(request.model_arn == desired.arn and request != asked_for for request in open_requests(intake)):
        return None
    return PromotionRequest(
        id=desired.request_id,
        source=PromotionSource.PARAMETER,
        model_arn=desired.arn,
        flywheel_arn=flywheel.arn,
        decided_against=flywheel.active_model_arn,
        # When it was seen: what began to wait before an edit whose event got lost does not hold it up.
        requested_at=now,
        by="an edit of desired-model-arn",
        reason=f"Version {desired.version} of desired-model-arn names it.",
    )


def superseded_by(request: PromotionRequest) -> str:
    who = request.by if request.source is PromotionSource.TURN else f"{request.by} (by hand)"
    return f"{who} asked for {request.model_arn} instead."


def request_of(beginning: PromotionBeginning) -> PromotionRequest:
    if beginning.request is None:
        raise ValueError(f"{beginning.promotion} found no request: it has nothing to do.")
    return beginning.request


def beginning_of(promotion: str, intake: IntakeBucket) -> PromotionBeginning:
    return intake.require(promotions.begin_key(promotion), PromotionBeginning)


def open_request_of(promotion: str, intake: IntakeBucket) -> PromotionRequest:
    """Raises PromotionRefused if it has its end already: a stopped promotion that is redriven changes nothing."""
    request = request_of(beginning_of(promotion, intake))
    require_open(request, intake=intake)
    return request
