"""Whether a promotion should start, after any poke: looked up, never taken from the poke."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from flywheel.errors import PromotionRefused
from flywheel.promotions import requests
from flywheel.promotions.check_model import require_fit
from flywheel.promotions.requests import superseded_by
from flywheel.records import promotions
from flywheel.records.promotions import ApprovalWait, Promotion, PromotionRequest, PromotionSource, PromotionStatus

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from flywheel.comprehend.flywheel import FlywheelService, FlywheelState
    from flywheel.pipeline import Pipeline
    from flywheel.store.bucket import IntakeBucket

SUPERSEDED = "Superseded"
"""The error with which a waiting promotion is told that another one takes its place."""


class Poke(StrEnum):
    REQUEST = "request"
    DESIRED = "desired model edited"
    ENDED = "promotion ended"
    SCHEDULE = "schedule"
    OPERATOR = "operator"


@dataclass(frozen=True, kw_only=True)
class PromotionStart:
    start: bool
    reason: str
    supersede: ApprovalWait | None = None
    """Tell the promotion that waits with this token that it is superseded."""
    because: str = ""
    waiting: bool = False
    """A promotion waits for a person."""
    refused: tuple[Promotion, ...] = ()
    """Ends of wishes that must not take the place of what waits, because nothing could come of them."""


def decide(
    *,
    pokes: frozenset[Poke],
    now: datetime,
    pipeline: Pipeline,
) -> PromotionStart:
    """Note an edit of `desired-model-arn` as a request, then say what is to be done about the open ones."""
    flywheel = pipeline.service.describe()
    if not flywheel.active:
        return PromotionStart(start=False, reason="the flywheel is not ACTIVE")
    pending = requests.pending_desire(published=pipeline.published, intake=pipeline.intake, flywheel=flywheel, now=now)
    if pending is not None:
        pipeline.intake.write_once(promotions.request_key(pending.id), pending)
    candidates = requests.open_requests(pipeline.intake)
    waiting = requests.waiting_promotion(pipeline.intake)
    if waiting is not None and waiting.beginning.request is not None:
        refused = _refuse_unfit(waiting, candidates, flywheel=flywheel, service=pipeline.service, now=now)
        ended = {end.request_id for end in refused}
        choice = requests.choose([request for request in candidates if request.id not in ended])
        return _beside(waiting, choice, pokes=pokes, refused=refused)
    if not candidates:
        return PromotionStart(start=False, reason="there is nothing to promote")
    unpublished = any(request.model_arn == flywheel.active_model_arn for request in candidates)
    if pokes == {Poke.ENDED} and not unpublished and _failed_last(pipeline.intake):
        return PromotionStart(start=False, reason="the last promotion failed or was stopped: the schedule looks again")
    return PromotionStart(start=True, reason=f"{len(candidates)} models are to be promoted")


def _refuse_unfit(
    waiting: requests.Waiting,
    candidates: Sequence[PromotionRequest],
    *,
    flywheel: FlywheelState,
    service: FlywheelService,
    now: datetime,
) -> tuple[Promotion, ...]:
    """A slip of the pen in `desired-model-arn` must not cost the candidate that waits."""
    refused = []
    for request in candidates:
        if request.source is PromotionSource.TURN or request == waiting.beginning.request:
            continue
        try:
            require_fit(request, flywheel=flywheel, service=service, now=now)
        except PromotionRefused as error:
            refused.append(requests.as_promotion(request, status=PromotionStatus.REFUSED, reason=str(error), at=now))
    return tuple(refused)


def _beside(
    waiting: requests.Waiting,
    choice: requests.Choice | None,
    *,
    pokes: frozenset[Poke],
    refused: tuple[Promotion, ...],
) -> PromotionStart:
    request = waiting.beginning.request
    if choice is not None and request in choice.superseded:
        return PromotionStart(
            start=False,
            reason="another model supersedes the one that waits for approval",
            supersede=waiting.wait,
            because=superseded_by(choice.chosen),
            refused=refused,
        )
    # The execution may have been killed before it asked: starting a running one changes nothing. But one that was
    # stopped a moment ago is about to be reported as stopped; the schedule sees to it if that is lost.
    start = pokes != {Poke.ENDED}
    return PromotionStart(start=start, reason="a promotion waits for approval", waiting=True, refused=refused)


def _failed_last(intake: IntakeBucket) -> bool:
    number = promotions.current_number(intake)
    if not number:
        return False
    record = intake.read(promotions.record_key(promotions.name_of(number)), Promotion)
    if record is None:
        beginning = requests.current_beginning(intake)
        # One that could not even begin leaves nothing; the end of one that was stopped is about to be reported.
        return beginning is None or beginning.request is not None
    return record.status is PromotionStatus.FAILED
