"""Makes the hold-out of an iteration, if a decision on it needs one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flywheel.decisions.compared_models import find_compared_models
from flywheel.decisions.holdout import HoldoutFreezer
from flywheel.decisions.holdout_answers import HoldoutAnswers
from flywheel.records.decisions import decision_key
from flywheel.records.turns import require_current

if TYPE_CHECKING:
    from flywheel.pipeline import FlywheelPipeline


def prepare_holdout(
    *, turn: str, iteration_id: str, freezer: HoldoutFreezer, pipeline: FlywheelPipeline
) -> tuple[str, ...]:
    """The models that have to predict the hold-out before the decision.

    Empty if the iteration is decided, trained no model, or has no hold-out. Raises NotCurrentTurn and SampleTooSmall.
    """
    intake, service = pipeline.intake, pipeline.service
    require_current(intake, turn)
    if intake.exists(decision_key(iteration_id)):
        return ()
    models = find_compared_models(service.iteration(iteration_id), pipeline=pipeline)
    if not models.arns:
        return ()
    holdout = freezer.freeze(iteration_id)
    if holdout is None:
        return ()
    return HoldoutAnswers(intake=intake, service=service, holdout=holdout).lacking(models.arns)
