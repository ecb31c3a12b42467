"""What is known of a model's quality when no iteration has just scored it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flywheel.records.decisions import Decision, DecisionKind, Metrics, ModelScore

if TYPE_CHECKING:
    from flywheel.comprehend.flywheel import FlywheelService
    from flywheel.store.bucket import IntakeBucket


def known_score(*, intake: IntakeBucket, service: FlywheelService, model_arn: str) -> ModelScore:
    """The metrics from the iteration that trained `model_arn`, else those of the model's own training, else none.

    The iteration's come first: they are what its successors' are compared with.
    """
    return score_by(decision_on(model_arn, intake=intake), service=service, model_arn=model_arn)


def score_by(decision: Decision | None, *, service: FlywheelService, model_arn: str) -> ModelScore:
    """As `known_score`, where the decision on the iteration that trained the model is known."""
    if decision is not None and decision.candidate is not None and decision.candidate.metrics != Metrics():
        return decision.candidate.model_copy(update={"source": f"iteration {decision.iteration_id}"})
    return service.models.score(model_arn) or ModelScore(
        arn=model_arn, metrics=Metrics(), source="no score is recorded"
    )


def decision_on(model_arn: str, *, intake: IntakeBucket) -> Decision | None:
    """The decision on the iteration that trained the model; None if it comes from elsewhere."""
    for key in sorted(intake.keys("decisions/"), reverse=True):
        decision = intake.read(key, Decision)
        if decision is not None and decision.candidate is not None and decision.candidate.arn == model_arn:
            return decision
    return None


def is_of_another_flywheel(model_arn: str | None, *, intake: IntakeBucket, flywheel_arn: str) -> bool:
    """Whether the pipeline trained the model in another generation than this one."""
    decision = decision_on(model_arn, intake=intake) if model_arn else None
    return decision is not None and decision.flywheel_arn != flywheel_arn


def was_active_when_rejected(model_arn: str, *, intake: IntakeBucket) -> bool:
    """Whether the service had made a candidate active by itself that is not to serve (reference 14, question 2)."""
    decision = decision_on(model_arn, intake=intake)
    return decision is not None and decision.decision is DecisionKind.KEEP and decision.decided_against == model_arn
