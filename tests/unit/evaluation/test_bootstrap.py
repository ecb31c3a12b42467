"""The interval of the difference between two models: when it says that one is better, and when it does not."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flywheel.evaluation import (
    DifferenceInterval,
    LabelSet,
    Metric,
    NothingToScore,
    Outcome,
    Tally,
    UnusableLabels,
    difference_interval,
)

LABELS = ("WORLD", "SPORTS", "BUSINESS", "SCI_TECH")
SINGLE = {label: frozenset((label,)) for label in LABELS}

one_label = st.sampled_from(list(SINGLE.values()))
one_answer = one_label | st.just(frozenset[str]()) | st.just(frozenset(("Weltall",)))
some_labels = st.frozensets(st.sampled_from(LABELS), min_size=1)
some_answers = st.frozensets(st.sampled_from((*LABELS, "Weltall")))
single_outcomes = st.lists(st.builds(Outcome, one_label, one_answer, one_answer), min_size=1, max_size=30)
several_outcomes = st.lists(st.builds(Outcome, some_labels, some_answers, some_answers), min_size=1, max_size=30)
either = st.tuples(single_outcomes, st.just(False)) | st.tuples(several_outcomes, st.just(True))
metrics = st.sampled_from(Metric)


def interval(
    outcomes: Sequence[Outcome],
    metric: Metric = Metric.F1_SCORE,
    *,
    multi_label: bool = False,
    confidence_level: float = 0.95,
    resamples: int = 200,
    seed: int = 7,
) -> DifferenceInterval:
    return difference_interval(
        Counter(outcomes),
        labels=LABELS,
        multi_label=multi_label,
        metric=metric,
        confidence_level=confidence_level,
        resamples=resamples,
        seed=seed,
    )


def answers(*, documents: int, candidate: float, active: float, seed: int) -> list[Outcome]:
    """Two models that are right with the given probabilities, and make the same mistake where both are wrong."""
    chance = random.Random(seed)

    def outcome() -> Outcome:
        true, wrong = chance.sample(LABELS, 2)
        hard = chance.random()
        said = [SINGLE[true] if hard < right else SINGLE[wrong] for right in (candidate, active)]
        return Outcome(SINGLE[true], said[0], said[1])

    return [outcome() for _ in range(documents)]


def score(outcomes: Sequence[Outcome], metric: Metric, *, multi_label: bool, of: str) -> float:
    tally = Tally(labels=LABELS, multi_label=multi_label)
    for outcome in outcomes:
        predicted: LabelSet = getattr(outcome, of)
        tally.add(true=outcome.true, predicted=predicted)
    return tally.evaluation().score(metric)


@settings(deadline=None)
@given(either, metrics)
def test_the_difference_is_that_of_the_two_models_scores(given: tuple[list[Outcome], bool], metric: Metric) -> None:
    outcomes, multi_label = given
    found = interval(outcomes, metric, multi_label=multi_label, resamples=2)
    candidate, active = (score(outcomes, metric, multi_label=multi_label, of=who) for who in ("candidate", "active"))
    assert found.difference == pytest.approx(candidate - active, abs=1e-9)


@settings(deadline=None, max_examples=20)
@given(either, metrics)
def test_the_interval_is_numpys_percentiles_of_resampled_documents(
    given: tuple[list[Outcome], bool], metric: Metric
) -> None:
    """Drawn document by document and scored one model at a time: what the counts by cell must come to."""
    outcomes, multi_label = given
    resamples = 20
    found = interval(outcomes, metric, multi_label=multi_label, resamples=resamples, confidence_level=0.8)
    places = {label: place for place, label in enumerate(LABELS)}

    def order(labels: LabelSet) -> tuple[int, ...]:
        return tuple(sorted(places.get(label, len(LABELS)) for label in labels))

    def cells(swap: bool) -> list[tuple[tuple[tuple[int, ...], ...], int, Outcome]]:
        counted = Counter(outcomes)
        rows = []
        for outcome, count in counted.items():
            one = outcome._replace(candidate=outcome.active, active=outcome.candidate) if swap else outcome
            rows.append((tuple(order(labels) for labels in one), count, outcome))
        return sorted(rows, key=lambda row: row[:2])

    straight, mirrored = cells(False), cells(True)
    keys = [[row[:2] for row in rows] for rows in (straight, mirrored)]
    documents = [row[2] for row in (mirrored if keys[1] < keys[0] else straight) for _ in range(row[1])]
    chance = random.Random(7)
    differences = []
    for _ in range(resamples):
        drawn = [documents[int(chance.random() * len(documents))] for _ in documents]
        candidate, active = (score(drawn, metric, multi_label=multi_label, of=who) for who in ("candidate", "active"))
        differences.append(candidate - active)
    if keys[0] == keys[1]:
        differences += [-difference for difference in differences]
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(differences, [0.1, 0.9])), abs=1e-9)


@settings(deadline=None)
@given(either, metrics, st.randoms(use_true_random=False))
def test_the_order_of_documents_does_not_matter(
    given: tuple[list[Outcome], bool], metric: Metric, chance: random.Random
) -> None:
    outcomes, multi_label = given
    shuffled = chance.sample(outcomes, len(outcomes))
    assert interval(shuffled, metric, multi_label=multi_label) == interval(outcomes, metric, multi_label=multi_label)


@settings(deadline=None)
@given(either, metrics)
def test_swapped_models_mirror_the_interval(given: tuple[list[Outcome], bool], metric: Metric) -> None:
    outcomes, multi_label = given
    swapped = [Outcome(true, active, candidate) for true, candidate, active in outcomes]
    found = interval(outcomes, metric, multi_label=multi_label)
    other = interval(swapped, metric, multi_label=multi_label)
    assert (other.difference, other.low, other.high) == (-found.difference, -found.high, -found.low)


@settings(deadline=None)
@given(either, metrics)
def test_a_model_does_not_differ_from_itself(given: tuple[list[Outcome], bool], metric: Metric) -> None:
    outcomes, multi_label = given
    same = [Outcome(true, candidate, candidate) for true, candidate, _ in outcomes]
    found = interval(same, metric, multi_label=multi_label)
    assert (found.difference, found.low, found.high) == (0, 0, 0)


@settings(deadline=None)
@given(either, metrics, st.floats(0.5, 0.98))
def test_more_confidence_never_narrows_the_interval(
    given: tuple[list[Outcome], bool], metric: Metric, level: float
) -> None:
    outcomes, multi_label = given
    narrow = interval(outcomes, metric, multi_label=multi_label, confidence_level=level)
    wide = interval(outcomes, metric, multi_label=multi_label, confidence_level=level + 0.01)
    assert wide.low <= narrow.low <= narrow.high <= wide.high


@pytest.mark.parametrize("metric", Metric)
def test_a_clear_gain_is_no_noise(metric: Metric) -> None:
    found = interval(answers(documents=500, candidate=0.93, active=0.8, seed=3), metric)
    assert 0 < found.low < found.difference < found.high


@pytest.mark.parametrize("metric", Metric)
def test_a_gain_of_a_few_documents_is_noise(metric: Metric) -> None:
    outcomes = []
    for true, wrong in ((SINGLE["WORLD"], SINGLE["SPORTS"]), (SINGLE["SPORTS"], SINGLE["WORLD"])):
        outcomes += [Outcome(true, true, true)] * 200
        outcomes += [Outcome(true, true, wrong)] * 6 + [Outcome(true, wrong, true)] * 4
    found = interval(outcomes, metric)
    assert found.difference > 0
    assert found.low <= 0 <= found.high


def test_the_interval_covers_the_true_difference_as_often_as_it_says() -> None:
    """60 pairs of models that differ by 0.05: at 0.9, 54 intervals should cover it; fewer than 47 is a 1 in 300."""
    covered = 0
    for seed in range(60):
        outcomes = answers(documents=300, candidate=0.85, active=0.8, seed=seed)
        found = interval(outcomes, Metric.ACCURACY, confidence_level=0.9)
        covered += found.low <= 0.05 <= found.high
    assert 47 <= covered < 60


def test_a_seed_gives_the_same_interval_everywhere() -> None:
    """Pinned: a record must be reproducible on another machine and another Python."""
    outcomes = answers(documents=40, candidate=0.8, active=0.7, seed=1)
    found = interval(outcomes, resamples=100)
    assert (found.low, found.high) == (0.046356505014, 0.260419524314)
    assert interval(outcomes, resamples=100, seed=8) != found


def test_no_documents_cannot_be_compared() -> None:
    with pytest.raises(NothingToScore):
        interval([])


def test_true_labels_must_be_the_flywheels() -> None:
    with pytest.raises(UnusableLabels, match="Weltall"):
        interval([Outcome(frozenset(("Weltall",)), SINGLE["WORLD"], SINGLE["WORLD"])])


@pytest.mark.parametrize(("level", "resamples"), [(0.0, 10), (1.0, 10), (0.95, 1)])
def test_settings_out_of_range_are_refused(level: float, resamples: int) -> None:
    outcome = Outcome(SINGLE["WORLD"], SINGLE["WORLD"], SINGLE["WORLD"])
    with pytest.raises(ValueError, match=r"ConfidenceLevel|resamples"):
        interval([outcome], confidence_level=level, resamples=resamples)
