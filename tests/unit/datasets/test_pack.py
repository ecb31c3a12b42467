"""How parts that do not fit into one dataset are put into few: each once, never more than a dataset may have."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from flywheel.comprehend.model_kind import DatasetLimits
from flywheel.datasets.distinct import Distinct
from flywheel.datasets.pack import in_order_of_packing, within_limits
from flywheel.datasets.stored_parts import StoredPart, waiting_part
from flywheel.records.parts import prepared_location
from flywheel.records.uploads import Part, Split

LIMITS = DatasetLimits(documents=100, bytes=1000, minimum_bytes=1, document_bytes=1)
LABELS = ("A", "B", "C")

Counts = dict[str, int]


def parts(*counted: Counts, size: int = 1) -> list[StoredPart]:
    made = []
    for number, labels in enumerate(counted):
        name, documents = f"part-{number}", sum(labels.values())
        part = Part(
            content_hash=name,
            split=Split.TRAIN,
            documents=documents,
            bytes=documents * size,
            labels=labels,
            delimiter="",
            sources=(),
            prepared_at=datetime(2026, 11, 21, tzinfo=UTC),
        )
        made.append(waiting_part(part, prepared_location(Split.TRAIN, name, part.form)))
    return made


def datasets(found: list[StoredPart], *, minimum: int = 0) -> list[list[StoredPart]]:
    """As compose_datasets fills one after the other."""
    filled = []
    while found:
        in_order = in_order_of_packing(found, limits=LIMITS, labels=LABELS, minimum=minimum)
        candidates = [Distinct(stored=stored, labels=stored.part.labels) for stored in in_order]
        full, taken = within_limits(candidates, LIMITS)
        filled.append([each.stored for each in taken])
        assert full is (len(taken) < len(found))
        found = [stored for stored in found if stored not in filled[-1]]
    return filled


def documents(dataset: list[StoredPart]) -> int:
    return sum(stored.part.documents for stored in dataset)


PARTS = st.lists(
    st.dictionaries(st.sampled_from(LABELS), st.integers(1, 33), min_size=1).map(dict), min_size=1, max_size=20
)


@given(PARTS, st.sampled_from([1, 5, 10]), st.sampled_from([0, 20]))
def test_each_part_is_in_one_dataset_and_none_is_too_large(counted: list[Counts], size: int, minimum: int) -> None:
    found = parts(*counted, size=size)
    filled = datasets(found, minimum=minimum)
    assert sorted(stored.source for each in filled for stored in each) == sorted(stored.source for stored in found)
    for each in filled:
        assert documents(each) <= LIMITS.documents
        assert sum(stored.part.bytes for stored in each) <= LIMITS.bytes


@given(PARTS)
def test_no_part_of_a_later_dataset_would_have_fitted_into_an_earlier_one(counted: list[Counts]) -> None:
    filled = datasets(parts(*counted))
    for number, earlier in enumerate(filled):
        for later in filled[number + 1 :]:
            assert all(documents(earlier) + stored.part.documents > LIMITS.documents for stored in later)


@given(PARTS)
def test_there_are_no_more_datasets_than_first_fit_decreasing_needs(counted: list[Counts]) -> None:
    room: list[int] = []
    for size in sorted((sum(each.values()) for each in counted), reverse=True):
        place = next((number for number, left in enumerate(room) if left >= size), None)
        if place is None:
            room.append(LIMITS.documents - size)
        else:
            room[place] -= size
    assert len(datasets(parts(*counted))) == len(room)


def test_parts_of_one_size_fill_the_fewest_datasets() -> None:
    filled = datasets(parts(*[{"A": 20}] * 23))
    assert [len(each) for each in filled] == [5, 5, 5, 5, 3]


def test_small_parts_fill_what_large_ones_leave() -> None:
    small = [{"A": 1}] * 20
    filled = datasets(parts(*small, {"A": 60}, {"A": 60}, {"A": 30}, {"A": 30}))
    assert [documents(each) for each in filled] == [100, 100]


def test_what_fits_stays_in_the_order_of_its_age() -> None:
    found = parts({"A": 1}, {"B": 50}, {"C": 3})
    assert in_order_of_packing(found, limits=LIMITS, labels=LABELS, minimum=50) == found


def test_the_oldest_parts_with_each_label_come_first() -> None:
    found = parts({"A": 90}, {"A": 90}, {"B": 2}, {"B": 2}, {"C": 1}, {"B": 2})
    in_order = in_order_of_packing(found, limits=LIMITS, labels=LABELS, minimum=3)
    assert [stored.source for stored in in_order][:4] == ["part-0", "part-2", "part-3", "part-4"]
