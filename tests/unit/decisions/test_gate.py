"""The gate: what becomes the active model, and the sentence that says why."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flywheel.decisions.gate import Bar, judge
from flywheel.environment import Gate
from flywheel.records.decisions import DecisionKind, GainInterval, LabelLoss, Metrics, ModelScore

METRICS = ("F1Score", "Precision", "Recall", "Accuracy")
ACTIVE = "arn:aws:comprehend:us-east-1:111122223333:document-classifier/news/version/1"
CANDIDATE = "arn:aws:comprehend:us-east-1:111122223333:document-classifier/news/version/2"

scores = st.floats(min_value=0, max_value=1)
metrics = st.sampled_from(METRICS)


def score(
    value: float | None, *, metric: str = "F1Score", arn: str = CANDIDATE, source: str = "this iteration"
) -> ModelScore:
    return ModelScore(arn=arn, metrics=Metrics.model_validate({metric: value}), source=source)


def bar(metric: str = "F1Score", *, floor: float = 0.0, improvement: float = 0.0, regression: float = 1.0) -> Bar:
    return Bar(
        selection_metric=metric,
        minimum_score=floor,
        minimum_improvement=improvement,
        maximum_regression=regression,
    )


def models(arn: str) -> st.SearchStrategy[ModelScore]:
    values = st.none() | scores
    return st.builds(
        lambda given, source: ModelScore(arn=arn, metrics=Metrics.model_validate(given), source=source),
        st.fixed_dictionaries(dict.fromkeys(METRICS, values)),
        st.sampled_from(["this iteration", "the model's training"]),
    )


def losses(candidate: ModelScore, active: ModelScore) -> list[float]:
    """What the candidate loses in each metric that both have."""
    pairs = [(getattr(candidate.metrics, metric), getattr(active.metrics, metric)) for metric in METRICS]
    return [theirs - mine for mine, theirs in pairs if mine is not None and theirs is not None]


gains = st.floats(min_value=-1, max_value=1)


def interval(low: float, high: float, *, level: float = 0.95) -> GainInterval:
    return GainInterval(metric="F1Score", difference=(low + high) / 2, low=low, high=high, confidence_level=level)


# As people write them: not more than a few decimal places.
thresholds = st.integers(0, 10_000).map(lambda number: number / 10_000)
bars = st.builds(bar, metrics, floor=thresholds, improvement=thresholds, regression=thresholds)


def test_the_metrics_of_the_parameter_are_those_of_the_records() -> None:
    allowed = get_args(Gate.model_fields["selection_metric"].annotation)
    assert set(allowed) == set(Metrics.model_fields) == set(METRICS)


@given(candidate=models(CANDIDATE), active=st.none() | models(ACTIVE), bar=bars)
def test_only_a_score_that_is_there_and_clears_the_floor_and_the_active_model_is_promoted(
    candidate: ModelScore, active: ModelScore | None, bar: Bar
) -> None:
    judgement = judge(candidate=candidate, active=active, bar=bar)
    mine = getattr(candidate.metrics, bar.selection_metric)
    theirs = getattr(active.metrics, bar.selection_metric) if active else None
    if judgement.decision is DecisionKind.PROMOTE:
        assert mine is not None
        assert round(mine, 12) >= bar.minimum_score
        if active is not None:
            assert theirs is not None
            assert mine > theirs
            assert round(mine - theirs, 9) >= round(bar.minimum_improvement, 9)
            assert max(losses(candidate, active), default=0.0) <= bar.maximum_regression + 1e-9
    else:
        assert judgement.decision is DecisionKind.KEEP
        clears = mine is not None and mine >= bar.minimum_score
        beats = active is None or (
            mine is not None and theirs is not None and mine - theirs > max(bar.minimum_improvement, 1e-9)
        )
        holds = active is None or max(losses(candidate, active), default=0.0) <= bar.maximum_regression
        assert not (clears and beats and holds)


@given(first=scores, second=scores, active=st.none() | models(ACTIVE), bar=bars)
def test_a_better_score_is_never_decided_worse(
    first: float, second: float, active: ModelScore | None, bar: Bar
) -> None:
    low, high = sorted((first, second))
    metric = bar.selection_metric

    def promoted(value: float) -> bool:
        judgement = judge(candidate=score(value, metric=metric), active=active, bar=bar)
        return judgement.decision is DecisionKind.PROMOTE

    assert promoted(high) or not promoted(low)


@given(active=models(ACTIVE), bar=bars)
def test_the_same_score_again_changes_nothing(active: ModelScore, bar: Bar) -> None:
    candidate = ModelScore(arn=CANDIDATE, metrics=active.metrics, source="this iteration")
    assert judge(candidate=candidate, active=active, bar=bar).decision is DecisionKind.KEEP


@given(candidate=models(ACTIVE), active=models(ACTIVE), bar=bars)
def test_a_candidate_that_is_active_already_counts_as_promoted(
    candidate: ModelScore, active: ModelScore, bar: Bar
) -> None:
    assert judge(candidate=candidate, active=active, bar=bar).decision is DecisionKind.PROMOTE


@given(candidate=models(CANDIDATE), active=models(ACTIVE), bar=bars)
def test_every_decision_has_a_reason(candidate: ModelScore, active: ModelScore, bar: Bar) -> None:
    reasons = judge(candidate=candidate, active=active, bar=bar).reasons
    assert reasons
    assert all(reason.endswith(".") for reason in reasons)


@pytest.mark.parametrize(
    ("candidate", "active", "bar_", "decision", "numbers"),
    [
        (0.81234, None, bar(), DecisionKind.PROMOTE, ["0.8123", "no active model"]),
        (0.7, None, bar(floor=0.75), DecisionKind.KEEP, ["0.7000", "MinimumScore 0.75"]),
        (0.75, None, bar(floor=0.75), DecisionKind.PROMOTE, ["0.7500"]),
        (0.85, 0.8, bar(), DecisionKind.PROMOTE, ["0.8500", "0.8000", "+0.0500"]),
        (0.75, 0.8, bar(), DecisionKind.KEEP, ["Not better", "0.7500", "0.8000", "-0.0500"]),
        (0.80, 0.8, bar(), DecisionKind.KEEP, ["Not better", "+0.0000"]),
        (0.805, 0.8, bar(improvement=0.01), DecisionKind.KEEP, ["MinimumImprovement 0.01", "+0.0050"]),
        # 0.81 - 0.80 is a little less than 0.01 in binary.
        (0.81, 0.80, bar(improvement=0.01), DecisionKind.PROMOTE, ["+0.0100"]),
        (0.1 + 0.2, None, bar(floor=0.3), DecisionKind.PROMOTE, ["0.3000"]),
        (None, None, bar(), DecisionKind.KEEP, ["no F1Score"]),
        (None, 0.8, bar(), DecisionKind.KEEP, ["no F1Score"]),
    ],
)
def test_the_reason_names_the_number_that_decided(
    candidate: float | None, active: float | None, bar_: Bar, decision: DecisionKind, numbers: list[str]
) -> None:
    judgement = judge(
        candidate=score(candidate), active=None if active is None else score(active, arn=ACTIVE), bar=bar_
    )
    assert judgement.decision is decision
    for number in numbers:
        assert number in judgement.reasons[0]


@given(candidate=models(CANDIDATE), active=models(ACTIVE), bar=bars, lower=thresholds)
def test_a_stricter_regression_never_promotes_more(
    candidate: ModelScore, active: ModelScore, bar: Bar, lower: float
) -> None:
    stricter = replace(bar, maximum_regression=min(lower, bar.maximum_regression))

    def promoted(bar: Bar) -> bool:
        return judge(candidate=candidate, active=active, bar=bar).decision is DecisionKind.PROMOTE

    assert promoted(bar) or not promoted(stricter)


@given(candidate=models(CANDIDATE), active=models(ACTIVE), bar=bars)
def test_a_regression_that_decides_is_named_with_its_numbers(
    candidate: ModelScore, active: ModelScore, bar: Bar
) -> None:
    free = judge(candidate=candidate, active=active, bar=replace(bar, maximum_regression=1))
    judgement = judge(candidate=candidate, active=active, bar=bar)
    if judgement.decision is free.decision:
        return
    assert (free.decision, judgement.decision) == (DecisionKind.PROMOTE, DecisionKind.KEEP)
    named = [metric for metric in METRICS if f"The candidate's {metric} " in judgement.reasons[0]]
    assert len(named) == 1
    assert named[0] != bar.selection_metric
    for model in (candidate, active):
        assert f"{getattr(model.metrics, named[0]):.4f}" in judgement.reasons[0]
    assert f"MaximumRegression {bar.maximum_regression:g}" in judgement.reasons[0]


@pytest.mark.parametrize(
    ("recall", "regression", "decision"),
    [
        (0.70, 0.1, DecisionKind.PROMOTE),
        (0.69, 0.1, DecisionKind.KEEP),
        (0.79, 0.0, DecisionKind.KEEP),
        (0.80, 0.0, DecisionKind.PROMOTE),
        (0.0, 1.0, DecisionKind.PROMOTE),
    ],
)
def test_a_fall_by_exactly_the_maximum_is_none_too_many(
    recall: float, regression: float, decision: DecisionKind
) -> None:
    # 0.8 - 0.7 is a little more than 0.1 in binary.
    active = ModelScore(arn=ACTIVE, metrics=Metrics(F1Score=0.8, Recall=0.8), source="this iteration")
    candidate = ModelScore(arn=CANDIDATE, metrics=Metrics(F1Score=0.9, Recall=recall), source="this iteration")
    assert judge(candidate=candidate, active=active, bar=bar(regression=regression)).decision is decision


def test_every_fall_is_named_before_the_gain() -> None:
    active = ModelScore(
        arn=ACTIVE, metrics=Metrics(F1Score=0.8, Recall=0.8, Precision=0.8, Accuracy=0.9), source="this iteration"
    )
    candidate = active.model_copy(
        update={"arn": CANDIDATE, "metrics": Metrics(F1Score=0.85, Recall=0.6, Precision=0.95, Accuracy=0.7)}
    )
    judgement = judge(candidate=candidate, active=active, bar=bar(regression=0.1))
    assert judgement.reasons == (
        "The candidate's Recall 0.6000 is 0.2000 below the active model's 0.8000, more than MaximumRegression 0.1.",
        "The candidate's Accuracy 0.7000 is 0.2000 below the active model's 0.9000, more than MaximumRegression 0.1.",
        "Better: the candidate's F1Score is 0.8500, the active model's 0.8000 (+0.0500).",
    )


def test_a_metric_that_is_missing_is_said_and_stops_nothing() -> None:
    active = ModelScore(arn=ACTIVE, metrics=Metrics(F1Score=0.8, Recall=0.8, Accuracy=0.8), source="this iteration")
    candidate = active.model_copy(update={"arn": CANDIDATE, "metrics": Metrics(F1Score=0.9, Precision=0.9, Recall=0.8)})
    judgement = judge(candidate=candidate, active=active, bar=bar(regression=0))
    assert judgement.decision is DecisionKind.PROMOTE
    assert judgement.reasons[1:] == (
        "Not checked against MaximumRegression: the active model has no Precision.",
        "Not checked against MaximumRegression: the candidate has no Accuracy.",
    )


def test_an_active_model_without_any_score_is_kept() -> None:
    active = ModelScore(arn=ACTIVE, metrics=Metrics(), source="nowhere")
    judgement = judge(candidate=score(0.99), active=active, bar=bar())
    assert judgement.decision is DecisionKind.KEEP
    assert "no known F1Score" in judgement.reasons[0]


def test_a_score_from_other_data_is_compared_and_said_to_be() -> None:
    active = score(0.8, arn=ACTIVE, source="the model's training")
    judgement = judge(candidate=score(0.9), active=active, bar=bar())
    assert judgement.decision is DecisionKind.PROMOTE
    assert "the model's training" in judgement.reasons[1]
    assert "may differ" in judgement.reasons[1]


def test_scores_of_the_same_iteration_need_no_such_remark() -> None:
    judgement = judge(candidate=score(0.9), active=score(0.8, arn=ACTIVE), bar=bar())
    assert len(judgement.reasons) == 1


def test_an_iteration_that_only_evaluated_reports_the_score() -> None:
    judgement = judge(candidate=None, active=score(0.8765, arn=ACTIVE), bar=bar())
    assert judgement.decision is DecisionKind.REPORT
    assert "0.8765" in judgement.reasons[0]


def test_an_iteration_that_evaluated_nothing_reports_that_there_is_no_score() -> None:
    active = ModelScore(arn=ACTIVE, metrics=Metrics(), source="nowhere")
    judgement = judge(candidate=None, active=active, bar=bar())
    assert judgement.decision is DecisionKind.REPORT
    assert "no such score" in judgement.reasons[0]


def test_no_model_at_all_decides_nothing() -> None:
    assert judge(candidate=None, active=None, bar=bar()).decision is DecisionKind.NOTHING


class TestInterval:
    """What a hold-out's interval of the gain adds: it only ever keeps."""

    @given(candidate=models(CANDIDATE), active=models(ACTIVE), bar=bars, ends=st.tuples(gains, gains))
    def test_nothing_is_promoted_that_would_not_be_without_it_or_whose_gain_may_be_none(
        self, candidate: ModelScore, active: ModelScore, bar: Bar, ends: tuple[float, float]
    ) -> None:
        low, high = sorted(ends)
        without = judge(candidate=candidate, active=active, bar=bar)
        judgement = judge(candidate=candidate, active=active, bar=bar, interval=interval(low, high))
        promoted = without.decision is DecisionKind.PROMOTE and round(low, 12) > 0
        assert judgement.decision is (DecisionKind.PROMOTE if promoted else DecisionKind.KEEP)
        if promoted:
            mine, theirs = (getattr(model.metrics, bar.selection_metric) for model in (candidate, active))
            assert mine is not None
            assert theirs is not None
            assert mine > theirs
            assert round(mine, 12) >= bar.minimum_score

    @given(first=scores, second=scores, active=models(ACTIVE), bar=bars, ends=st.tuples(gains, gains), up=gains)
    def test_a_better_score_with_a_higher_interval_is_never_decided_worse(
        self, first: float, second: float, active: ModelScore, bar: Bar, ends: tuple[float, float], up: float
    ) -> None:
        """Nor is the same interval with a better score, or the same score with a higher interval."""
        worse, better = sorted((first, second))
        low, high = sorted(ends)

        def promoted(value: float, shift: float) -> bool:
            judgement = judge(
                candidate=score(value, metric=bar.selection_metric),
                active=active,
                bar=bar,
                interval=interval(low + shift, high + shift),
            )
            return judgement.decision is DecisionKind.PROMOTE

        shift = abs(up)
        assert promoted(better, shift) or not promoted(worse, 0)

    @given(active=models(ACTIVE), candidate=models(CANDIDATE), bar=bars, high=gains)
    def test_the_reason_names_gain_interval_and_confidence(
        self, active: ModelScore, candidate: ModelScore, bar: Bar, high: float
    ) -> None:
        low = -abs(high) / 3
        without = judge(candidate=candidate, active=active, bar=replace(bar, maximum_regression=1))
        judgement = judge(candidate=candidate, active=active, bar=bar, interval=interval(low, abs(high), level=0.9))
        if without.decision is not DecisionKind.PROMOTE:
            assert judgement.reasons[0] == without.reasons[0]
            return
        gain = getattr(candidate.metrics, bar.selection_metric) - getattr(active.metrics, bar.selection_metric)
        assert judgement.decision is DecisionKind.KEEP
        assert judgement.reasons[0].startswith("Not better for sure: ")
        assert f"({round(gain, 12):+.4f})" in judgement.reasons[0]
        assert "at ConfidenceLevel 0.9 the gain lies between " in judgement.reasons[0]

    @pytest.mark.parametrize(
        ("low", "high", "decision", "numbers"),
        [
            (0.0123, 0.0877, DecisionKind.PROMOTE, "between +0.0123 and +0.0877."),
            (-0.0123, 0.0877, DecisionKind.KEEP, "between -0.0123 and +0.0877."),
            (0.0, 0.0877, DecisionKind.KEEP, "between +0.0000 and +0.0877."),
            # Above 0 by less than is shown must not read as 0.
            (0.00002, 0.0877, DecisionKind.PROMOTE, "between +2e-05 and +0.0877."),
            (1e-15, 0.0877, DecisionKind.KEEP, "between +1e-15 and +0.0877."),
        ],
    )
    def test_an_interval_that_reaches_nothing_keeps(
        self, low: float, high: float, decision: DecisionKind, numbers: str
    ) -> None:
        judgement = judge(candidate=score(0.85), active=score(0.8, arn=ACTIVE), bar=bar(), interval=interval(low, high))
        assert judgement.decision is decision
        assert judgement.reasons[0].endswith(numbers)
        assert "(+0.0500)" in judgement.reasons[0]

    def test_a_first_model_needs_none_and_the_active_one_is_no_candidate(self) -> None:
        nothing = interval(-1, 1)
        assert judge(candidate=score(0.9), active=None, bar=bar(), interval=nothing).decision is DecisionKind.PROMOTE
        same = score(0.9)
        assert judge(candidate=same, active=same, bar=bar(), interval=nothing).decision is DecisionKind.PROMOTE


class TestLabels:
    BETTER = score(0.9), score(0.8, arn=ACTIVE)

    @staticmethod
    def loss(*, support: int = 100, difference: float = -0.3, low: float = -0.4, high: float = -0.1) -> LabelLoss:
        return LabelLoss(label="SPORTS", support=support, difference=difference, low=low, high=high)

    def test_a_loss_that_is_more_than_chance_keeps_a_better_candidate_back(self) -> None:
        candidate, active = self.BETTER
        limit = replace(bar(), maximum_label_regression=0.05)
        judgement = judge(candidate=candidate, active=active, bar=limit, label_losses=[self.loss()])
        assert judgement.decision is DecisionKind.KEEP
        assert judgement.reasons[0] == (
            'The candidate\'s F1 of "SPORTS" is 0.3000 lower, more than MaximumLabelRegression 0.05, and the '
            "difference lies between -0.4000 and -0.1000."
        )
        assert judgement.reasons[1].startswith("Better: ")

    @pytest.mark.parametrize(
        ("loss", "says"),
        [
            (loss(support=29), "with 29 in the test data, fewer than 30, that decides nothing"),
            (loss(high=0.02), "which may be chance: the difference lies between -0.4000 and +0.0200"),
        ],
    )
    def test_other_losses_are_named_and_decide_nothing(self, loss: LabelLoss, says: str) -> None:
        candidate, active = self.BETTER
        judgement = judge(candidate=candidate, active=active, bar=bar(), label_losses=[loss])
        assert judgement.decision is DecisionKind.PROMOTE
        assert says in judgement.reasons[1]

    def test_a_long_label_is_cut(self) -> None:
        candidate, active = self.BETTER
        long = self.loss().model_copy(update={"label": "x" * 5000})
        judgement = judge(candidate=candidate, active=active, bar=bar(), label_losses=[long])
        assert len(judgement.reasons[0]) < 300


@pytest.mark.parametrize("required", [True, False])
def test_scores_on_other_test_data_are_said_and_may_be_refused(*, required: bool) -> None:
    limit = replace(bar(), require_same_test_data=required)
    active = score(0.8, arn=ACTIVE, source="the model's training")
    judgement = judge(candidate=score(0.9), active=active, bar=limit)
    assert judgement.decision is (DecisionKind.KEEP if required else DecisionKind.PROMOTE)
    assert any("the test data may differ" in reason for reason in judgement.reasons)
    assert ("RequireSameTestData" in judgement.reasons[0]) is required
    same = judge(candidate=score(0.9), active=score(0.8, arn=ACTIVE), bar=limit)
    assert same.decision is DecisionKind.PROMOTE
