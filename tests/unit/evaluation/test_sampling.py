"""The hold-out: every label in it, in proportion, and the same one as long as the data are."""

from __future__ import annotations

import random
from collections import Counter
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flywheel.evaluation import (
    Holdout,
    HoldoutDocument,
    LabelSet,
    NothingToScore,
    SampleTooSmall,
    holdout_cost,
    sample_holdout,
    units_of,
)
from flywheel.preparation import text_hash

LABELS = ("WORLD", "SPORTS", "BUSINESS", "SCI_TECH")
SINGLE = {label: frozenset((label,)) for label in LABELS}

label_sets = st.frozensets(st.sampled_from(LABELS), min_size=1)
documents = st.builds(HoldoutDocument, label_sets, st.integers(0, 2**64 - 1))
several = st.lists(documents, min_size=1, max_size=80)
sizes = st.integers(len(LABELS), 40)


def document(labels: LabelSet, text: str) -> HoldoutDocument:
    return HoldoutDocument(labels, int.from_bytes(text_hash(text), "little"))


def news(counts: dict[str, int]) -> list[HoldoutDocument]:
    return [document(SINGLE[label], f"{label} {n}") for label, count in counts.items() for n in range(count)]


def taken(holdout: Holdout) -> Counter[LabelSet]:
    return Counter(labels for labels, _ in holdout.documents)


@settings(deadline=None)
@given(several, sizes, st.randoms(use_true_random=False))
def test_the_same_documents_give_the_same_sample_in_any_order(
    given: list[HoldoutDocument], at_most: int, chance: random.Random
) -> None:
    shuffled = chance.sample(given, len(given))
    again = sample_holdout(iter(shuffled), at_most=at_most)
    assert again == sample_holdout(given, at_most=at_most)
    assert again.id == sample_holdout(given, at_most=at_most).id


@settings(deadline=None)
@given(several, sizes)
def test_the_sample_is_as_large_as_it_may_be_and_has_every_label(given: list[HoldoutDocument], at_most: int) -> None:
    holdout = sample_holdout(given, at_most=at_most)
    assert holdout.documents <= set(given)
    assert len(holdout.documents) == min(at_most, len(set(given)))
    assert {label for labels, _ in holdout.documents for label in labels} == {
        label for labels, _ in given for label in labels
    }
    assert {stratum.labels: stratum.taken for stratum in holdout.strata if stratum.taken} == taken(holdout)
    assert {stratum.labels: stratum.available for stratum in holdout.strata} == Counter(labels for labels, _ in given)


@settings(deadline=None)
@given(several, sizes)
def test_of_each_stratum_the_smallest_hashes_are_taken(given: list[HoldoutDocument], at_most: int) -> None:
    holdout = sample_holdout(given, at_most=at_most)
    for stratum in holdout.strata:
        hashes = sorted({text_hash for labels, text_hash in given if labels == stratum.labels})
        chosen = {text_hash for labels, text_hash in holdout.documents if labels == stratum.labels}
        assert chosen == set(hashes[: stratum.taken])


@settings(deadline=None, max_examples=200)
@given(st.lists(documents, min_size=1, max_size=60, unique_by=lambda one: one.text_hash), sizes, documents)
def test_a_new_document_changes_the_sample_by_no_more_than_it_must(
    given: list[HoldoutDocument], at_most: int, new: HoldoutDocument
) -> None:
    before = sample_holdout(given, at_most=at_most).documents
    after = sample_holdout([*given, new], at_most=at_most).documents
    assert len(after - before) <= 1 + len(new.labels)


@settings(deadline=None, max_examples=200)
@given(
    st.lists(
        st.builds(HoldoutDocument, st.sampled_from(list(SINGLE.values())), st.integers(0, 2**64 - 1)),
        min_size=2,
        max_size=60,
        unique_by=lambda one: one.text_hash,
    ),
    sizes,
)
def test_with_one_label_a_document_a_new_document_changes_one(given: list[HoldoutDocument], at_most: int) -> None:
    before = sample_holdout(given[:-1], at_most=at_most).documents
    after = sample_holdout(given, at_most=at_most).documents
    assert len(after - before) <= 1
    assert len(before - after) <= 1


@settings(deadline=None)
@given(st.fixed_dictionaries({label: st.integers(1, 300) for label in LABELS}), st.integers(20, 100))
def test_labels_are_in_proportion(counts: dict[str, int], at_most: int) -> None:
    """Webster's criterion: no document could go from one label to another and bring the two nearer to their shares."""
    got = taken(sample_holdout(news(counts), at_most=at_most))
    seats = {label: got[SINGLE[label]] for label in LABELS}
    last = [(seats[label] - 0.5) / counts[label] for label in LABELS if seats[label] > 1]
    next_ones = [(seats[label] + 0.5) / counts[label] for label in LABELS if seats[label] < counts[label]]
    assert not last or not next_ones or max(last) <= min(next_ones)


def test_even_shares_are_exact() -> None:
    counts = {"WORLD": 400, "SPORTS": 300, "BUSINESS": 200, "SCI_TECH": 100}
    assert taken(sample_holdout(news(counts), at_most=100)) == {
        SINGLE[label]: count // 10 for label, count in counts.items()
    }


def test_combinations_too_rare_for_a_document_of_their_own_are_represented_together() -> None:
    """1,000 documents have a combination that no other has, 1,000 have one label: a tenth of each is wanted."""
    names = [f"topic {n}" for n in range(46)]
    pairs = [frozenset((a, b)) for n, a in enumerate(names) for b in names[n + 1 :]][:1_000]
    rare = [document(pair, " ".join(sorted(pair))) for pair in pairs]
    holdout = sample_holdout([*rare, *news({"WORLD": 1_000})], at_most=200)
    got = sum(stratum.taken for stratum in holdout.strata if len(stratum.labels) == 2)
    assert 70 <= got <= 130
    assert {label for labels, _ in holdout.documents for label in labels} == {"WORLD", *names}


def test_a_rare_label_has_its_document() -> None:
    got = taken(sample_holdout(news({"WORLD": 3_000, "SPORTS": 3_000, "SCI_TECH": 1}), at_most=11))
    assert got == {SINGLE["WORLD"]: 5, SINGLE["SPORTS"]: 5, SINGLE["SCI_TECH"]: 1}


def test_a_document_that_comes_twice_is_taken_once() -> None:
    twice = news({"WORLD": 3}) * 2
    assert len(sample_holdout(twice, at_most=10).documents) == 3


def test_different_samples_have_different_names() -> None:
    whole = news({"WORLD": 30, "SPORTS": 30})
    ids = {sample_holdout(whole[:count], at_most=20).id for count in range(1, 20)}
    assert len(ids) == 19
    other_label = [HoldoutDocument(SINGLE["SPORTS"], whole[0].text_hash)]
    assert sample_holdout(other_label, at_most=20).id not in ids


def test_no_documents_are_no_sample() -> None:
    with pytest.raises(NothingToScore):
        sample_holdout([], at_most=10)


def test_a_sample_smaller_than_the_labels_is_refused_with_the_number_that_will_do() -> None:
    four = news(dict.fromkeys(LABELS, 10))
    with pytest.raises(SampleTooSmall, match="set HoldoutDocuments to 4 or more"):
        sample_holdout(four, at_most=3)
    assert len(sample_holdout(four, at_most=4).documents) == 4


def test_a_sample_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        sample_holdout(news({"WORLD": 1}), at_most=0)


@pytest.mark.parametrize(("characters", "units"), [(0, 3), (300, 3), (301, 4), (1_000, 10)])
def test_a_document_is_charged_by_the_hundred_characters_and_at_least_three(characters: int, units: int) -> None:
    assert units_of(characters) == units


def test_a_hold_out_has_a_price() -> None:
    assert holdout_cost(documents=2_000, models=2) == Decimal(6)
    assert holdout_cost(documents=1, models=1, units=10) == Decimal("0.005")
