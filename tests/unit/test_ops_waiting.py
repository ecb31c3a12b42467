"""What `flywheel status` says about documents that wait."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from flywheel.dataset_records import LABEL_SEPARATOR_IN_RECORDS
from flywheel.upload_records import Part, Split
from ops.waiting import Prepared, assess

LABELS = ("SPORTS", "WORLD", "BUSINESS")
COUNTS = st.dictionaries(st.sampled_from(LABELS), st.integers(min_value=1, max_value=120))


def part(labels: dict[str, int], *, size: int = 10_000, name: str = "a") -> Part:
    return Part(
        content_hash=name,
        split=Split.TRAIN,
        documents=sum(labels.values()),
        bytes=size,
        labels=labels,
        delimiter="",
        sources=(),
        prepared_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def assessed(
    *parts: Part, split: Split = Split.TRAIN, minimum: int = 50, first: bool = True, quota_left: int = 50
) -> Prepared:
    return assess(split=split, parts=parts, labels=LABELS, minimum=minimum, first=first, quota_left=quota_left)


def missing(prepared: Prepared) -> dict[str, int]:
    return {count.label: count.missing for count in prepared.labels if count.missing}


def test_first_train_dataset_needs_the_minimum_of_every_label() -> None:
    prepared = assessed(part({"SPORTS": 60, "WORLD": 20}))
    assert missing(prepared) == {"WORLD": 30, "BUSINESS": 50}
    assert [count.needed for count in prepared.labels] == [50, 50, 50]
    assert prepared.ready == 0
    assert "30 more of WORLD" in prepared.reason
    assert "50 more of BUSINESS" in prepared.reason


def test_parts_count_together() -> None:
    halves = [part({"SPORTS": 30, "WORLD": 30, "BUSINESS": 30}, name=name) for name in ("a", "b")]
    prepared = assessed(*halves)
    assert (prepared.parts, prepared.documents, prepared.bytes) == (2, 180, 20_000)
    assert prepared.ready == 180
    assert prepared.reason == "Enough: the next turn makes a dataset of them."


def test_a_later_train_dataset_leaves_scarce_labels_behind() -> None:
    prepared = assessed(part({"SPORTS": 60, "WORLD": 20}), first=False)
    assert prepared.ready == 60
    assert missing(prepared) == {"WORLD": 30}
    assert {count.label: count.needed for count in prepared.labels} == {"SPORTS": 50, "WORLD": 50, "BUSINESS": 0}
    assert prepared.reason.startswith("The next turn takes 60 of them.")
    assert "30 more of WORLD" in prepared.reason


def test_leaving_a_document_out_takes_it_from_all_its_labels() -> None:
    both = LABEL_SEPARATOR_IN_RECORDS.join(("SPORTS", "WORLD"))
    prepared = assessed(part({"SPORTS": 40, both: 20, "WORLD": 10}), first=False)
    # WORLD has 30: without its documents SPORTS has 40 left, too few as well.
    assert prepared.ready == 0
    assert prepared.documents == 70


def test_test_data_need_a_document_of_every_label_whatever_the_minimum() -> None:
    prepared = assessed(part({"SPORTS": 60, "WORLD": 1}), split=Split.TEST)
    assert missing(prepared) == {"BUSINESS": 1}
    assert prepared.ready == 0
    assert assessed(part({"SPORTS": 1, "WORLD": 1, "BUSINESS": 1}), split=Split.TEST).ready == 3


def test_without_quota_nothing_is_ready_and_the_reason_says_so() -> None:
    prepared = assessed(part(dict.fromkeys(LABELS, 60)), quota_left=0)
    assert prepared.ready == 0
    assert "no TRAIN dataset left" in prepared.reason


def test_a_dataset_below_the_least_size_waits() -> None:
    prepared = assessed(part(dict.fromkeys(LABELS, 60), size=499))
    assert prepared.ready == 0
    assert "500 bytes" in prepared.reason


def test_nothing_waits() -> None:
    assert assessed().reason == "Nothing waits."


@given(counts=COUNTS, first=st.booleans(), minimum=st.integers(min_value=1, max_value=100))
def test_what_is_ready_and_what_is_missing_agree(counts: dict[str, int], first: bool, minimum: int) -> None:
    prepared = assessed(part(counts) if counts else part({}), minimum=minimum, first=first)
    assert 0 <= prepared.ready <= prepared.documents
    for count in prepared.labels:
        assert count.missing == max(0, count.needed - count.documents)
    if first:
        assert (prepared.ready > 0) == (not missing(prepared) and prepared.documents > 0)
    else:
        assert prepared.ready == sum(documents for documents in counts.values() if documents >= minimum)
