"""Records of wishes to make a model active, and of how they ended."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from flywheel.errors import NotCurrentPromotion
from flywheel.records.one_at_a_time import Series, Starter
from flywheel.store.record import Record

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

    from flywheel.store.bucket import IntakeBucket


class PromotionMode(StrEnum):
    """What becomes of a candidate that a turn decided to promote."""

    AUTOMATIC = "AUTOMATIC"
    APPROVAL = "APPROVAL"
    NEVER = "NEVER"


class PromotionSource(StrEnum):
    TURN = "turn"
    OPERATOR = "operator"
    PARAMETER = "parameter"
    """Somebody edited `desired-model-arn`."""
    SERVING = "serving"
    """The model that answers failed its smoke test out of a promotion."""


class PromotionRequest(Record):
    """A wish to make a model the active one. It is open until there is an end of it."""

    id: str
    source: PromotionSource
    model_arn: str
    flywheel_arn: str
    requested_at: datetime
    by: str
    reason: str
    decided_against: str | None = None
    """The flywheel's active model when this was wished for: it is refused if that has changed since."""
    turn: str | None = None
    iteration_id: str | None = None
    selection_metric: str | None = None
    score: float | None = None
    """The candidate's, from 0 to 1."""


class PromotionBeginning(Record):
    """What a promotion works on. Written once: a redriven one works on the same request."""

    promotion: str
    began_at: datetime
    request: PromotionRequest | None = None
    """None: no request was open any more."""
    former_model_arn: str | None = None
    approval: bool = False
    """A person has to agree."""
    desired_version: int | None = None
    """Of `desired-model-arn`: a later one is somebody's edit meanwhile. None: there was none."""
    superseded: tuple[str, ...] = ()
    """Ids of the requests that this one makes pointless, if its model can become active at all."""


class ApprovalWait(Record):
    """A promotion waits for a person: whoever may call SendTaskSuccess answers with the token."""

    task_token: str
    asked_at: datetime
    ends_at: datetime


class PromotionStatus(StrEnum):
    REQUESTED = "requested"
    WAITING = "waiting for approval"
    PROMOTED = "promoted"
    ALREADY_ACTIVE = "already active"
    REFUSED = "refused"
    DECLINED = "declined"
    NOT_ANSWERED = "not answered in time"
    SUPERSEDED = "superseded"
    LEFT_TO_PEOPLE = "left to people"
    """PromotionMode is NEVER."""
    SMOKE_TEST_FAILED = "smoke test failed"
    """The endpoint answered wrongly with the model: it was taken back."""
    FAILED = "failed"
    STOPPED = "stopped"

    @property
    def made_active(self) -> bool:
        return self in {PromotionStatus.PROMOTED, PromotionStatus.ALREADY_ACTIVE}


class Promotion(Record):
    """What became of a request, so far or in the end."""

    request_id: str
    source: PromotionSource
    model_arn: str
    former_model_arn: str | None = None
    status: PromotionStatus
    reason: str
    at: datetime
    by: str
    """Who asked for it."""
    turn: str | None = None
    iteration_id: str | None = None
    promotion: str | None = None
    """The execution; None if it needed none."""
    answered_by: str | None = None
    """Who approved or declined it, as they said."""
    warning: str | None = None
    """What Comprehend said about a model that is TRAINED_WITH_WARNING."""
    serving: str | None = None
    """What became of the endpoint; None where none is wanted."""


class PromotionFailures(Record):
    """The executions that failed at a request that is still open."""

    promotions: tuple[str, ...]
    last: Promotion


PROMOTIONS = Series(word="promotion", folder="promotions/", error=NotCurrentPromotion)


name_of = PROMOTIONS.name_of


number_of = PROMOTIONS.number_of


current_number = PROMOTIONS.current_number


require_current = PROMOTIONS.require_current


REQUESTS = "promotions/requests/"


ENDS = "promotions/ends/"


def begin_key(promotion: str) -> str:
    return f"{PROMOTIONS.folder_of(promotion)}begin.json"


def approval_key(promotion: str) -> str:
    return f"{PROMOTIONS.folder_of(promotion)}approval.json"


def record_key(promotion: str) -> str:
    """What became of the execution, also if its request is still open."""
    return f"{PROMOTIONS.folder_of(promotion)}promotion.json"


def request_key(request_id: str) -> str:
    return f"{REQUESTS}{request_id}.json"


def end_key(request_id: str) -> str:
    return f"{ENDS}{request_id}.json"


def failures_key(request_id: str) -> str:
    return f"promotions/failures/{request_id}.json"


def promotion_starter(*, intake: IntakeBucket, stepfunctions: SFNClient, machine_arn: str) -> Starter:
    def ended_at(promotion: str) -> datetime | None:
        record = intake.read(record_key(promotion), Promotion)
        return record.at if record else None

    return Starter(
        series=PROMOTIONS, ended_at=ended_at, intake=intake, stepfunctions=stepfunctions, machine_arn=machine_arn
    )
