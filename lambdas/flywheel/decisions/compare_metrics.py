"""Gathers the scores that the gate compares, and writes its decision once for each iteration."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from flywheel.decisions.compared_models import ComparedModels, find_compared_models
from flywheel.decisions.gate import Bar, Judgement, judge
from flywheel.decisions.history import known_score
from flywheel.decisions.holdout import read_holdout
from flywheel.decisions.holdout_answers import HoldoutAnswers
from flywheel.decisions.holdout_comparison import HoldoutScorer, chosen_thresholds, score_of
from flywheel.decisions.suspect_labels import LabelSuspects
from flywheel.evaluation import Metric
from flywheel.records import turns
from flywheel.records.decisions import (
    Decision,
    DecisionKind,
    Evidence,
    HoldoutComparison,
    HoldoutResult,
    Metrics,
    ModelScore,
    decision_key,
)
from flywheel.records.holdouts import IterationHoldout, iteration_holdout_key
from flywheel.records.thresholds import thresholds_key

if TYPE_CHECKING:
    from flywheel.comprehend.flywheel import FlywheelService, Iteration
    from flywheel.pipeline import FlywheelPipeline
    from flywheel.store.bucket import IntakeBucket


def compare_metrics(
    *,
    turn: str,
    iteration_id: str,
    bar: Bar,
    now: datetime,
    evidence: Evidence = Evidence.ITERATION,
    confidence_level: float = 0.95,
    suspect_test_labels: int = 0,
    pipeline: FlywheelPipeline,
) -> Decision:
    """The decision on a COMPLETED iteration. If there is one already, it is returned.

    With evidence HOLDOUT so many test documents at most, whose labels the candidate contradicts, are put before
    reviewers (`suspect_test_labels`).

    Raises NotCurrentTurn. With evidence HOLDOUT also PredictionFailed, and UnknownRecord if `prepare_holdout` did not
    run.
    """
    turns.require_current(pipeline.intake, turn)
    key = decision_key(iteration_id)
    decided = pipeline.intake.read(key, Decision)
    if decided is not None:
        return decided
    iteration = pipeline.service.iteration(iteration_id)
    models = find_compared_models(iteration, pipeline=pipeline)
    if evidence is Evidence.HOLDOUT and models.candidate is not None:
        suspects = LabelSuspects(intake=pipeline.intake, most=suspect_test_labels)
        compared = _by_holdout(models, iteration, pipeline, bar, confidence_level, suspects, now)
    else:
        compared = _by_iteration(models, iteration, pipeline.intake, pipeline.service, bar)
    decision = Decision(
        iteration_id=iteration_id,
        flywheel_arn=pipeline.service.arn,
        turn=turn,
        decided_at=now,
        decision=compared.judgement.decision,
        reasons=compared.judgement.reasons,
        selection_metric=bar.selection_metric,
        candidate=compared.candidate,
        active=compared.active,
        decided_against=models.active_now,
        evidence=compared.evidence,
        holdout=compared.holdout,
    )
    return decision if pipeline.intake.write_once(key, decision) else pipeline.intake.require(key, Decision)


@dataclass(frozen=True, kw_only=True)
class _Comparison:
    """The gate's judgement, and the scores that it compared."""

    judgement: Judgement
    candidate: ModelScore | None
    active: ModelScore | None
    evidence: Evidence = Evidence.ITERATION
    holdout: HoldoutComparison | None = None


def _by_iteration(
    models: ComparedModels, iteration: Iteration, intake: IntakeBucket, service: FlywheelService, bar: Bar
) -> _Comparison:
    active = _active_score(iteration, models.active, intake, service)
    judgement = judge(candidate=iteration.trained, active=active, bar=bar)
    return _Comparison(judgement=judgement, candidate=iteration.trained, active=active)


def _by_holdout(
    models: ComparedModels,
    iteration: Iteration,
    pipeline: FlywheelPipeline,
    bar: Bar,
    confidence_level: float,
    suspects: LabelSuspects,
    now: datetime,
) -> _Comparison:
    """Compare both models' predictions for the hold-out. Without them the active model stays."""
    intake, service = pipeline.intake, pipeline.service
    chosen = intake.require(iteration_holdout_key(iteration.id), IterationHoldout)
    holdout = read_holdout(intake, chosen)
    if holdout is None:
        compared = _by_iteration(models, iteration, intake, service, bar)
        if models.active == models.candidate:
            return compared
        reason = (
            "There is no test document that the flywheel was not trained on, so there is no hold-out to compare models "
            "on: upload test data, and the next candidate is compared."
        )
        judgement = Judgement(decision=DecisionKind.KEEP, reasons=(reason,))
        return replace(compared, judgement=judgement, evidence=Evidence.HOLDOUT)
    flywheel = service.describe()
    scorer = HoldoutScorer(
        holdout=holdout,
        kind=service.kind,
        task=flywheel.task,
        metric=Metric(bar.selection_metric),
        confidence_level=confidence_level,
        maximum_label_regression=bar.maximum_label_regression,
    )
    predictions = HoldoutAnswers(intake=intake, service=service, holdout=holdout)
    found = scorer.compare(models, predictions, iteration_id=iteration.id)
    comparison, unanswered = found.comparison, found.unanswered
    if found.candidate is not None and models.candidate is not None:
        # Before the decision, too: it ends the step.
        suspects.add(holdout, found.candidate, model_arn=models.candidate, task=flywheel.task, now=now)
    # Before the decision: no model can become active without the thresholds with which it answers.
    _keep_thresholds(comparison, intake)
    candidate = _holdout_score(models.candidate, comparison.candidate, comparison)
    active = candidate
    if models.active != models.candidate:
        active = _holdout_score(models.active, comparison.active, comparison)
    judgement = judge(
        candidate=candidate,
        active=active,
        bar=bar,
        interval=comparison.interval,
        label_losses=comparison.label_losses,
    )
    if unanswered and models.active != models.candidate:
        reasons = tuple(
            f"The {'candidate' if arn == models.candidate else 'active model'} could not be asked about the "
            f"hold-out, and nothing is promoted without a comparison: {reason}"
            for arn, reason in unanswered.items()
        )
        judgement = Judgement(decision=DecisionKind.KEEP, reasons=reasons)
    return _Comparison(
        judgement=judgement, candidate=candidate, active=active, evidence=Evidence.HOLDOUT, holdout=comparison
    )


def _keep_thresholds(comparison: HoldoutComparison, intake: IntakeBucket) -> None:
    """Of the candidate alone. Those of the active model were kept with its own decision; one that had none answers as
    it always did, instead of otherwise from one moment to the next."""
    chosen = chosen_thresholds(comparison.candidate, holdout_id=comparison.holdout_id)
    if chosen is not None:
        intake.write_once(thresholds_key(chosen.model_arn), chosen)


def _holdout_score(arn: str | None, result: HoldoutResult | None, comparison: HoldoutComparison) -> ModelScore | None:
    if arn is None:
        return None
    if result is None:
        return ModelScore(arn=arn, metrics=Metrics(), source="nothing: it could not be asked")
    return score_of(result, holdout_id=comparison.holdout_id)


def _active_score(
    iteration: Iteration, active_arn: str | None, intake: IntakeBucket, service: FlywheelService
) -> ModelScore | None:
    """The active model's score: from this iteration, else from the one that trained it, else from its training."""
    if active_arn is None:
        return None
    if iteration.trained is not None and iteration.trained.arn == active_arn:
        return iteration.trained
    evaluated = iteration.evaluated
    if evaluated is not None and evaluated.arn == active_arn and evaluated.metrics != Metrics():
        return evaluated
    return known_score(intake=intake, service=service, model_arn=active_arn)
