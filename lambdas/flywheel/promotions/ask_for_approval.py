"""Asks people to approve a promotion, with the comparison of the models and the commands that answer."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from flywheel.promotions.requests import request_of, require_open
from flywheel.records import turns
from flywheel.records.decisions import Decision, decision_key
from flywheel.records.imports import origin_of
from flywheel.records.promotions import (
    ApprovalWait,
    PromotionBeginning,
    PromotionRequest,
    approval_key,
    begin_key,
    require_current,
)
from flywheel.records.serving import smoke_test_of
from flywheel.text import notification

if TYPE_CHECKING:
    from flywheel.store.bucket import IntakeBucket

DECLINED = "Declined"
"""The error of the SendTaskFailure with which a person declines; its cause is the reason."""


def ask_for_approval(
    *, promotion: str, task_token: str, patience: timedelta, intake: IntakeBucket, now: datetime
) -> PromotionBeginning:
    """Store the task token, which `flywheel approve` reads. Raises NotCurrentPromotion and PromotionRefused.

    A repeated call with the same token changes nothing. A redriven execution has a new token.
    """
    require_current(intake, promotion)
    beginning = intake.require(begin_key(promotion), PromotionBeginning)
    require_open(request_of(beginning), intake=intake)
    key = approval_key(promotion)
    known = intake.read(key, ApprovalWait)
    if known is None or known.task_token != task_token:
        intake.write(key, ApprovalWait(task_token=task_token, asked_at=now, ends_at=now + patience))
    return beginning


def subject(beginning: PromotionBeginning, *, flywheel_name: str) -> str:
    who = beginning.request.turn if beginning.request else None
    return notification.subject(f"{flywheel_name} {who or beginning.promotion}: a promotion waits for approval")


def message(
    beginning: PromotionBeginning,
    *,
    intake: IntakeBucket,
    flywheel_name: str,
) -> str:
    """The notification in plain text."""
    request = request_of(beginning)
    wait = intake.require(approval_key(beginning.promotion), ApprovalWait)
    turn = request.turn or beginning.promotion
    address = f"s3://{intake.name}/{approval_key(beginning.promotion)}"
    success = f"aws stepfunctions send-task-success --task-output '{json.dumps({'by': 'your name'})}'"
    failure = f"aws stepfunctions send-task-failure --error {DECLINED} --cause 'the reason'"
    token = f'"$(aws s3 cp {address} - | python3 -c \'import json, sys; print(json.load(sys.stdin)["task_token"])\')"'
    return notification.message(
        [
            f"{turn} wants to promote a model. It waits until {wait.ends_at:%Y-%m-%d %H:%M} UTC.",
            *_comparison(request, intake),
        ],
        closing=[
            f"Yes: flywheel --name {flywheel_name} approve {turn}",
            f"No:  flywheel --name {flywheel_name} decline {turn} --reason '...'",
            f"The whole report: flywheel --name {flywheel_name} report {turn}",
            *([f"or download s3://{intake.name}/{turns.page_key(request.turn)} and open it."] if request.turn else []),
            "",
            "The same with the AWS CLI:",
            f"{success} --task-token {token}",
            f"{failure} --task-token {token}",
        ],
    )


def _comparison(request: PromotionRequest, intake: IntakeBucket) -> list[str]:
    if request.source_model_arn is not None:
        return _imported(request, intake)
    decision = intake.read(decision_key(request.iteration_id), Decision) if request.iteration_id else None
    if decision is None:
        return [f"Model {request.model_arn}: {request.reason}"]
    lines = list(decision.reasons)
    for which, model in (("Active", decision.active), ("Candidate", decision.candidate)):
        if model is not None:
            lines.append(f"{which} model {model.arn}: {model.metrics.sentence or 'no scores'}")
    return lines


def _imported(request: PromotionRequest, intake: IntakeBucket) -> list[str]:
    """Of a model that another deployment trained: nothing here compares it, but its source has."""
    lines = [
        f"Model {request.model_arn}: {request.reason}",
        f"Imported from {request.source_model_arn}",
    ]
    origin = origin_of(request.model_arn, intake=intake)
    if origin is not None and (scores := origin.score.metrics.sentence):
        lines.append(f"Its scores there ({origin.source}): {scores}")
    tested = smoke_test_of(request.model_arn, intake=intake)
    lines.append(f"Here: {tested.sentence}" if tested else "Here: no smoke test is wanted (SmokeTestKey).")
    return lines
