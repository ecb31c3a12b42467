"""Scores two models on one hold-out, and computes a confidence interval of the difference between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from flywheel.decisions.holdout_answers import HoldoutAnswers, Unanswered
from flywheel.evaluation import Evaluation, Metric, pooled_interval, rank_errors
from flywheel.evaluation.sampling import UNIT_PRICE_DOLLARS
from flywheel.records.decisions import (
    HOLDOUT_SOURCE,
    LEAST_SUPPORT,
    AverageScores,
    ConfusedPair,
    ErrorRanking,
    GainInterval,
    HoldoutComparison,
    HoldoutResult,
    LabelLoss,
    LabelResult,
    Metrics,
    ModelScore,
)
from flywheel.records.holdouts import HoldoutAttempt
from flywheel.records.thresholds import ModelThresholds

if TYPE_CHECKING:
    from flywheel.comprehend.model_kind import ModelKind, Task
    from flywheel.decisions.compared_models import ComparedModels
    from flywheel.evaluation import ChosenThresholds, Predictions, Scores
    from flywheel.records.holdouts import FrozenHoldout

_MOST_LOSSES = 20
"""Each takes some seconds."""


@dataclass(frozen=True, kw_only=True)
class Compared:
    """What came of two models' answers."""

    comparison: HoldoutComparison
    unanswered: dict[str, str]
    """By model ARN the reason why a model has no answers."""
    candidate: Predictions | None
    """The candidate's answers."""


@dataclass(frozen=True, kw_only=True)
class HoldoutScorer:
    """Scores the answers to a hold-out."""

    holdout: FrozenHoldout
    kind: ModelKind
    task: Task
    metric: Metric
    confidence_level: float
    maximum_label_regression: float
    """Losses beyond it are looked at; 1: none is."""

    def compare(self, models: ComparedModels, predictions: HoldoutAnswers, *, iteration_id: str) -> Compared:
        """Raises PredictionFailed if the next turn should try again."""
        answers: dict[str, Predictions] = {}
        chosen: dict[str, ChosenThresholds] = {}
        attempts: list[HoldoutAttempt] = []
        unanswered: dict[str, str] = {}
        for arn in models.arns:
            found = predictions.read(arn, task=self.task)
            if isinstance(found, Unanswered):
                unanswered[arn] = found.reason
                continue
            attempts.append(found[0])
            fitted, thresholds = self.kind.fit(self.holdout.labels, found[1], task=self.task)
            # The scores of a large hold-out take tens of megabytes, and are done with.
            answers[arn] = replace(fitted, scores=None)
            if thresholds is not None:
                chosen[arn] = thresholds
        candidate = answers.get(models.candidate or "")
        other = models.active if models.active != models.candidate else None
        active = answers.get(other or "")
        paid = sum(attempt.asked_for == iteration_id for attempt in attempts)
        comparison = HoldoutComparison(
            holdout_id=self.holdout.id,
            documents=self.holdout.documents,
            candidate=self._result(models.candidate, candidate, chosen),
            active=self._result(other, active, chosen),
            interval=self._interval(candidate, active) if candidate and active else None,
            label_losses=tuple(self.label_losses(candidate, active)) if candidate and active else (),
            dollars=float(paid * self.holdout.units * UNIT_PRICE_DOLLARS),
        )
        return Compared(comparison=comparison, unanswered=unanswered, candidate=candidate)

    def _result(
        self, arn: str | None, answers: Predictions | None, chosen: dict[str, ChosenThresholds]
    ) -> HoldoutResult | None:
        if arn is None or answers is None:
            return None
        evaluation = self.kind.evaluate(self.holdout.labels, answers, task=self.task)
        result = _as_record(arn, evaluation, errors=answers.errors_by_code, chosen=chosen.get(arn))
        return result.model_copy(update={"ranking": self.ranking(answers)})

    def ranking(self, answers: Predictions) -> ErrorRanking | None:
        """None if there is no error to find, or nothing else."""
        margins = answers.margins
        if margins is None:
            return None
        places = [place for place in range(len(answers.by_line)) if place not in answers.errors]
        wrong = [frozenset(self.holdout.labels[place]) != answers.by_line[place] for place in places]
        found = rank_errors([margins[place] for place in places], wrong)
        if found.area is None or found.worst_10 is None or found.worst_20 is None:
            return None
        return ErrorRanking(
            documents=found.documents,
            errors=found.errors,
            area=found.area,
            worst_10=found.worst_10,
            worst_20=found.worst_20,
        )

    def label_losses(self, candidate: Predictions, active: Predictions) -> Iterator[LabelLoss]:
        """Of labels in which the candidate's F1 is lower by more than is allowed, the greatest losses first."""
        if self.maximum_label_regression >= 1:
            return
        mine, theirs = (
            self.kind.evaluate(self.holdout.labels, answers, task=self.task).labels for answers in (candidate, active)
        )
        lost = [
            (former.f1 - score.f1, score)
            for score, former in zip(mine, theirs, strict=True)
            if former.f1 - score.f1 > self.maximum_label_regression
        ]
        for _, score in sorted(lost, key=lambda loss: (-loss[0], loss[1].label))[:_MOST_LOSSES]:
            interval = pooled_interval(
                self._of_label(score.label, self.holdout.labels),
                candidate=self._of_label(score.label, candidate.by_line),
                active=self._of_label(score.label, active.by_line),
                metric=Metric.F1_SCORE,
                confidence_level=self.confidence_level,
            )
            yield LabelLoss(
                label=score.label,
                support=score.support,
                difference=interval.difference,
                low=interval.low,
                high=interval.high,
            )

    def _of_label(self, label: str, documents: Iterable[Iterable[str]]) -> list[frozenset[str]]:
        return [frozenset(one for one in document if self.kind.label_of(one) == label) for document in documents]

    def _interval(self, candidate: Predictions, active: Predictions) -> GainInterval:
        interval = self.kind.gain(
            self.holdout.labels,
            candidate=candidate,
            active=active,
            task=self.task,
            metric=self.metric,
            confidence_level=self.confidence_level,
        )
        return GainInterval(
            metric=self.metric,
            difference=interval.difference,
            low=interval.low,
            high=interval.high,
            confidence_level=interval.confidence_level,
        )


def chosen_thresholds(result: HoldoutResult | None, *, holdout_id: str) -> ModelThresholds | None:
    """Those that the hold-out chose for the model; None unless it is a multi-label model that was scored."""
    if result is None:
        return None
    chosen = {score.label: score.threshold for score in result.labels if score.threshold is not None}
    too_few = tuple(score.label for score in result.labels if score.support < LEAST_SUPPORT)
    if not chosen:
        return None
    return ModelThresholds(model_arn=result.arn, holdout_id=holdout_id, thresholds=chosen, too_few=too_few)


def score_of(result: HoldoutResult, *, holdout_id: str) -> ModelScore:
    """The scores that the gate compares."""
    metrics = Metrics(
        F1Score=result.compared.f1,
        Precision=result.compared.precision,
        Recall=result.compared.recall,
        Accuracy=result.accuracy,
    )
    return ModelScore(arn=result.arn, metrics=metrics, source=f"{HOLDOUT_SOURCE} {holdout_id}")


def _as_record(
    arn: str, evaluation: Evaluation, *, errors: dict[str, int], chosen: ChosenThresholds | None
) -> HoldoutResult:
    return HoldoutResult(
        arn=arn,
        accuracy=evaluation.accuracy,
        macro=_averages(evaluation.macro),
        micro=_averages(evaluation.micro),
        labels=tuple(
            LabelResult(
                label=score.label,
                precision=score.precision,
                recall=score.recall,
                f1=score.f1,
                support=score.support,
                threshold=chosen.by_label[score.label] if chosen else None,
            )
            for score in evaluation.labels
        ),
        confusions=tuple(
            ConfusedPair(true=pair.true, predicted=pair.predicted, documents=pair.documents)
            for pair in evaluation.confusions or ()
        ),
        hamming_loss=evaluation.hamming_loss,
        errors=errors,
        compared_by=evaluation.average.value,
    )


def _averages(scores: Scores) -> AverageScores:
    return AverageScores(precision=scores.precision, recall=scores.recall, f1=scores.f1)
