"""What promotions are under way: for people, and for whoever waits until nothing runs."""

from __future__ import annotations

from datetime import datetime

from flywheel.promotions import requests
from flywheel.records.promotions import Promotion, PromotionStatus
from flywheel.store.record import Record
from ops.deployment import Deployment
from ops.turn_progress import current_step

ASKING = "AskForApproval"
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
    """What became of this wish; None before it is noticed."""


def promotions_now(deployment: Deployment) -> Promotions:
    intake = deployment.intake
    found = (requests.promotion_of(request.id, intake=intake) for request in requests.open_requests(intake))
    waiting = requests.waiting_promotion(intake)
    running = running_promotion(deployment)
    step = current_step(deployment, execution_arn(deployment, running)) if running else None
    number = requests.current_number(intake)
    last = intake.read(requests.record_key(requests.name_of(number)), Promotion) if number else None
    ended_badly = last is not None and last.status in _FAILED and intake.exists(requests.end_key(last.request_id))
    return Promotions(
        open=tuple(promotion for promotion in found if promotion is not None),
        waits_until=waiting.wait.ends_at if waiting and step == ASKING else None,
        running=running,
        step=step,
        failed=last if ended_badly else None,
    )


def another_desired(deployment: Deployment, *, active: str | None) -> DesiredModel | None:
    """The desired model if it is not `active`."""
    desired = deployment.models.desired()
    if desired is None or desired.arn == active:
        return None
    promotion = requests.promotion_of(desired.request_id, intake=deployment.intake)
    return DesiredModel(arn=desired.arn, at=desired.at, promotion=promotion)


def running_promotion(deployment: Deployment) -> str | None:
    """The name of the current promotion if its execution runs, also while it waits for a person."""
    number = requests.current_number(deployment.intake)
    if not number:
        return None
    name = requests.name_of(number)
    stepfunctions = deployment.clients.stepfunctions
    try:
        execution = stepfunctions.describe_execution(executionArn=execution_arn(deployment, name))
    except stepfunctions.exceptions.ExecutionDoesNotExist:
        return None
    return name if execution["status"] in {"RUNNING", "PENDING_REDRIVE"} else None


def execution_arn(deployment: Deployment, promotion: str) -> str:
    machine = deployment.published.promotion_machine_arn
    return f"{machine.replace(':stateMachine:', ':execution:', 1)}:{promotion}"
