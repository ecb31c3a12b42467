"""Starts a job in which one model predicts the hold-out."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from flywheel.decisions.holdout import read_holdout
from flywheel.decisions.holdout_answers import HoldoutAnswers
from flywheel.records.holdouts import IterationHoldout, iteration_holdout_key
from flywheel.records.turns import require_current

if TYPE_CHECKING:
    from flywheel.comprehend.flywheel import FlywheelService
    from flywheel.store.bucket import IntakeBucket


def predict_holdout(
    *,
    turn: str,
    iteration_id: str,
    model_arn: str,
    intake: IntakeBucket,
    service: FlywheelService,
    now: datetime,
) -> str | None:
    """Id of the job to wait for; None if there is none. Raises NotCurrentTurn, ServiceBusy and UnknownRecord."""
    require_current(intake, turn)
    holdout = read_holdout(intake, intake.require(iteration_holdout_key(iteration_id), IterationHoldout))
    if holdout is None:
        return None
    answers = HoldoutAnswers(intake=intake, service=service, holdout=holdout)
    return answers.start_job(iteration_id=iteration_id, model_arn=model_arn, now=now)
