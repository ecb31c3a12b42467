"""The names of turns."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flywheel.records import turns


@given(number=st.integers(min_value=1, max_value=10**9))
def test_a_name_has_its_number(number: int) -> None:
    assert turns.number_of(turns.name_of(number)) == number


@given(first=st.integers(1, 999_999), second=st.integers(1, 999_999))
def test_names_sort_as_their_numbers(first: int, second: int) -> None:
    assert (turns.name_of(first) < turns.name_of(second)) is (first < second)


@given(number=st.integers(min_value=1, max_value=10**9))
def test_a_name_is_one_of_an_execution_and_of_a_dataset(number: int) -> None:
    """80 characters of Step Functions; 63 letters, digits and inner hyphens of Comprehend (reference 1.3)."""
    assert len(turns.name_of(number)) < 60


@pytest.mark.parametrize(
    "name", ["", "turn-", "turn-1", "turn-00001", "turn-000001 ", "my-turn-000001", "turn-0000x1", "Turn-000001"]
)
def test_another_execution_is_no_turn(name: str) -> None:
    assert turns.number_of(name) is None
