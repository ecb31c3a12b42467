"""Whether a promotion should start, after any poke: looked up, never taken from the poke."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from flywheel import promotions
from flywheel.promoting import superseded_by
from flywheel.records import ApprovalWait, Promotion, PromotionStatus

if TYPE_CHECKING:
    from flywheel.comprehend import FlywheelService
    from flywheel.intake import IntakeBucket
    from flywheel.published import PublishedModels

SUPERSEDED = "Superseded"
"""The error with which a waiting promotion is told that another one takes its place."""


class Poke(StrEnum):
    REQUEST = "request"
    DESIRED = "desired model edited"
    ENDED = "promotion ended"
    SCHEDULE = "schedule"
    OPERATOR = "operator"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    start: bool
    reason: str
    supersede: ApprovalWait | None = None
    """Tell the promotion that waits with this token that it is superseded."""
    because: str = ""
    waiting: bool = False
    """A promotion waits for a person."""


def judge(
    *,
    pokes: frozenset[Poke],
    intake: IntakeBucket,
    service: FlywheelService,
    published: PublishedModels,
) -> Verdict:
    """Note an edit of `desired-model-arn` as a request, then say what is to be done about the open ones."""
    flywheel = service.describe()
    if not flywheel.active:
        return Verdict(start=False, reason="the flywheel is not ACTIVE")
    pending = promotions.pending_desire(published=published, intake=intake, flywheel=flywheel)
    if pending is not None:
        intake.write_once(promotions.request_key(pending.id), pending)
    requests = promotions.open_requests(intake)
    waiting = promotions.waiting_promotion(intake)
    if waiting is not None and waiting.beginning.request is not None:
        return _beside(waiting, promotions.choose(requests))
    if not requests:
        return Verdict(start=False, reason="there is nothing to promote")
    unpublished = any(request.model_arn == flywheel.active_model_arn for request in requests)
    if pokes == {Poke.ENDED} and not unpublished and _failed_last(intake):
        return Verdict(start=False, reason="the last promotion failed: the schedule tries again")
    return Verdict(start=True, reason=f"{len(requests)} models are to be promoted")


def _beside(waiting: promotions.Waiting, choice: promotions.Choice | None) -> Verdict:
    request = waiting.beginning.request
    if choice is not None and request in choice.superseded:
        return Verdict(
            start=False,
            reason="another model supersedes the one that waits for approval",
            supersede=waiting.wait,
            because=superseded_by(choice.chosen),
        )
    # The execution may have been stopped, or killed before it asked: starting a running one changes nothing.
    return Verdict(start=True, reason="a promotion waits for approval", waiting=True)


def _failed_last(intake: IntakeBucket) -> bool:
    number = promotions.current_number(intake)
    if not number:
        return False
    record = intake.read(promotions.record_key(promotions.name_of(number)), Promotion)
    if record is None:
        # One that could not even begin leaves nothing.
        return promotions.current_beginning(intake) is None
    return record.status is PromotionStatus.FAILED
