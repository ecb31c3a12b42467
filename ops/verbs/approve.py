"""A person's answer to a promotion that waits for approval: given to the task that waits, with its token."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

from flywheel.promotions import requests
from flywheel.promotions.ask_for_approval import DECLINED
from flywheel.promotions.requests import WaitingPromotion
from flywheel.records.promotions import Promotion, PromotionBeginning, PromotionRequest, PromotionStatus
from flywheel.report.history import moment
from flywheel.store.record import Record
from flywheel.text.byte_limits import LONGEST_SENTENCE, within
from ops.deployment.errors import AnsweredError, NotAskedError, PromotionEndedError
from ops.deployment.published import AnyDeployment
from ops.verbs.promotions import failures_of, find_request

_WORDS = {
    PromotionStatus.PROMOTED: "was promoted",
    PromotionStatus.ALREADY_ACTIVE: "was active already",
    PromotionStatus.REFUSED: "was refused",
    PromotionStatus.DECLINED: "was declined",
    PromotionStatus.NOT_ANSWERED: "was not answered in time",
    PromotionStatus.SUPERSEDED: "was superseded",
    PromotionStatus.LEFT_TO_PEOPLE: "was left to people",
    PromotionStatus.SMOKE_TEST_FAILED: "failed the smoke test and was taken back",
    PromotionStatus.FAILED: "could not be promoted",
    PromotionStatus.STOPPED: "was stopped",
}


class Answer(StrEnum):
    APPROVED = "approved"
    DECLINED = "declined"


class Answered(Record):
    answer: Answer
    by: str
    reason: str = ""
    whose: str
    """The turn that asked, or whoever else did."""
    promotion: Promotion
    """As it stood before the answer; with --wait how it ended."""
    failures: int = 0
    """Executions that had failed at it before."""


def approve(deployment: AnyDeployment, asked: str, *, reason: str = "") -> Answered:
    """`asked` is a turn (name or number) or a promotion (name).

    Raises the errors of `find_request`, NotAskedError, PromotionEndedError, AnsweredError.
    """
    return _answer(deployment, find_request(deployment, asked), Answer.APPROVED, reason)


def decline(deployment: AnyDeployment, asked: str, *, reason: str) -> Answered:
    """As `approve`; the former model stays active."""
    return _answer(deployment, find_request(deployment, asked), Answer.DECLINED, reason)


def decline_whatever_waits(deployment: AnyDeployment, *, reason: str) -> None:
    """Decline the promotion that waits, if one does. Somebody else may answer it first: then nothing is left to do."""
    waiting = requests.waiting_promotion(deployment.intake)
    if waiting is not None and waiting.beginning.request is not None:
        with suppress(AnsweredError, PromotionEndedError, NotAskedError):
            _answer(deployment, waiting.beginning.request, Answer.DECLINED, reason)


@dataclass(frozen=True)
class Asked:
    """A promotion that waits for a person's answer."""

    request: PromotionRequest
    waiting: WaitingPromotion
    now: Promotion


def asked_for_answer(deployment: AnyDeployment, asked: str) -> Asked:
    """What `approve` and `decline` would answer. Raises their errors, but AnsweredError."""
    return _asked(deployment, find_request(deployment, asked))


def _asked(deployment: AnyDeployment, request: PromotionRequest) -> Asked:
    intake = deployment.intake
    waiting = requests.waiting_promotion(intake)
    now = requests.promotion_of(request.id, intake=intake)
    if now is None:
        raise NotAskedError(f"The request {request.id} is not in the intake bucket any more: nobody works on it.")
    if waiting is None or now.status is not PromotionStatus.WAITING or not waiting.beginning.works_on(request):
        raise _not_waiting(request, now, requests.current_beginning(intake))
    return Asked(request=request, waiting=waiting, now=now)


def _answer(deployment: AnyDeployment, request: PromotionRequest, answer: Answer, reason: str) -> Answered:
    asked = _asked(deployment, request)
    answered = Answered(
        answer=answer,
        by=deployment.clients.caller(),
        reason=reason,
        whose=whose(request),
        promotion=asked.now.model_copy(update={"promotion": asked.waiting.beginning.promotion}),
        failures=failures_of(deployment, request.id),
    )
    _send(deployment, asked.waiting, answered)
    return answered


def _send(deployment: AnyDeployment, waiting: WaitingPromotion, answered: Answered) -> None:
    """SendTaskSuccess takes 262,144 bytes of output, SendTaskFailure 32,768 characters of cause."""
    stepfunctions, token = deployment.clients.stepfunctions, waiting.wait.task_token
    by, reason = answered.by, within(answered.reason, LONGEST_SENTENCE)
    try:
        if answered.answer is Answer.APPROVED:
            stepfunctions.send_task_success(taskToken=token, output=json.dumps({"by": by, "reason": reason}))
        else:
            stepfunctions.send_task_failure(taskToken=token, error=DECLINED, cause=f"{reason} ({by})")
    except (
        stepfunctions.exceptions.TaskTimedOut,
        stepfunctions.exceptions.TaskDoesNotExist,
        stepfunctions.exceptions.InvalidToken,
    ) as error:
        raise AnsweredError(whose=answered.whose) from error


def _not_waiting(
    request: PromotionRequest, now: Promotion, current: PromotionBeginning | None
) -> NotAskedError | PromotionEndedError:
    if now.status not in {PromotionStatus.REQUESTED, PromotionStatus.WAITING}:
        return PromotionEndedError(ended_sentence(now))
    if current is None or not current.works_on(request):
        return NotAskedError(
            f"The promotion of {whose(request)} has not begun: another one goes first, or it is about to begin. "
            "`flywheel status` shows it."
        )
    if current.approval:
        return NotAskedError(
            f"{current.promotion} has not asked for approval yet: `flywheel status` shows when it does."
        )
    return NotAskedError(f"{current.promotion} needs no approval: `flywheel status` shows how it goes on.")


def whose(request: PromotionRequest | Promotion) -> str:
    return request.turn or request.by


def ended_sentence(promotion: Promotion) -> str:
    """When, by whom and why a promotion does not wait any more, and what can still be done."""
    by = f", approved by {promotion.answer}" if promotion.answer else ""
    at = moment(promotion.at)
    ended = f"The model of {whose(promotion)} {_WORDS[promotion.status]} at {at}{by}: {promotion.reason}"
    if promotion.status.made_active or promotion.status is PromotionStatus.FAILED:
        return ended
    return f"{ended} `flywheel rollback --to {promotion.turn or promotion.model_arn}` promotes it all the same."
