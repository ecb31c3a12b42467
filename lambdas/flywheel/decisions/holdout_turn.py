"""What a turn does about the hold-out between its iteration and its decision."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from flywheel.decisions.compared_models import find_contenders
from flywheel.decisions.predict_holdout import HoldoutPredictions
from flywheel.decisions.prepare_holdout import HoldoutFreezer, IterationHoldout, iteration_holdout_key, read_holdout
from flywheel.decisions.unfinished import decision_key
from flywheel.records.turn_folders import require_current

if TYPE_CHECKING:
    from flywheel.comprehend.flywheel import FlywheelService
    from flywheel.store.bucket import IntakeBucket
    from flywheel.store.parameters import PublishedModels


def models_to_ask(
    *, turn: str, iteration_id: str, freezer: HoldoutFreezer, published: PublishedModels
) -> tuple[str, ...]:
    """The models that a decision compares and that have not answered the iteration's hold-out.

    None if it is decided, trained no model, or has no hold-out. Raises NotCurrentTurn and SampleTooSmall.
    """
    intake, service = freezer.intake, freezer.service
    require_current(intake, turn)
    if intake.exists(decision_key(iteration_id)):
        return ()
    contenders = find_contenders(service.iteration(iteration_id), intake=intake, service=service, published=published)
    if not contenders.to_ask:
        return ()
    holdout = freezer.freeze(iteration_id)
    if holdout is None:
        return ()
    return HoldoutPredictions(intake=intake, service=service, holdout=holdout).lacking(contenders.to_ask)


def ask_model(
    *,
    turn: str,
    iteration_id: str,
    model_arn: str,
    intake: IntakeBucket,
    service: FlywheelService,
    now: datetime,
) -> str | None:
    """The job to wait for; None if there is none. Raises NotCurrentTurn, ServiceBusy and UnknownRecord."""
    require_current(intake, turn)
    holdout = read_holdout(intake, intake.require(iteration_holdout_key(iteration_id), IterationHoldout))
    if holdout is None:
        return None
    predictions = HoldoutPredictions(intake=intake, service=service, holdout=holdout)
    return predictions.ask(iteration_id=iteration_id, model_arn=model_arn, now=now)
