"""Records of requests to promote a model, and of how they ended; and their keys."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from flywheel.faults.errors import NotCurrentPromotion
from flywheel.records.one_at_a_time import Series, Starter
from flywheel.store.record import Record

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

    from flywheel.store.bucket import IntakeBucket


PROMOTIONS = Series(word="promotion", folder="promotions/", error=NotCurrentPromotion)
name_of = PROMOTIONS.name_of
number_of = PROMOTIONS.number_of
current_number = PROMOTIONS.current_number
require_current = PROMOTIONS.require_current
REQUESTS = "promotions/requests/"
LEASE_KEY = "promotions/lease.json"
"""Held by whoever changes the active model."""
ENDS = "promotions/ends/"


class PromotionMode(StrEnum):
    """How a candidate is promoted that a turn decided to promote: at once, after a person's approval, or never."""

    AUTOMATIC = "AUTOMATIC"
    APPROVAL = "APPROVAL"
    NEVER = "NEVER"


class PromotionSource(StrEnum):
    TURN = "turn"
    OPERATOR = "operator"
    PARAMETER = "parameter"
    """Somebody edited `desired-model-arn`."""
    SERVING = "serving"
    """The served model failed a smoke test while no promotion ran."""
    DEPLOYMENT = "deployment"
    """It is active already: the flywheel was created with it, or a promotion that was stopped went on."""
    ANNOUNCEMENT = "announcement"
    """The account that trains told that it shares the model, or that it took another one back."""

    @property
    def automatic(self) -> bool:
        """No person asked: somebody has to approve where PromotionMode is APPROVAL, and other requests come first."""
        return self in {PromotionSource.TURN, PromotionSource.ANNOUNCEMENT}


class PromotionRequest(Record):
    """A request to make a model the active one. It is open until a Promotion is stored at its `end_key`."""

    id: str
    source: PromotionSource
    model_arn: str
    source_model_arn: str | None = None
    """The version of another deployment that `model_arn` is, or will be, imported from."""
    flywheel_arn: str | None = None
    """None in a deployment that imports models."""
    requested_at: datetime
    by: str
    reason: str
    decided_against: str | None = None
    """The flywheel's active model at the time of the request, which is refused if that has changed since."""
    turn: str | None = None
    iteration_id: str | None = None
    selection_metric: str | None = None
    score: float | None = None
    """The candidate's score in `selection_metric`, from 0 to 1."""


def request_key(request_id: str) -> str:
    return f"{REQUESTS}{request_id}.json"


class InitialModel(Record):
    """The existing model with which a flywheel was created. It is active, and still has to be published."""

    flywheel_arn: str
    model_arn: str
    created_at: datetime
    """When the flywheel was created."""

    @property
    def request_id(self) -> str:
        """Id of the promotion request. It has the time, because a deleted flywheel's name can be used again."""
        return f"initial-{self.flywheel_arn.rpartition('/')[2]}-{self.created_at:%Y%m%dT%H%M%SZ}"


def initial_key(flywheel_arn: str) -> str:
    return f"promotions/initial/{flywheel_arn.rpartition('/')[2]}.json"


class PromotionBeginning(Record):
    """The request that a promotion works on. Written once: a redriven promotion works on the same request."""

    promotion: str
    began_at: datetime
    request: PromotionRequest | None = None
    """None: no request was open."""
    former_model_arn: str | None = None
    approval: bool = False
    """A person has to agree."""
    desired_version: int | None = None
    """Version of `desired-model-arn` when the promotion began; a later version is an edit made since. None: the
    parameter did not exist."""
    superseded: tuple[str, ...] = ()
    """Ids of the requests that this one supersedes, once its model has passed `check_model`."""

    def works_on(self, request: PromotionRequest) -> bool:
        """`self.request` may differ from the stored one: what it was decided against is noted anew."""
        return self.request is not None and self.request.id == request.id


def begin_key(promotion: str) -> str:
    return f"{PROMOTIONS.folder_of(promotion)}begin.json"


class MadeActive(Record):
    """A request's model became active: from here on only somebody outside the pipeline can have put the former model
    back, or the pipeline itself, which deletes this first."""

    promotion: str
    at: datetime


def made_active_key(request_id: str) -> str:
    return f"promotions/made-active/{request_id}.json"


class ApprovalWait(Record):
    """A promotion that waits for a person's approval. SendTaskSuccess or SendTaskFailure with the token answers it."""

    task_token: str
    asked_at: datetime
    ends_at: datetime


def approval_key(promotion: str) -> str:
    return f"{PROMOTIONS.folder_of(promotion)}approval.json"


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
    """The endpoint answered wrongly with the model, and the former model was put back."""
    FAILED = "failed"
    STOPPED = "stopped"

    @property
    def made_active(self) -> bool:
        return self in {PromotionStatus.PROMOTED, PromotionStatus.ALREADY_ACTIVE}


class Promotion(Record):
    """The state of a request: how it ended, or how far it has come."""

    request_id: str
    source: PromotionSource
    model_arn: str
    source_model_arn: str | None = None
    """As in the request."""
    former_model_arn: str | None = None
    status: PromotionStatus
    reason: str
    at: datetime
    by: str
    """Who requested it."""
    turn: str | None = None
    iteration_id: str | None = None
    promotion: str | None = None
    """Name of the execution; None if the request ended without one."""
    answered_by: str | None = None
    """Who approved it, as they gave their name."""
    answer_reason: str | None = None
    """What they wrote, if anything. Why somebody declined it is the `reason`."""
    warning: str | None = None
    """What Comprehend said about a model that is TRAINED_WITH_WARNING."""
    serving: str | None = None
    """The state of the endpoint afterwards; None without an endpoint."""
    stays_active: bool = False
    """It failed its smoke test and is active all the same: no other model could be made active again."""

    @property
    def answer(self) -> str | None:
        """Who approved it, and why."""
        if not self.answered_by or not self.answer_reason:
            return self.answered_by
        return f"{self.answered_by} ({self.answer_reason})"


def record_key(promotion: str) -> str:
    """The result of the execution, also if its request is still open."""
    return f"{PROMOTIONS.folder_of(promotion)}promotion.json"


def end_key(request_id: str) -> str:
    return f"{ENDS}{request_id}.json"


def deleted_key(promotion: str) -> str:
    """Of the old models that the promotion deleted, in a deployment that imports models: a `DeletedModels`."""
    return f"{PROMOTIONS.folder_of(promotion)}deleted-models.json"


def page_key(promotion: str) -> str:
    """Of its page for people, in a deployment that imports models: a turn's page tells it elsewhere."""
    return f"{PROMOTIONS.folder_of(promotion)}index.html"


MOST_FAILURES = 3
"""Executions that may fail for one request before the request ends as failed."""


class PromotionFailures(Record):
    """The executions that failed to fulfil a request that is still open."""

    promotions: tuple[str, ...]
    last: Promotion


def failures_key(request_id: str) -> str:
    return f"promotions/failures/{request_id}.json"


def promotion_starter(*, intake: IntakeBucket, stepfunctions: SFNClient, machine_arn: str) -> Starter:
    def ended_at(promotion: str) -> datetime | None:
        record = intake.read(record_key(promotion), Promotion)
        return record.at if record else None

    return Starter(
        series=PROMOTIONS, ended_at=ended_at, intake=intake, stepfunctions=stepfunctions, machine_arn=machine_arn
    )
