"""Promotion requests: which are open, which of them comes next, and how far one has come.

A request is a record that is written once. It is open until a second record, its end, exists. A pure function chooses
the next one from the open requests, so that a lost or repeated message to `start_promotion` changes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from flywheel.faults.errors import PromotionRefused
from flywheel.records.promotions import (
    ENDS,
    REQUESTS,
    ApprovalWait,
    InitialModel,
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
    initial_key,
    name_of,
    record_key,
    request_key,
)
from flywheel.records.serving import failed_smoke_test_of
from flywheel.text.byte_limits import LONGEST_SENTENCE, within

if TYPE_CHECKING:
    from flywheel.comprehend.active_model import ActiveModelService, ActiveModelState
    from flywheel.records.serving import SmokeTest
    from flywheel.store.bucket import IntakeBucket
    from flywheel.store.parameters import PublishedModels


def open_requests(intake: IntakeBucket) -> list[PromotionRequest]:
    """The requests without an end, oldest first."""
    ended = {key.removeprefix(ENDS) for key in intake.keys(ENDS)}
    keys = [key for key in intake.keys(REQUESTS) if key.removeprefix(REQUESTS) not in ended]
    requests = intake.read_all(keys, PromotionRequest)
    return sorted(requests, key=lambda request: (request.requested_at, request.id))


@dataclass(frozen=True, kw_only=True)
class Choice:
    chosen: PromotionRequest
    superseded: tuple[PromotionRequest, ...]


def choose(requests: Sequence[PromotionRequest]) -> Choice | None:
    """The request to work on next, and those that it supersedes.

    A person's newest request comes first, then the turn's request with the best score, or the newest announcement. It
    supersedes all older ones.
    Newer ones stay open, and are refused later if the active model has changed by then.
    """
    if not requests:
        return None
    by_people = [request for request in requests if not request.source.automatic]
    chosen = max(by_people, key=_age) if by_people else max(requests, key=_quality)
    older = tuple(request for request in requests if _age(request) < _age(chosen))
    return Choice(chosen=chosen, superseded=older)


def _age(request: PromotionRequest) -> tuple[datetime, str]:
    return request.requested_at, request.id


def _quality(request: PromotionRequest) -> tuple[float, datetime, str]:
    return (-1.0 if request.score is None else request.score, *_age(request))


def request_of_parameter_edit(
    *, published: PublishedModels, intake: IntakeBucket, flywheel: ActiveModelState, now: datetime
) -> PromotionRequest | None:
    """The request that an edit of `desired-model-arn` makes. None if the parameter names the published model, if the
    edit's request has ended, or if another open request is for the same model.

    The last is because a promotion writes the parameter too, right before it publishes the model. But while a promotion
    waits for approval, only a person can have written its model there: that approves the model. And whatever was
    written since it began, a person wrote, who need not wait for its answer.
    """
    desired = published.desired()
    if desired is None or desired.arn == published.active() or intake.read(end_key(desired.request_id), Promotion):
        return None
    waiting = waiting_promotion(intake)
    if waiting is None or waiting.beginning.desired_version == desired.version:
        others = [request for request in open_requests(intake) if not (waiting and waiting.beginning.works_on(request))]
        if any(request.model_arn == desired.arn for request in others):
            return None
    return PromotionRequest(
        id=desired.request_id,
        source=PromotionSource.PARAMETER,
        model_arn=desired.arn,
        flywheel_arn=flywheel.arn,
        decided_against=flywheel.active_model_arn,
        # Not the time of the edit: if its event got lost, the edit must still supersede a promotion that waits.
        requested_at=now,
        by="an edit of desired-model-arn",
        reason=f"Version {desired.version} of desired-model-arn names it.",
    )


def unrequested_initial_model(*, intake: IntakeBucket, flywheel_arn: str) -> InitialModel | None:
    """The existing model that the flywheel was created with, if its promotion has not been requested yet."""
    initial = intake.read(initial_key(flywheel_arn), InitialModel)
    return None if initial is None or intake.exists(request_key(initial.request_id)) else initial


def request_of_initial_model(*, intake: IntakeBucket, flywheel: ActiveModelState) -> PromotionRequest | None:
    """The request to publish the model that the flywheel was created with, if it is still to be made. None, too, if
    another model has been made active since."""
    initial = unrequested_initial_model(intake=intake, flywheel_arn=flywheel.arn) if flywheel.arn else None
    if initial is None or initial.model_arn != flywheel.active_model_arn:
        return None
    return PromotionRequest(
        id=initial.request_id,
        source=PromotionSource.DEPLOYMENT,
        model_arn=initial.model_arn,
        flywheel_arn=initial.flywheel_arn,
        decided_against=initial.model_arn,
        requested_at=initial.created_at,
        by="the deployment",
        reason="The flywheel was created with it (initial_model_arn).",
    )


def request_of_unpublished_import(
    *, published: PublishedModels, intake: IntakeBucket, service: ActiveModelService, now: datetime
) -> PromotionRequest | None:
    """Of a promotion that was stopped, a step may go on, and make its model active after the request has ended. Where a
    flywheel trains, the next turn publishes that model; where models are imported, this request does."""
    if service.arn is not None:
        return None
    known, active = published.active(), service.find_active_model()
    if active is None or active == known or open_requests(intake):
        return None
    if published.active() != known or smoke_test_failure_of(active, intake=intake) is not None:
        # It was published a moment ago. Or it is the only model there is, and nothing may serve it.
        return None
    return PromotionRequest(
        id=f"active-{hashlib.sha256(f'{known} {active}'.encode()).hexdigest()[:16]}",
        source=PromotionSource.DEPLOYMENT,
        model_arn=active,
        decided_against=active,
        requested_at=now,
        by="the deployment",
        reason="A promotion that was stopped has made it active.",
    )


def requested_models(intake: IntakeBucket) -> frozenset[str]:
    """The models of all open requests. One of them may be active and not published yet."""
    return frozenset(request.model_arn for request in open_requests(intake))


def models_to_put_back(intake: IntakeBucket) -> frozenset[str]:
    """Those that become active again if the model of the promotion that is under way fails its smoke test."""
    beginning = current_beginning(intake)
    request = beginning.request if beginning else None
    if beginning is None or request is None or intake.read(end_key(request.id), Promotion) is not None:
        return frozenset()
    return frozenset(filter(None, (request.decided_against, beginning.former_model_arn)))


def smoke_test_failure_of(model_arn: str, *, intake: IntakeBucket) -> Promotion | None:
    """How the last request for the model ended, if it ended with a failed smoke test; else None."""
    ends = [end for end in intake.read_all(intake.keys(ENDS), Promotion) if end.model_arn == model_arn]
    last = max(ends, key=lambda end: end.at, default=None)
    return last if last is not None and last.status is PromotionStatus.SMOKE_TEST_FAILED else None


def stays_though_it_failed(model_arn: str, *, published: PublishedModels, intake: IntakeBucket) -> bool:
    """Whether the active model failed its smoke test, and no other model could be made active again: nothing may serve
    it or publish it. What has been published since then gave somebody a choice."""
    end = smoke_test_failure_of(model_arn, intake=intake)
    if end is None or not end.stays_active:
        return False
    known = published.active_since()
    return known is None or known.since <= end.at


def failed_smoke_test(request: PromotionRequest, *, intake: IntakeBucket) -> SmokeTest | None:
    """The last smoke test of the request's model, if it has failed since the model was asked for."""
    return failed_smoke_test_of(request.model_arn, intake=intake, since=request.requested_at)


def current_beginning(intake: IntakeBucket) -> PromotionBeginning | None:
    """What the current promotion works on; None before it has begun."""
    number = current_number(intake)
    return intake.read(begin_key(name_of(number)), PromotionBeginning) if number else None


def beginning_of(promotion: str, intake: IntakeBucket) -> PromotionBeginning:
    return intake.require(begin_key(promotion), PromotionBeginning)


def request_of(beginning: PromotionBeginning) -> PromotionRequest:
    if beginning.request is None:
        raise ValueError(f"{beginning.promotion} found no request: it has nothing to do.")
    return beginning.request


def open_request_of(promotion: str, intake: IntakeBucket) -> PromotionRequest:
    """The promotion's request. Raises PromotionRefused if it has ended, so that redriving a stopped promotion changes
    nothing."""
    request = request_of(beginning_of(promotion, intake))
    require_open(request, intake=intake)
    return request


def require_open(request: PromotionRequest, *, intake: IntakeBucket) -> None:
    """Raise PromotionRefused if the request has ended."""
    ended = intake.read(end_key(request.id), Promotion)
    if ended is not None:
        raise PromotionRefused(
            f"What {request.by} asked for has ended already ({ended.status}, {ended.at:%Y-%m-%d %H:%M} UTC): "
            f"`flywheel rollback --to` asks for {request.model_arn} again."
        )


@dataclass(frozen=True, kw_only=True)
class WaitingPromotion:
    """A promotion that waits for a person's approval."""

    beginning: PromotionBeginning
    wait: ApprovalWait


def waiting_promotion(intake: IntakeBucket) -> WaitingPromotion | None:
    """The current promotion if it waits for approval. The answer may have come a moment ago."""
    beginning = current_beginning(intake)
    wait = intake.read(approval_key(beginning.promotion), ApprovalWait) if beginning else None
    if beginning is None or wait is None:
        return None
    # A redriven promotion has a record already, but it is older than the wait.
    record = intake.read(record_key(beginning.promotion), Promotion)
    if record is not None and record.at >= wait.asked_at:
        return None
    return WaitingPromotion(beginning=beginning, wait=wait)


def end_of(waiting: WaitingPromotion, *, intake: IntakeBucket) -> Promotion | None:
    """The end of the request that waits, if it has ended without an answer."""
    request = waiting.beginning.request
    return intake.read(end_key(request.id), Promotion) if request else None


def promotion_of(request_id: str, *, intake: IntakeBucket) -> Promotion | None:
    """How far a request has come, or how it ended; None if there is no request with this id."""
    ended = intake.read(end_key(request_id), Promotion)
    if ended is not None:
        return ended
    request = intake.read(request_key(request_id), PromotionRequest)
    if request is None:
        return None
    waiting = waiting_promotion(intake)
    if waiting is not None and waiting.beginning.works_on(request):
        reason = f"It waits until {waiting.wait.ends_at:%Y-%m-%d %H:%M} UTC for somebody to approve it."
        return as_promotion(
            request,
            status=PromotionStatus.WAITING,
            reason=reason,
            at=waiting.wait.asked_at,
            beginning=waiting.beginning,
        )
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
    answer_reason: str | None = None,
    warning: str | None = None,
    serving: str | None = None,
    stays_active: bool = False,
) -> Promotion:
    return Promotion(
        request_id=request.id,
        source=request.source,
        model_arn=request.model_arn,
        source_model_arn=request.source_model_arn,
        former_model_arn=beginning.former_model_arn if beginning else None,
        status=status,
        reason=reason,
        at=at,
        by=request.by,
        turn=request.turn,
        iteration_id=request.iteration_id,
        promotion=beginning.promotion if beginning else None,
        answered_by=answered_by,
        answer_reason=answer_reason,
        warning=warning,
        serving=serving,
        stays_active=stays_active,
    )


def superseded_by(request: PromotionRequest) -> str:
    """The reason that a superseded request ends with."""
    by_hand = not request.source.automatic and request.source is not PromotionSource.DEPLOYMENT
    who = f"{request.by} (by hand)" if by_hand else request.by
    return f"{who} asked for {request.model_arn} instead."


def event_detail(beginning: PromotionBeginning, *, flywheel_name: str) -> dict[str, str | None]:
    """The detail of the event `Model Promoted` (docs/interfaces.md).

    EventBridge takes entries of up to 256 KiB, and so does Step Functions as the state's data. Text that people wrote
    is shortened; the request has all of it.
    """
    request = beginning.request
    if request is None:
        raise ValueError(f"{beginning.promotion} found no request: it promoted nothing.")
    whole = f" [shortened: {request_key(request.id)} in the intake bucket has the whole]"
    return {
        "flywheel": flywheel_name,
        "flywheelArn": request.flywheel_arn,
        "modelArn": request.model_arn,
        **({"sourceModelArn": request.source_model_arn} if request.source_model_arn else {}),
        "formerModelArn": beginning.former_model_arn,
        "promotion": beginning.promotion,
        "source": request.source.value,
        "by": within(request.by, LONGEST_SENTENCE, rest=whole),
        "reason": within(request.reason, LONGEST_SENTENCE, rest=whole),
        "turn": request.turn,
        "iterationId": request.iteration_id,
    }
