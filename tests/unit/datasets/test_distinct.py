"""Which of the waiting documents a dataset takes: each once, whatever was uploaded before, beside or for testing."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flywheel.datasets.distinct import DistinctParts, find_distinct
from flywheel.datasets.stored_parts import StoredPart
from flywheel.preparation import ConflictingLabels, labels_hash, text_hash
from flywheel.records.datasets import LABEL_SEPARATOR_IN_RECORDS
from flywheel.records.parts import prepared_location
from flywheel.records.uploads import Part, Split

Rows = Sequence[tuple[str, str]]
"""Labels, joined as in records, and text."""
BOTH = f"A{LABEL_SEPARATOR_IN_RECORDS}B"


class Store:
    """Parts and their digests; `passed` is how often a dataset's part was looked at, `labels_read` whose labels."""

    def __init__(self) -> None:
        self.rows: dict[str, Rows] = {}
        self.passed = 0
        self.labels_read: list[str] = []

    def part(self, name: str, rows: Rows) -> StoredPart:
        self.rows[name] = rows
        counts: dict[str, int] = {}
        for labels, _ in rows:
            counts[labels] = counts.get(labels, 0) + 1
        part = Part(
            content_hash=name,
            split=Split.TRAIN,
            documents=len(rows),
            bytes=100,
            labels=counts,
            delimiter="",
            sources=(),
            prepared_at=datetime(2026, 11, 21, tzinfo=UTC),
        )
        return StoredPart(part=part, location=prepared_location(Split.TRAIN, name, part.form), source=name)

    def combinations(self, stored: StoredPart) -> Iterator[tuple[int, str]]:
        raise AssertionError(f"{stored.source}: documents in CSV are counted by their digests")

    def digests(self, stored: StoredPart) -> tuple[array[int], Callable[[], array[int]]]:
        name = stored.part.content_hash
        self.passed += 1

        def labels() -> array[int]:
            self.labels_read.append(name)
            return numbers(labels_hash(label.split(LABEL_SEPARATOR_IN_RECORDS)) for label, _ in self.rows[name])

        return numbers(text_hash(text) for _, text in self.rows[name]), labels

    def find(
        self,
        waiting: Sequence[Rows],
        *,
        accepted: Sequence[Rows] = (),
        other: Sequence[Rows] = (),
        capacity: int = 1000,
        refuse: bool = False,
    ) -> DistinctParts:
        datasets = [self.part(f"accepted-{number}", rows) for number, rows in enumerate(accepted)]
        others = [self.part(f"other-{number}", rows) for number, rows in enumerate(other)]
        return find_distinct(
            [self.part(f"waiting-{number}", rows) for number, rows in enumerate(waiting)],
            accepted=lambda: datasets,
            other=lambda: others,
            digests=self.digests,
            combinations=self.combinations,
            capacity=capacity,
            conflicting_labels=ConflictingLabels.REFUSE if refuse else ConflictingLabels.KEEP,
        )

    def left(self, found: DistinctParts) -> list[tuple[str, str]]:
        return [
            row
            for part in found.parts
            for place, row in enumerate(self.rows[part.stored.part.content_hash])
            if place not in {*part.dropped, *part.refused}
        ]


def numbers(digests: Any) -> array[int]:
    return array("Q", (int.from_bytes(digest, "little") for digest in digests))


def rows(first: int, end: int, label: str = "A") -> Rows:
    return [(label, f"text {number}") for number in range(first, end)]


@pytest.fixture
def store() -> Store:
    return Store()


def test_new_documents_are_all_left_and_nobodys_labels_are_read(store: Store) -> None:
    found = store.find([rows(0, 5), rows(5, 9)], accepted=[rows(10, 20)], other=[rows(20, 30)])
    assert [part.documents for part in found.parts] == [5, 4]
    assert [part.labels for part in found.parts] == [{"A": 5}, {"A": 4}]
    assert (found.all_seen, found.conflicts, store.labels_read) == (True, 0, [])


def test_a_mended_file_counts_once_with_the_one_before(store: Store) -> None:
    found = store.find([rows(0, 174), rows(0, 180)])
    assert [(part.documents, part.duplicates, part.accepted_before) for part in found.parts] == [
        (174, 0, 0),
        (6, 174, 0),
    ]
    assert found.parts[1].labels == {"A": 6}
    assert list(found.parts[1].dropped) == list(range(174))


def test_what_a_dataset_has_is_not_taken_again(store: Store) -> None:
    (part,) = store.find([rows(0, 10)], accepted=[rows(3, 5), rows(4, 7)]).parts
    assert (part.documents, part.duplicates, part.accepted_before) == (6, 4, 4)
    assert list(part.dropped) == [3, 4, 5, 6]


def test_what_stands_in_the_other_split_is_leaked_whatever_its_label(store: Store) -> None:
    found = store.find([[*rows(0, 4), *rows(4, 8, "B")]], other=[rows(2, 6)])
    (part,) = found.parts
    assert (part.documents, part.leaked, part.duplicates) == (4, 4, 0)
    assert part.labels == {"A": 2, "B": 2}
    assert found.conflicts == 2, "of the two texts with B the other split says A"
    (example,) = found.examples
    assert (example.labels, example.source) == (("A",), "other-0")
    assert (example.other_labels, example.other_source) == (("B",), "waiting-0")


@pytest.mark.parametrize("refuse", [False, True])
def test_the_same_text_with_other_labels_is_counted_and_kept_or_refused(store: Store, refuse: bool) -> None:
    waiting = [[("A", "one"), ("B", "one"), ("A", "two")], [("B", "two"), (BOTH, "three")], [("B", "three")]]
    found = store.find(waiting, accepted=[[("B", "two")]], refuse=refuse)
    assert found.conflicts == 3
    assert [len(part.refused) for part in found.parts] == ([2, 0, 1] if refuse else [0, 0, 0])
    assert [part.duplicates for part in found.parts] == [0, 1, 0], "what the dataset has is no conflict"
    kept = [("A", "one"), (BOTH, "three")] if refuse else [*waiting[0], (BOTH, "three"), ("B", "three")]
    assert store.left(found) == kept
    assert {(example.labels, example.other_labels) for example in found.examples} == {
        (("A",), ("B",)),
        (("B",), ("A",)),
        (("A", "B"), ("B",)),
    }


def test_what_a_part_repeats_is_no_duplicate_but_in_another_part(store: Store) -> None:
    again = [("A", "one"), ("B", "one"), ("A", "one"), ("B", "one")]
    found = store.find([again, again])
    assert [(part.documents, part.duplicates) for part in found.parts] == [(4, 0), (0, 4)]
    assert found.conflicts == 1


def test_a_kept_conflict_is_a_duplicate_the_second_time(store: Store) -> None:
    found = store.find([[("A", "one"), ("B", "one")], [("B", "one"), ("A", "one")]])
    assert [(part.documents, part.duplicates) for part in found.parts] == [(2, 0), (0, 2)]
    assert found.conflicts == 1


def test_examples_are_bounded(store: Store) -> None:
    waiting = [[("A", "one")], *([(f"B{number}", "one")] for number in range(50))]
    found = store.find(waiting)
    assert (found.conflicts, len(found.examples)) == (50, 20)


def test_no_more_is_looked_at_than_fills_a_dataset(store: Store) -> None:
    found = store.find([rows(number, number + 10) for number in range(0, 100, 10)], capacity=25)
    assert len(found.parts) < 10
    assert sum(part.documents for part in found.parts) > 25
    assert not found.all_seen


def test_many_parts_of_nothing_new_do_not_hide_what_is_new_behind_them(store: Store) -> None:
    found = store.find([*[rows(0, 10)] * 9, rows(10, 20)], accepted=[rows(0, 10)], capacity=25)
    assert [part.documents for part in found.parts] == [0] * 9 + [10]
    assert found.all_seen


documents = st.lists(st.tuples(st.sampled_from("AB"), st.sampled_from([f"t{n}" for n in range(8)])), max_size=8)


@given(
    waiting=st.lists(documents, min_size=1, max_size=5),
    accepted=st.lists(documents, max_size=3),
    other=st.lists(documents, max_size=3),
    capacity=st.integers(1, 50),
    refuse=st.booleans(),
)
def test_it_is_what_a_plain_reading_of_the_rule_gives(
    waiting: list[Rows], accepted: list[Rows], other: list[Rows], capacity: int, refuse: bool
) -> None:
    store = Store()
    found = store.find(waiting, accepted=accepted, other=other, capacity=capacity, refuse=refuse)
    leaked = {text for part in other for _, text in part}
    seen = {row for part in accepted for row in part}
    labelled = {text for _, text in seen}
    expected: list[tuple[str, str]] = []
    for rows_of_part in waiting[: len(found.parts)]:
        taken: set[tuple[str, str]] = set()
        for row in rows_of_part:
            if row not in taken and (row[1] in leaked or row in seen or (refuse and row[1] in labelled)):
                continue
            taken.add(row)
            labelled.add(row[1])
            expected.append(row)
        seen |= taken
    assert store.left(found) == expected
    for part in found.parts:
        assert sum(part.labels.values()) == part.documents
        assert len(part.dropped) == part.leaked + part.duplicates
