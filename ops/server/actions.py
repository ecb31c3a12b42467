"""The console's changes, each asked twice: what is wanted gets a sentence and a value, and the value does exactly that.

The value works once, for CONFIRM_SECONDS, and is known to nobody but the page that asked.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from ops.deployment.errors import OperatorError
from ops.deployment.published import AnyDeployment, Deployment, require_flywheel
from ops.server.answers import Refused
from ops.tables.pause import pause_sentence, resume_sentence
from ops.tables.promotions import answered_sentence, rollback_sentence
from ops.verbs import pause as pauses
from ops.verbs.approve import approve, asked_for_answer, decline
from ops.verbs.models import version_name
from ops.verbs.rollback import find_model, former_model, rollback
from ops.verbs.turns import request_turn

CONFIRM_SECONDS = 120
_MOST_WAITING = 100
"""Values that nobody used: the oldest is forgotten."""


class What(StrEnum):
    APPROVE = "approve"
    DECLINE = "decline"
    ROLL_BACK = "roll-back"
    PAUSE = "pause"
    RESUME = "resume"
    TURN = "turn"


class Wanted(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    action: What
    target: str | None = Field(None, max_length=300)
    """A turn or promotion to answer; a model to roll back to, by default the one before."""
    reason: str = Field("", max_length=1000)


@dataclass(frozen=True)
class _Prepared:
    sentence: str
    do: Callable[[], str]
    """Does it, and gives a sentence that says what was done."""


class Actions:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: dict[str, tuple[float, _Prepared]] = {}

    def ask(self, deployment: AnyDeployment, wanted: Wanted) -> dict[str, Any]:
        """Says what would happen. Changes nothing. Raises Refused and the verbs' errors."""
        prepared = _prepare(deployment, wanted)
        value = secrets.token_urlsafe(24)
        with self._lock:
            self._waiting[value] = (self._clock() + CONFIRM_SECONDS, prepared)
            while len(self._waiting) > _MOST_WAITING:
                del self._waiting[next(iter(self._waiting))]
        return {"confirm": value, "sentence": prepared.sentence, "seconds": CONFIRM_SECONDS}

    def confirm(self, value: str) -> dict[str, str]:
        with self._lock:
            until, prepared = self._waiting.pop(value, (0.0, None))
        if prepared is None or self._clock() >= until:
            raise Refused(
                409, "NOT_CONFIRMED", "This was confirmed already, or too late: nothing was done now. Ask again."
            )
        return {"said": prepared.do()}


def _prepare(deployment: AnyDeployment, wanted: Wanted) -> _Prepared:
    match wanted.action:
        case What.APPROVE | What.DECLINE:
            return _answer(deployment, wanted)
        case What.ROLL_BACK:
            return _roll_back(deployment, wanted)
        case What.PAUSE:
            return _pause(require_flywheel(deployment), wanted)
        case What.RESUME:
            return _resume(require_flywheel(deployment))
        case What.TURN:
            return _turn(require_flywheel(deployment))


def _answer(deployment: AnyDeployment, wanted: Wanted) -> _Prepared:
    if wanted.target is None:
        raise Refused(400, "INVALID_REQUEST", "Say which promotion.")
    asked = asked_for_answer(deployment, wanted.target)
    promotion, model = asked.waiting.beginning.promotion, version_name(asked.request.model_arn)
    former = asked.waiting.beginning.former_model_arn
    if wanted.action is What.APPROVE:
        instead = f" in place of {version_name(former)}" if former else ""
        return _Prepared(
            f"{model} becomes the active model of {deployment.name} in {deployment.region}{instead}. An endpoint moves "
            "to it.",
            lambda: answered_sentence(approve(deployment, promotion, reason=wanted.reason)),
        )
    if not wanted.reason.strip():
        raise Refused(400, "REASON_MISSING", "Say why it is declined: the record of the promotion keeps it.")
    stays = f"{version_name(former)} stays active" if former else "No model becomes active"
    return _Prepared(
        f"{model} does not become the active model of {deployment.name} in {deployment.region}. {stays}.",
        lambda: answered_sentence(decline(deployment, promotion, reason=wanted.reason)),
    )


def _roll_back(deployment: AnyDeployment, wanted: Wanted) -> _Prepared:
    active = deployment.service.describe().active_model_arn
    arn = find_model(deployment, wanted.target) if wanted.target else former_model(deployment, active)
    if arn == active:
        raise OperatorError(f"{version_name(arn)} is the active model already.")
    instead = f" in place of {version_name(active)}" if active else ""
    return _Prepared(
        f"{version_name(arn)} becomes the active model of {deployment.name} in {deployment.region}{instead}. Nobody is "
        "asked for approval, and what waits for approval is ended.",
        lambda: rollback_sentence(rollback(deployment, to=arn, reason=wanted.reason)),
    )


def _pause(deployment: Deployment, wanted: Wanted) -> _Prepared:
    return _Prepared(
        f"No turn of {deployment.name} in {deployment.region} starts until it is resumed. One that runs goes on to its "
        "end, and promotions go on.",
        lambda: pause_sentence(pauses.pause(deployment, reason=wanted.reason)),
    )


def _resume(deployment: Deployment) -> _Prepared:
    return _Prepared(
        f"Turns of {deployment.name} in {deployment.region} start again, one at once if something is due. That may "
        "train a model, which costs money.",
        lambda: resume_sentence(pauses.resume(deployment)),
    )


def _turn(deployment: Deployment) -> _Prepared:
    def start() -> str:
        request_turn(deployment)
        return "A turn is asked for. It begins in a few seconds, or when the one that runs has ended."

    return _Prepared(
        f"A turn of {deployment.name} in {deployment.region} starts now, whatever the quiet period says. If something "
        "is new it trains a model, which costs money.",
        start,
    )
