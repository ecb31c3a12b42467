"""Gathers what the gate compares, and writes its decision once for each iteration."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from flywheel import turns
from flywheel.gate import Bar, judge
from flywheel.generations import is_of_another_flywheel
from flywheel.records import Decision, Metrics, ModelScore
from flywheel.scores import known_score
from flywheel.undecided import decision_key

if TYPE_CHECKING:
    from flywheel.comprehend import FlywheelService, Iteration
    from flywheel.intake import IntakeBucket
    from flywheel.published import PublishedModels


def decide(
    *,
    turn: str,
    iteration_id: str,
    intake: IntakeBucket,
    service: FlywheelService,
    published: PublishedModels,
    bar: Bar,
    now: datetime,
) -> Decision:
    """The decision of a COMPLETED iteration; what was decided once stays. Raises NotCurrentTurn."""
    turns.require_current(intake, turn)
    key = decision_key(iteration_id)
    decided = intake.read(key, Decision)
    if decided is not None:
        return decided
    iteration = service.iteration(iteration_id)
    active_now = service.describe().active_model_arn
    serving = published.active()
    # A former generation's model serves until it is beaten, even if the service makes the first of this one active.
    former = is_of_another_flywheel(serving, intake=intake, flywheel_arn=service.arn)
    active = _active_score(iteration, serving if former else active_now or serving, intake, service)
    judgement = judge(candidate=iteration.trained, active=active, bar=bar)
    decision = Decision(
        iteration_id=iteration_id,
        flywheel_arn=service.arn,
        turn=turn,
        decided_at=now,
        decision=judgement.decision,
        reasons=judgement.reasons,
        selection_metric=bar.selection_metric,
        candidate=iteration.trained,
        active=active,
        decided_against=active_now,
    )
    return decision if intake.write_once(key, decision) else intake.require(key, Decision)


def _active_score(
    iteration: Iteration, active_arn: str | None, intake: IntakeBucket, service: FlywheelService
) -> ModelScore | None:
    """The active model with the best evidence there is: this iteration, the one that trained it, its training, none."""
    if active_arn is None:
        return None
    if iteration.trained is not None and iteration.trained.arn == active_arn:
        return iteration.trained
    evaluated = iteration.evaluated
    if evaluated is not None and evaluated.arn == active_arn and evaluated.metrics != Metrics():
        return evaluated
    return known_score(intake=intake, service=service, model_arn=active_arn)
