"""Upload ids, and label combinations in the keys of a record."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from flywheel.records.datasets import LABEL_SEPARATOR_IN_RECORDS, by_single_label, labels_of
from flywheel.records.uploads import Split, Upload

labels = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=20)
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200)


def upload(key: str, version: str = "v1") -> Upload:
    return Upload(
        key=key,
        split=Split.TRAIN,
        version_id=version,
        etag='"e"',
        size=1,
        last_modified=datetime(2026, 11, 21, tzinfo=UTC),
    )


@given(name=names)
def test_an_upload_id_is_safe_in_a_key_and_on_a_command_line(name: str) -> None:
    id_ = upload(f"train/{name}").id
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*", id_)
    assert len(id_) <= 80


@given(first=st.tuples(names, names), second=st.tuples(names, names))
def test_each_version_of_each_key_has_its_own_id(first: tuple[str, str], second: tuple[str, str]) -> None:
    versions = [re.sub(r"\s", "", version) for _, version in (first, second)]
    same = (first[0], versions[0]) == (second[0], versions[1])
    assert (upload(first[0], versions[0]).id == upload(second[0], versions[1]).id) is same


def test_an_upload_id_says_the_name() -> None:
    assert upload("train/2026/week 47 (final).csv").id.startswith("week-47-final-.csv-")


@given(found=st.lists(labels, min_size=1, max_size=5))
def test_a_combination_gives_its_labels_back(found: list[str]) -> None:
    assert labels_of(LABEL_SEPARATOR_IN_RECORDS.join(found)) == tuple(found)


@given(found=st.lists(st.tuples(st.sets(labels, min_size=1, max_size=3), st.integers(1, 9)), max_size=5))
def test_documents_are_counted_once_for_each_of_their_labels(found: list[tuple[set[str], int]]) -> None:
    combinations: dict[str, int] = {}
    expected: dict[str, int] = {}
    for members, documents in found:
        key = LABEL_SEPARATOR_IN_RECORDS.join(sorted(members))
        combinations[key] = combinations.get(key, 0) + documents
        for label in members:
            expected[label] = expected.get(label, 0) + documents
    assert by_single_label(combinations) == expected
