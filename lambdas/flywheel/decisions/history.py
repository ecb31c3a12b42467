"""Finds what earlier decisions, and Comprehend, say about a model's quality and origin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flywheel.records.decisions import DECISIONS, Decision, DecisionKind, Metrics, ModelScore

if TYPE_CHECKING:
    from flywheel.comprehend.active_model import ActiveModelService
    from flywheel.store.bucket import IntakeBucket


def known_score(*, intake: IntakeBucket, service: ActiveModelService, model_arn: str) -> ModelScore:
    """The model's metrics from the iteration that trained it, else from its training, else none.

    The iteration's come first, because later candidates have metrics of an iteration too.
    """
    return score_by(decision_on(model_arn, intake=intake), service=service, model_arn=model_arn)


def score_by(decision: Decision | None, *, service: ActiveModelService, model_arn: str) -> ModelScore:
    """As `known_score`, for callers that have the decision on the iteration that trained the model."""
    if decision is not None and decision.candidate is not None and decision.candidate.metrics != Metrics():
        return decision.candidate.model_copy(update={"source": f"iteration {decision.iteration_id}"})
    return service.models.score(model_arn) or ModelScore(
        arn=model_arn, metrics=Metrics(), source="no score is recorded"
    )


def decision_on(model_arn: str, *, intake: IntakeBucket) -> Decision | None:
    """The decision on the iteration that trained the model; None if the pipeline did not train it."""
    for key in sorted(intake.keys(DECISIONS), reverse=True):
        decision = intake.read(key, Decision)
        if decision is not None and decision.candidate is not None and decision.candidate.arn == model_arn:
            return decision
    return None


def is_of_another_flywheel(model_arn: str | None, *, intake: IntakeBucket, flywheel_arn: str) -> bool:
    """Whether another generation of the flywheel trained the model."""
    decision = decision_on(model_arn, intake=intake) if model_arn else None
    return decision is not None and decision.flywheel_arn != flywheel_arn


def was_active_when_rejected(model_arn: str, *, intake: IntakeBucket) -> bool:
    """Whether the decision rejected a candidate that Comprehend itself had made active (reference 14, question 2)."""
    decision = decision_on(model_arn, intake=intake)
    return decision is not None and decision.decision is DecisionKind.KEEP and decision.decided_against == model_arn
