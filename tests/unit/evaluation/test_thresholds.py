"""Thresholds by label: the best there are, and scores that say what they are worth on documents not chosen by."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from statistics import mean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from flywheel.confidence import YES
from flywheel.evaluation import NO_SCORE, ChosenThresholds, LabelScores, Predictions, Tally, fit_thresholds
from flywheel.evaluation.label_places import LabelSet
from flywheel.evaluation.thresholds import FOLDS, best_threshold

A, B = "A", "B"
LEAST = 30
# Few different scores, so that there are ties, and floating-point numbers with nothing between them.
some_scores = st.one_of(
    st.sampled_from([NO_SCORE, 0.0, 5e-324, 0.2, 0.5, 0.7, 1.0]),
    st.floats(0, 1),
)
documents_of_a_label = st.lists(st.tuples(some_scores, st.booleans()), max_size=14)


def predictions(
    rows: Sequence[dict[str, float]], *, labels: Sequence[str], others: LabelSet = frozenset()
) -> Predictions:
    scores = LabelScores(labels=labels, documents=len(rows))
    for line, row in enumerate(rows):
        scores.note(line, row.items())
    answers = (frozenset(name for name, score in row.items() if score >= YES) | others for row in rows)
    return Predictions(by_line=tuple(answers), errors={}, scores=scores)


def truths_of(flags: Sequence[bool]) -> list[LabelSet]:
    return [frozenset({A} if flag else {B}) for flag in flags]


def fit(scored: Sequence[tuple[float, bool]], *, least_support: int = LEAST) -> tuple[Predictions, ChosenThresholds]:
    """Of label A; every document without it has B, which is always given the score 0.9."""
    rows = [{A: score, B: 0.9} for score, _ in scored]
    truths = truths_of([flag for _, flag in scored])
    return fit_thresholds(truths, predictions(rows, labels=(A, B)), labels=(A, B), least_support=least_support)


def f1_at(threshold: float, scored: Sequence[tuple[float, bool]]) -> float:
    hits = sum(flag for score, flag in scored if score >= threshold)
    given_or_true = sum((score >= threshold) + flag for score, flag in scored)
    return 2 * hits / given_or_true if given_or_true else 0.0


@settings(deadline=None)
@given(documents_of_a_label)
def test_no_other_cut_has_a_better_f1_and_no_equally_good_one_is_nearer_to_a_half(
    scored: list[tuple[float, bool]],
) -> None:
    scores = [score for score, _ in scored]
    ranked = sorted(range(len(scores)), key=scores.__getitem__, reverse=True)
    found = best_threshold(ranked, scores, [flag for _, flag in scored])
    known = sorted({0.0, *scores} - {NO_SCORE})
    middles = [((low + high) / 2, low, high) for low, high in pairwise(known)]
    cuts = {middle if middle > low else high for middle, low, high in middles} | ({0.0} & set(scores))
    quality = {cut: f1_at(cut, scored) for cut in cuts}
    best = max(quality.values(), default=0.0)
    if best == 0.0:
        assert found == YES
        return
    nearest = min(abs(cut - YES) for cut, f1 in quality.items() if f1 == pytest.approx(best, abs=1e-12))
    assert f1_at(found, scored) == pytest.approx(best, abs=1e-12)
    assert abs(found - YES) == nearest


@pytest.mark.parametrize(("scores", "expected"), [((0.95, 0.9, 0.6, 0.5), 0.55), ((0.52, 0.48, 0.3, 0.2), 0.5)])
def test_of_two_equally_good_ones_the_nearer_to_a_half(scores: tuple[float, ...], expected: float) -> None:
    """One hit of one answer is as good as two of five, where three documents carry the label."""
    one, two, three, four = scores
    scored = [(one, True), *[(two, False)] * 3, (three, True), *[(four, False)] * 9, (0.01, True)]
    ranked = [score for score, _ in scored]
    assert best_threshold(range(len(scored)), ranked, [flag for _, flag in scored]) == pytest.approx(expected)


def test_a_threshold_lies_midway_between_two_scores() -> None:
    scored = [(0.2, True)] * 40 + [(0.1, False)] * 40
    fitted, chosen = fit(scored)
    assert chosen.by_label[A] == pytest.approx(0.15)
    assert [A in answer for answer in fitted.by_line] == [flag for _, flag in scored]


@pytest.mark.parametrize(("documents", "threshold"), [(LEAST - 1, YES), (LEAST, 0.15)])
def test_a_label_with_too_few_documents_keeps_a_half_and_is_named(documents: int, threshold: float) -> None:
    fitted, chosen = fit([(0.2, True)] * documents + [(0.1, False)] * 100)
    assert chosen.by_label[A] == pytest.approx(threshold)
    assert (A in chosen.too_few) is (threshold == YES)
    assert any(A in answer for answer in fitted.by_line) is (threshold != YES)


def test_each_fold_is_answered_with_what_the_others_choose() -> None:
    """One document of 40 has another score than all others: chosen by its own fold too, it would be answered right."""
    scored = [(0.1, False)] * 60 + [(0.9, True)] * 39 + [(0.05, True)]
    fitted, chosen = fit(scored)
    assert chosen.by_label[A] == pytest.approx(0.5)
    assert A not in fitted.by_line[-1]
    # At 0.025 all would have the label, which is better with a few more documents like that one.
    alone = scored + [(0.05, True)] * 200
    assert fit(alone)[1].by_label[A] == pytest.approx(0.025)


def test_documents_that_were_not_analysed_have_no_label_at_any_threshold() -> None:
    fitted, chosen = fit([(0.0, True)] * 40 + [(NO_SCORE, True)] * 5)
    assert chosen.by_label[A] == 0.0
    assert [A in answer for answer in fitted.by_line] == [True] * 40 + [False] * 5


def test_labels_of_a_former_generation_stay_wrong_answers() -> None:
    rows = [{A: 0.2}] * 40 + [{A: 0.1}] * 40
    truths = truths_of([True] * 40 + [False] * 40)
    given_ = predictions(rows, labels=(A, B), others=frozenset({"GONE"}))
    fitted, _ = fit_thresholds(truths, given_, labels=(A, B), least_support=LEAST)
    assert fitted.by_line == (frozenset({A, "GONE"}),) * 40 + (frozenset({"GONE"}),) * 40


def test_answers_without_scores_are_refused() -> None:
    with pytest.raises(ValueError, match="have none"):
        fit_thresholds([frozenset({A})], Predictions(by_line=(frozenset(),), errors={}), labels=(A,), least_support=1)


def noisy(seed: int, *, documents: int = 200, share: float = 0.3, skill: float = 0.15) -> list[tuple[float, bool]]:
    """Scores that know little of the label."""
    draw = random.Random(seed)
    flags = [draw.random() < share for _ in range(documents)]
    return [(min(1.0, max(0.0, draw.gauss(0.3 + skill * flag, 0.2))), flag) for flag in flags]


def f1_of(fitted: Predictions, scored: Sequence[tuple[float, bool]]) -> float:
    truths = [flag for _, flag in scored]
    return float(f1_score(truths, [A in answer for answer in fitted.by_line], zero_division=0))


def test_cross_fitted_scores_are_those_of_new_documents_and_chosen_ones_flatter() -> None:
    """The mean over many hold-outs of what is claimed, less what the kept thresholds do on documents never seen."""
    unseen = noisy(99, documents=20_000)
    crossed, flattered = [], []
    for seed in range(60):
        scored = noisy(seed)
        fitted, chosen = fit(scored)
        truly = f1_at(chosen.by_label[A], unseen)
        crossed.append(f1_of(fitted, scored) - truly)
        flattered.append(f1_at(chosen.by_label[A], scored) - truly)
    assert abs(mean(crossed)) < 0.01
    assert mean(flattered) > 0.02


def test_where_a_half_is_best_choosing_gains_nothing() -> None:
    """Calibrated scores of 0.45 and 0.55 by chance: the best F1 is no worse found than given, and not by luck."""
    gains = []
    for seed in range(40):
        draw = random.Random(seed)
        flags = [draw.random() < 0.5 for _ in range(200)]
        scored = [(draw.uniform(0.5, 1) if flag else draw.uniform(0, 0.5), flag) for flag in flags]
        noise = [(1 - score if draw.random() < 0.1 else score, flag) for score, flag in scored]
        gains.append(f1_of(fit(noise)[0], noise) - f1_at(YES, noise))
    assert -0.02 < mean(gains) <= 0


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60))
def test_equal_input_gives_an_equal_result_in_whatever_order_the_labels_are(scored: list[tuple[float, bool]]) -> None:
    rows = [{A: score, B: 1 - score} for score, _ in scored]
    truths = truths_of([flag for _, flag in scored])
    one, other = (
        fit_thresholds(truths, predictions(rows, labels=order), labels=order, least_support=1)
        for order in ((A, B), (B, A))
    )
    assert one[0].by_line == other[0].by_line
    assert one[1].by_label == other[1].by_label


def test_every_fold_has_its_share_of_each_label_even_if_they_come_in_turn() -> None:
    """Every fifth document has the label: if folds went by place, all of them would be in one."""
    scored = [(0.2, True) if place % FOLDS == 0 else (0.1, False) for place in range(200)]
    fitted, _ = fit(scored)
    assert [A in answer for answer in fitted.by_line] == [flag for _, flag in scored]


def test_fitted_answers_are_scored_like_any_others() -> None:
    scored = [(0.2, True)] * 40 + [(0.1, False)] * 40
    fitted, _ = fit(scored)
    tally = Tally(labels=(A, B), multi_label=True)
    for truth, answer in zip(truths_of([flag for _, flag in scored]), fitted.by_line, strict=True):
        tally.add(true=truth, predicted=answer)
    evaluation = tally.evaluation()
    assert evaluation.labels[0].f1 == 1
    assert Counter(fitted.by_line) == {frozenset({A, B}): 40, frozenset({B}): 40}
    assert evaluation.hamming_loss == pytest.approx(40 / 160)
