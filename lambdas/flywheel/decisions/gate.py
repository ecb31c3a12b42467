"""Decides whether a candidate becomes the active model. Pure: from scores to a decision with its reasons in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flywheel.records.decisions import LEAST_SUPPORT, DecisionKind, GainInterval, LabelLoss, Metrics, ModelScore
from flywheel.text.printable import printable

_LONGEST_LABEL = 100
_ROUNDING = 12
"""Scores are compared at this number of decimal places; smaller differences are floating-point noise."""


@dataclass(frozen=True, kw_only=True)
class Bar:
    """The thresholds that a candidate has to reach. Scores and differences are from 0 to 1."""

    selection_metric: str
    minimum_score: float
    minimum_improvement: float
    maximum_regression: float
    """How much lower the candidate may be in each of the other metrics; 1 switches this check off."""
    maximum_label_regression: float = 1.0
    """How much lower the candidate's F1 may be in one label or entity type; 1 switches this check off."""
    require_same_test_data: bool = False
    """Keep back a candidate if the two scores may come from different test data."""


@dataclass(frozen=True, kw_only=True)
class Judgement:
    decision: DecisionKind
    reasons: tuple[str, ...]


def judge(
    *,
    candidate: ModelScore | None,
    active: ModelScore | None,
    bar: Bar,
    interval: GainInterval | None = None,
    label_losses: Sequence[LabelLoss] = (),
) -> Judgement:
    """Promote a candidate only if its known score is better than that of the active model.

    If the scores come from different sources, the reasons say so. With an `interval` of the difference in the deciding
    metric, a gain that may be chance does not promote either. `label_losses` are those beyond
    `bar.maximum_label_regression`.
    """
    metric = bar.selection_metric
    if candidate is None:
        if active is None:
            return _judgement(DecisionKind.NOTHING, "No model was trained and none is active.")
        score = _score(active, metric)
        if score is None:
            return _judgement(
                DecisionKind.REPORT, f"No model was trained, and the active model has no such score: {metric}."
            )
        return _judgement(
            DecisionKind.REPORT,
            f"No model was trained. The active model's {metric} on the new test data is {score:.4f}.",
        )
    if active is not None and candidate.arn == active.arn:
        return _judgement(DecisionKind.PROMOTE, "The candidate is the active model already.")
    return _compare(candidate, active, bar, interval, label_losses)


def _compare(
    candidate: ModelScore,
    active: ModelScore | None,
    bar: Bar,
    interval: GainInterval | None,
    label_losses: Sequence[LabelLoss],
) -> Judgement:
    metric = bar.selection_metric
    score = _score(candidate, metric)
    if score is None:
        return _judgement(DecisionKind.KEEP, f"The candidate has no {metric}, and nothing is promoted unseen.")
    if score < bar.minimum_score:
        return _judgement(
            DecisionKind.KEEP, f"The candidate's {metric} {score:.4f} is below MinimumScore {bar.minimum_score:g}."
        )
    if active is None:
        return _judgement(
            DecisionKind.PROMOTE, f"There is no active model, and the candidate's {metric} is {score:.4f}."
        )
    active_score = _score(active, metric)
    if active_score is None:
        return _judgement(
            DecisionKind.KEEP, f"The active model has no known {metric} to compare the candidate's {score:.4f} with."
        )
    differ = (
        []
        if active.source == candidate.source
        else [f"The active model's score comes from {active.source}: the test data may differ."]
    )
    gain = round(score - active_score, _ROUNDING)
    comparison = f"the candidate's {metric} is {score:.4f}, the active model's {active_score:.4f} ({gain:+.4f})"
    if gain <= 0:
        return _judgement(DecisionKind.KEEP, f"Not better: {comparison}.", *differ)
    if gain < bar.minimum_improvement:
        return _judgement(
            DecisionKind.KEEP,
            f"Not better by MinimumImprovement {bar.minimum_improvement:g}: {comparison}.",
            *differ,
        )
    lies = _lies(interval) if interval else None
    if interval and not round(interval.low, _ROUNDING) > 0:
        return _judgement(DecisionKind.KEEP, f"Not better for sure: {comparison}, and {lies}.", *differ)
    fallen, unknown = _regressions(candidate, active, bar)
    if differ and bar.require_same_test_data:
        fallen.append("The scores may come from different test data, and RequireSameTestData is set.")
    fallen += [_loss(loss, bar) for loss in label_losses if loss.blocks]
    unknown += [_loss(loss, bar) for loss in label_losses if not loss.blocks]
    decision = DecisionKind.KEEP if fallen else DecisionKind.PROMOTE
    better = f"Better: {comparison}, and {lies}." if lies else f"Better: {comparison}."
    return _judgement(decision, *fallen, better, *unknown, *differ)


def _lies(interval: GainInterval) -> str:
    """The interval in words. Ends below 0.0001 get two digits, because `+.4f` would show them as zero."""
    low, high = (
        f"{end:+.4f}" if abs(end) >= 0.0001 or end == 0 else f"{end:+.2g}" for end in (interval.low, interval.high)
    )
    return f"at ConfidenceLevel {interval.confidence_level:g} the gain lies between {low} and {high}"


def _regressions(candidate: ModelScore, active: ModelScore, bar: Bar) -> tuple[list[str], list[str]]:
    """Sentences about the other metrics: those that fell by more than MaximumRegression, and those not comparable."""
    fallen: list[str] = []
    unknown: list[str] = []
    if bar.maximum_regression >= 1:
        return fallen, unknown
    for metric in Metrics.model_fields:
        if metric == bar.selection_metric:
            continue
        mine, theirs = _score(candidate, metric), _score(active, metric)
        if mine is None or theirs is None:
            whose = "the candidate" if mine is None else "the active model"
            unknown.append(f"Not checked against MaximumRegression: {whose} has no {metric}.")
        elif round(theirs - mine, _ROUNDING) > bar.maximum_regression:
            fallen.append(
                f"The candidate's {metric} {mine:.4f} is {theirs - mine:.4f} below the active model's {theirs:.4f}, "
                f"more than MaximumRegression {bar.maximum_regression:g}."
            )
    return fallen, unknown


def _loss(loss: LabelLoss, bar: Bar) -> str:
    lost = f'The candidate\'s F1 of "{printable(loss.label)[:_LONGEST_LABEL]}" is {-loss.difference:.4f} lower'
    lies = f"the difference lies between {loss.low:+.4f} and {loss.high:+.4f}"
    if loss.blocks:
        return f"{lost}, more than MaximumLabelRegression {bar.maximum_label_regression:g}, and {lies}."
    if loss.support < LEAST_SUPPORT:
        return f"{lost}, but with {loss.support} in the test data, fewer than {LEAST_SUPPORT}, that decides nothing."
    return f"{lost}, which may be chance: {lies}."


def _score(model: ModelScore, metric: str) -> float | None:
    value = model.metrics.value(metric)
    return None if value is None else round(value, _ROUNDING)


def _judgement(decision: DecisionKind, *reasons: str) -> Judgement:
    return Judgement(decision=decision, reasons=reasons)
