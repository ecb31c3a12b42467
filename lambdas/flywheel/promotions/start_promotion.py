"""Decides whether a promotion should start. A message only makes it look; all facts are read from the records."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from flywheel.faults.errors import PromotionRefused
from flywheel.promotions import requests
from flywheel.promotions.check_model import require_fit
from flywheel.records.promotions import (
    MOST_FAILURES,
    ApprovalWait,
    Promotion,
    PromotionBeginning,
    PromotionFailures,
    PromotionRequest,
    PromotionStatus,
    begin_key,
    current_number,
    failures_key,
    name_of,
    record_key,
    request_key,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from flywheel.comprehend.active_model import ActiveModelService, ActiveModelState
    from flywheel.pipeline import Pipeline
    from flywheel.store.bucket import IntakeBucket

SUPERSEDED = "Superseded"
"""The error of the SendTaskFailure that ends a promotion's wait for approval because another supersedes it."""


class Poke(StrEnum):
    """Why start_promotion was invoked."""

    REQUEST = "request"
    DESIRED = "desired model edited"
    CREATED = "flywheel created"
    ENDED = "promotion ended"
    SCHEDULE = "schedule"
    OPERATOR = "operator"


@dataclass(frozen=True, kw_only=True)
class PromotionStart:
    start: bool
    reason: str
    supersede: ApprovalWait | None = None
    """The wait for approval to end, because another request supersedes it."""
    because: str = ""
    """The reason to end it with."""
    waiting: bool = False
    """A promotion waits for approval."""
    refused: tuple[Promotion, ...] = ()
    """Ends to write for requests whose model cannot become active: they must not supersede a waiting promotion."""


def decide(
    *,
    pokes: frozenset[Poke],
    now: datetime,
    pipeline: Pipeline,
) -> PromotionStart:
    """Write an edit of `desired-model-arn`, and the model of a new flywheel, down as requests, then decide about the
    open requests."""
    flywheel = pipeline.service.describe()
    if not flywheel.active:
        return PromotionStart(start=False, reason="the flywheel is not ACTIVE")
    initial = requests.request_of_initial_model(intake=pipeline.intake, flywheel=flywheel)
    unpublished = requests.request_of_unpublished_import(
        published=pipeline.published, intake=pipeline.intake, service=pipeline.service, now=now
    )
    for request in (initial, unpublished):
        if request is not None:
            pipeline.intake.write_once(request_key(request.id), request)
    pending = requests.request_of_parameter_edit(
        published=pipeline.published, intake=pipeline.intake, flywheel=flywheel, now=now
    )
    if pending is not None:
        pipeline.intake.write_once(request_key(pending.id), pending)
    candidates = requests.open_requests(pipeline.intake)
    waiting = requests.waiting_promotion(pipeline.intake)
    if waiting is not None and (end := requests.end_of(waiting, intake=pipeline.intake)) is not None:
        # An imported model was withdrawn by its source while it waited.
        return PromotionStart(
            start=False, reason="what waits for approval has ended", supersede=waiting.wait, because=end.reason
        )
    if waiting is not None and waiting.beginning.request is not None:
        refused = _refuse_unfit(waiting, candidates, flywheel=flywheel, service=pipeline.service, now=now)
        ended = {end.request_id for end in refused}
        choice = requests.choose([request for request in candidates if request.id not in ended])
        return _while_one_waits(waiting, choice, pokes=pokes, refused=refused)
    if not candidates:
        return PromotionStart(start=False, reason="there is nothing to promote")
    active = [request for request in candidates if request.model_arn == flywheel.active_model_arn]
    if pokes == {Poke.ENDED} and (_failed_often(active, pipeline.intake) if active else _failed_last(pipeline.intake)):
        return PromotionStart(start=False, reason="the last promotion failed or was stopped: the schedule looks again")
    # A promotion that publishes its model again edits the parameter, too.
    if pokes <= {Poke.ENDED, Poke.DESIRED} and _none_is_reported(pipeline.intake):
        lost = f"the last {MOST_FAILURES} promotions could not report their end"
        return PromotionStart(start=False, reason=f"{lost}: the schedule looks again")
    return PromotionStart(start=True, reason=f"{len(candidates)} models are to be promoted")


def _refuse_unfit(
    waiting: requests.WaitingPromotion,
    candidates: Sequence[PromotionRequest],
    *,
    flywheel: ActiveModelState,
    service: ActiveModelService,
    now: datetime,
) -> tuple[Promotion, ...]:
    """Ends of people's requests for models that cannot become active, such as a typing error in `desired-model-arn`.
    Whether a model can that is still to be imported shows when it is there."""
    refused = []
    for request in candidates:
        if request.source.automatic or request.source_model_arn or waiting.beginning.works_on(request):
            continue
        try:
            require_fit(request, flywheel=flywheel, service=service, now=now)
        except PromotionRefused as error:
            refused.append(requests.as_promotion(request, status=PromotionStatus.REFUSED, reason=str(error), at=now))
    return tuple(refused)


def _while_one_waits(
    waiting: requests.WaitingPromotion,
    choice: requests.Choice | None,
    *,
    pokes: frozenset[Poke],
    refused: tuple[Promotion, ...],
) -> PromotionStart:
    if choice is not None and any(waiting.beginning.works_on(older) for older in choice.superseded):
        return PromotionStart(
            start=False,
            reason="another model supersedes the one that waits for approval",
            supersede=waiting.wait,
            because=requests.superseded_by(choice.chosen),
            refused=refused,
        )
    # Start it anyway: the execution may have been stopped, and starting a running one changes nothing. But right after
    # an execution ended, its report is still to come. If the report gets lost, the schedule starts the promotion.
    start = pokes != {Poke.ENDED}
    return PromotionStart(start=start, reason="a promotion waits for approval", waiting=True, refused=refused)


def _failed_often(requested: Sequence[PromotionRequest], intake: IntakeBucket) -> bool:
    """What is active is published at once, or put back, but not tried every few seconds."""
    keys = [failures_key(request.id) for request in requested]
    return any(len(found.promotions) >= MOST_FAILURES for found in intake.read_all(keys, PromotionFailures))


def _failed_last(intake: IntakeBucket) -> bool:
    number = current_number(intake)
    if not number:
        return False
    record = intake.read(record_key(name_of(number)), Promotion)
    return _lacks_report(number, intake) if record is None else record.status is PromotionStatus.FAILED


def _none_is_reported(intake: IntakeBucket) -> bool:
    """Whether the last executions left no trace by which their failures are counted, such as when the function that
    reports them may not write: the end of each would start the next one, forever."""
    number = current_number(intake)
    return number >= MOST_FAILURES and all(_lacks_report(number - back, intake) for back in range(MOST_FAILURES))


def _lacks_report(number: int, intake: IntakeBucket) -> bool:
    """Whether it had something to promote, and the report of its end got lost or is still to come."""
    if intake.exists(record_key(name_of(number))):
        return False
    # One that failed before it began has no beginning.
    beginning = intake.read(begin_key(name_of(number)), PromotionBeginning)
    return beginning is None or beginning.request is not None
