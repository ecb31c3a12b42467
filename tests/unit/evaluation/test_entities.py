"""Strict scores of entities: those of seqeval in strict mode, which is conlleval's rule, and their interval."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flywheel.evaluation import Confusion, Metric, NothingToScore, Scores, evaluate_entities, pooled_interval
from flywheel.spans import Span

TYPES = ("LOC", "PER")
spans = st.builds(
    lambda begin, length, name: Span(begin, begin + length, name).label,
    st.integers(0, 20),
    st.integers(1, 4),
    st.sampled_from((*TYPES, "OTHER:ONE")),
)
documents = st.lists(st.tuples(st.frozensets(spans, max_size=5), st.frozensets(spans, max_size=5)), min_size=1)


def test_a_span_is_right_only_with_its_whole_extent_and_its_type() -> None:
    truths = [frozenset({"0:5:PER", "9:12:LOC"}), frozenset[str](), frozenset({"0:3:LOC"})]
    answers = [frozenset({"0:5:PER", "9:13:LOC"}), frozenset({"1:2:PER"}), frozenset({"0:3:PER"})]
    found = evaluate_entities(truths, answers, types=TYPES)
    assert found.documents == 3
    assert found.accuracy == 0
    assert found.micro == Scores(precision=1 / 4, recall=1 / 3, f1=2 / 7)
    assert [(one.label, one.precision, one.recall, one.support) for one in found.labels] == [
        ("LOC", 0, 0, 2),
        ("PER", 1 / 3, 1, 1),
    ]
    assert found.macro.f1 == pytest.approx((0 + 2 * 1 / 4) / 2)
    assert found.confusions == (
        Confusion(true="LOC", predicted="PER", documents=1),
        Confusion(true="LOC", predicted=None, documents=1),
        Confusion(true="PER", predicted="PER", documents=1),
    )
    assert found.score(Metric.F1_SCORE) == found.micro.f1
    assert found.score(Metric.ACCURACY) == found.accuracy


@given(documents)
def test_scores_are_those_of_the_definition(rows: list[tuple[frozenset[str], frozenset[str]]]) -> None:
    truths, answers = zip(*rows, strict=True)
    found = evaluate_entities(truths, answers, types=TYPES)
    right = sum(len(true & answer) for true, answer in rows)
    given_, true_ = sum(map(len, answers)), sum(map(len, truths))
    assert found.micro.precision == (right / given_ if given_ else 0)
    assert found.micro.recall == (right / true_ if true_ else 0)
    by_type = Counter(one.split(":", 2)[2] for true in truths for one in true)
    assert [one.support for one in found.labels] == [by_type[name] for name in TYPES]
    assert sum(pair.documents for pair in found.confusions or ()) == true_


@settings(max_examples=30, deadline=None)
@given(documents, st.sampled_from(Metric), st.randoms(use_true_random=False))
def test_an_interval_mirrors_and_depends_on_no_order(
    rows: list[tuple[frozenset[str], frozenset[str]]], metric: Metric, order: random.Random
) -> None:
    truths, answers = zip(*rows, strict=True)
    others = [frozenset(list(answer)[1:]) for answer in answers]
    found = pooled_interval(truths, candidate=answers, active=others, metric=metric, resamples=50)
    mirrored = pooled_interval(truths, candidate=others, active=answers, metric=metric, resamples=50)
    assert (mirrored.difference, mirrored.low, mirrored.high) == (-found.difference, -found.high, -found.low)
    assert found.difference == pytest.approx(
        evaluate_entities(truths, answers, types=TYPES).score(metric)
        - evaluate_entities(truths, others, types=TYPES).score(metric)
    )
    shuffled = list(zip(truths, answers, others, strict=True))
    order.shuffle(shuffled)
    again = [list(column) for column in zip(*shuffled, strict=True)]
    assert pooled_interval(again[0], candidate=again[1], active=again[2], metric=metric, resamples=50) == found


def test_a_better_model_is_certain_only_with_enough_documents() -> None:
    def interval(count: int) -> tuple[float, float]:
        truths = [frozenset({"0:5:PER"})] * count
        worse = [frozenset({"0:5:PER"}) if number % 2 else frozenset[str]() for number in range(count)]
        found = pooled_interval(truths, candidate=truths, active=worse, metric=Metric.F1_SCORE)
        return found.low, found.high

    few, many = interval(3), interval(300)
    assert few[0] == 0
    assert many[0] > 0.2
    assert many[1] - many[0] < few[1] - few[0]


def test_nothing_cannot_be_scored() -> None:
    with pytest.raises(NothingToScore):
        evaluate_entities([], [], types=TYPES)
    with pytest.raises(NothingToScore):
        pooled_interval([], candidate=[], active=[], metric=Metric.F1_SCORE)
