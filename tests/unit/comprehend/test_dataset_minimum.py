"""Which documents make a dataset: computed over counts by label combination."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flywheel.comprehend.dataset_minimum import dataset_minimum, minimum_to_test, minimum_to_train
from flywheel.comprehend.model_kind import DatasetLimits
from flywheel.records.datasets import LABEL_SEPARATOR_IN_RECORDS, by_single_label, labels_of, without_labels
from flywheel.records.uploads import Split

LABELS = ("A", "B", "C", "D")

combinations = st.dictionaries(
    st.sets(st.sampled_from(LABELS), min_size=1).map(lambda found: LABEL_SEPARATOR_IN_RECORDS.join(sorted(found))),
    st.integers(min_value=1, max_value=60),
    max_size=8,
)
minima = st.integers(min_value=1, max_value=60)


def together(*labels: str) -> str:
    return LABEL_SEPARATOR_IN_RECORDS.join(labels)


@given(found=combinations, minimum=minima)
def test_the_first_training_dataset_has_the_minimum_of_every_label_or_is_none(
    found: dict[str, int], minimum: int
) -> None:
    verdict = minimum_to_train(found, labels=LABELS, minimum=minimum, first=True)
    counts = by_single_label(found)
    assert not verdict.held_back
    assert verdict.dataset is all(counts.get(label, 0) >= minimum for label in LABELS)
    assert dict(verdict.missing) == {
        label: minimum - counts.get(label, 0) for label in LABELS if counts.get(label, 0) < minimum
    }
    assert bool(verdict.reason()) is bool(verdict.missing)


@given(found=combinations, minimum=minima)
def test_a_later_dataset_has_the_minimum_of_each_label_that_it_has(found: dict[str, int], minimum: int) -> None:
    verdict = minimum_to_train(found, labels=LABELS, minimum=minimum, first=False)
    included = without_labels(found, verdict.held_back)
    assert verdict.dataset is bool(included)
    assert all(count >= minimum for count in by_single_label(included).values())


@given(found=combinations, minimum=minima)
def test_a_later_dataset_holds_back_no_more_than_it_must(found: dict[str, int], minimum: int) -> None:
    """Whatever set of labels leaves the minimum of the others intact holds back at least these."""
    verdict = minimum_to_train(found, labels=LABELS, minimum=minimum, first=False)
    for chosen in range(2 ** len(LABELS)):
        other = frozenset(label for number, label in enumerate(LABELS) if chosen >> number & 1)
        counts = by_single_label(without_labels(found, other))
        if all(count >= minimum for count in counts.values()):
            assert set(without_labels(found, other)) <= set(without_labels(found, verdict.held_back))


@given(found=combinations, minimum=minima, first=st.booleans())
def test_an_operator_overrules_every_minimum(found: dict[str, int], minimum: int, first: bool) -> None:
    verdict = minimum_to_train(found, labels=LABELS, minimum=minimum, first=first, overrule=True)
    assert verdict.dataset is bool(found)
    assert not verdict.held_back
    assert minimum_to_test(found, labels=LABELS, overrule=True).dataset is bool(found)


@given(found=combinations)
def test_test_data_have_a_document_of_every_label_or_are_none(found: dict[str, int]) -> None:
    verdict = minimum_to_test(found, labels=LABELS)
    assert verdict.dataset is (set(by_single_label(found)) == set(LABELS))
    assert {label for label, _ in verdict.missing} == set(LABELS) - set(by_single_label(found))


@given(found=combinations, held_back=st.frozensets(st.sampled_from(LABELS)))
def test_without_keeps_exactly_the_documents_that_have_none_of_the_labels(
    found: dict[str, int], held_back: frozenset[str]
) -> None:
    kept = without_labels(found, held_back)
    assert all(held_back.isdisjoint(labels_of(key)) for key in kept)
    assert all(held_back.intersection(labels_of(key)) for key in found.keys() - kept.keys())


def test_holding_back_one_label_pushes_another_below_the_minimum() -> None:
    """B has 10 documents, but 5 of them are also C's, which has too few; and so on to A."""
    found = {together("A", "B"): 5, "A": 6, together("B", "C"): 5, "D": 10}
    verdict = minimum_to_train(found, labels=LABELS, minimum=10, first=False)
    assert verdict.held_back == {"A", "B", "C"}
    assert verdict.dataset
    assert without_labels(found, verdict.held_back) == {"D": 10}


def test_a_later_dataset_says_how_many_documents_each_held_back_label_lacks() -> None:
    verdict = minimum_to_train({"A": 50, "B": 20}, labels=LABELS, minimum=50, first=False)
    assert verdict.missing == (("B", 30),)
    assert verdict.reason() == "Not enough documents yet: 30 more of B needed."


@given(found=combinations, minimum=minima, first=st.booleans(), overrule=st.booleans())
def test_labels_that_the_flywheel_does_not_have_are_held_back(
    found: dict[str, int], minimum: int, first: bool, overrule: bool
) -> None:
    labels = LABELS[:2]
    unknown = frozenset(by_single_label(found)) - set(labels)
    known = without_labels(found, unknown)
    for verdict, among_known in (
        (
            minimum_to_train(found, labels=labels, minimum=minimum, first=first, overrule=overrule),
            minimum_to_train(known, labels=labels, minimum=minimum, first=first, overrule=overrule),
        ),
        (
            minimum_to_test(found, labels=labels, overrule=overrule),
            minimum_to_test(known, labels=labels, overrule=overrule),
        ),
    ):
        assert set(verdict.unknown) == unknown
        assert verdict.held_back == among_known.held_back | unknown
        assert (verdict.dataset, verdict.missing) == (among_known.dataset, among_known.missing)
        assert all(label in verdict.reason() for label in unknown)


def test_nothing_waiting_is_no_dataset() -> None:
    assert not minimum_to_train({}, labels=(), minimum=50, first=False).dataset
    assert not minimum_to_train({}, labels=(), minimum=50, first=False, overrule=True).dataset
    assert not minimum_to_test({}, labels=()).dataset


def test_a_long_list_of_missing_labels_is_cut_short() -> None:
    labels = tuple(f"L{number}" for number in range(12))
    reason = minimum_to_train({}, labels=labels, minimum=50, first=True).reason()
    assert "50 more of L9" in reason
    assert "L10" not in reason
    assert reason.endswith("and 2 more labels needed.")


LIMITS = DatasetLimits(
    documents=1000, bytes=10**6, minimum_bytes=100, document_bytes=2, minimum_documents=3, counted="annotations"
)


@pytest.mark.parametrize(
    ("combinations", "size", "reason"),
    [
        ({"A\x1e2\x1fB\x1e2": 2, "": 1}, 100, ""),
        ({"A\x1e4\x1fB\x1e4": 2}, 100, "A dataset needs 3 documents; these are 2."),
        ({"A\x1e2\x1fB\x1e2": 3}, 99, "A dataset needs 100 bytes; these are 99."),
        ({"A\x1e2": 3}, 100, "Not enough annotations yet: 4 more of B needed."),
        ({"": 5}, 100, "Not enough annotations yet: 4 more of A, 4 more of B needed."),
    ],
)
def test_annotations_of_a_type_count_as_documents_of_a_label(
    combinations: dict[str, int], size: int, reason: str
) -> None:
    found = dataset_minimum(
        Split.TRAIN,
        combinations,
        labels=("A", "B"),
        minimum=4,
        first=True,
        size=lambda _: size,
        limits=LIMITS,
    )
    assert (found.dataset, found.reason()) == (not reason, reason)


def test_a_later_dataset_needs_an_annotation() -> None:
    found = dataset_minimum(
        Split.TRAIN, {"": 5}, labels=("A",), minimum=4, first=False, size=lambda _: 100, limits=LIMITS
    )
    assert (found.dataset, found.reason()) == (False, "None of these documents has an annotation.")
