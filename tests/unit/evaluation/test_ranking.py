"""How well margins rank errors, against scikit-learn and by counting."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from flywheel.evaluation import rank_errors

# Few different margins, so that there are ties.
documents = st.lists(
    st.tuples(st.one_of(st.sampled_from([0.0, 0.1, 0.5, 1.0]), st.floats(0, 1)), st.booleans()), min_size=2, max_size=60
)


@given(documents)
def test_area_is_scikit_learns(scored: list[tuple[float, bool]]) -> None:
    margins, wrong = [margin for margin, _ in scored], [is_wrong for _, is_wrong in scored]
    found = rank_errors(margins, wrong)
    assert (found.documents, found.errors) == (len(scored), sum(wrong))
    if len(set(wrong)) < 2:
        assert (found.area, found.worst_10, found.worst_20) == (None, None, None)
        return
    assert found.area == pytest.approx(roc_auc_score(wrong, [-margin for margin in margins]))


@given(st.lists(st.booleans(), min_size=1, max_size=20), st.randoms())
def test_shares_are_those_that_a_reviewer_finds(flags: list[bool], order: random.Random) -> None:
    """Ten times as many documents, so that a tenth is a whole number; no two margins are equal."""
    wrong = [*flags, *[False] * (9 * len(flags))]
    order.shuffle(wrong)
    found = rank_errors([place / 1000 for place in range(len(wrong))], wrong)
    if not any(wrong):
        assert found.worst_10 is None
        return
    assert found.worst_10 == pytest.approx(sum(wrong[: len(flags)]) / sum(wrong))
    assert found.worst_20 == pytest.approx(sum(wrong[: 2 * len(flags)]) / sum(wrong))


def test_of_equal_margins_as_many_are_found_as_at_random() -> None:
    found = rank_errors([0.5] * 100, [True] * 30 + [False] * 70)
    assert found.area == pytest.approx(0.5)
    assert found.worst_10 == pytest.approx(0.1)
    assert found.worst_20 == pytest.approx(0.2)


def test_all_errors_first() -> None:
    found = rank_errors([0.1, 0.9, 0.8, 0.7, 0.6, 0.9, 0.8, 0.7, 0.6, 0.5], [True, *[False] * 9])
    assert (found.area, found.worst_10, found.worst_20) == (1, 1, 1)
