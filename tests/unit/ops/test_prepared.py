"""What `flywheel status` says about documents that wait."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from flywheel.comprehend.dataset_minimum import dataset_minimum
from flywheel.datasets.distinct import Distinct, DistinctParts
from flywheel.datasets.look_ahead import Outlook
from flywheel.datasets.stored_parts import StoredPart, waiting_part
from flywheel.document_classification.kind import DATASET_LIMITS
from flywheel.records.datasets import LABEL_SEPARATOR_IN_RECORDS, without_labels
from flywheel.records.parts import prepared_location
from flywheel.records.uploads import Part, Split
from ops.verbs.prepared import Prepared, prepared, size_about

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


def looked_at(
    *parts: Part,
    split: Split = Split.TRAIN,
    minimum: int = 50,
    first: bool = True,
    copies: int = 0,
    accepted: Sequence[Part] = (),
) -> Outlook:
    """Of parts of which the last has ``copies`` of others, and of others that datasets have already."""
    candidates = [Distinct(stored=stored(found), labels=found.labels) for found in parts]
    for place in range(copies):
        candidates[-1].dropped.append(place)
        candidates[-1].duplicates += 1
    if copies:
        label, documents = next(iter(parts[-1].labels.items()))
        candidates[-1].labels = {**parts[-1].labels, label: documents - copies}
    for found in accepted:
        everything = array("I", range(found.documents))
        candidates.append(
            Distinct(
                stored=stored(found),
                labels={},
                dropped=everything,
                duplicates=len(everything),
                accepted_before=len(everything),
            )
        )
    combinations: dict[str, int] = {}
    for candidate in candidates:
        for label, documents in candidate.labels.items():
            combinations[label] = combinations.get(label, 0) + documents
    verdict = dataset_minimum(
        split,
        combinations,
        labels=LABELS,
        minimum=minimum,
        first=first,
        limits=DATASET_LIMITS,
        size=lambda held_back: size_about(candidates, held_back),
    )
    return Outlook(
        split=split,
        candidates=candidates,
        found=DistinctParts(parts=tuple(candidates), all_seen=True),
        full=False,
        minimum=verdict,
        combinations=combinations,
        included=without_labels(combinations, verdict.held_back) if verdict.dataset else {},
    )


def stored(part: Part) -> StoredPart:
    return waiting_part(part, prepared_location(part.split, part.content_hash, part.form))


def assessed(
    *parts: Part,
    split: Split = Split.TRAIN,
    minimum: int = 50,
    first: bool = True,
    quota_left: int = 50,
    copies: int = 0,
    accepted: Sequence[Part] = (),
) -> Prepared:
    outlook = looked_at(*parts, split=split, minimum=minimum, first=first, copies=copies, accepted=accepted)
    return prepared(outlook, quota_left=quota_left)


def missing(found: Prepared) -> dict[str, int]:
    return {count.label: count.missing for count in found.labels if count.missing}


def test_first_train_dataset_needs_the_minimum_of_every_label() -> None:
    found = assessed(part({"SPORTS": 60, "WORLD": 20}))
    assert missing(found) == {"WORLD": 30, "BUSINESS": 50}
    assert [count.needed for count in found.labels] == [50, 50, 50]
    assert found.ready == 0
    assert "30 more of WORLD" in found.reason
    assert "50 more of BUSINESS" in found.reason


def test_parts_count_together() -> None:
    halves = [part({"SPORTS": 30, "WORLD": 30, "BUSINESS": 30}, name=name) for name in ("a", "b")]
    found = assessed(*halves)
    assert (found.parts, found.documents, found.bytes) == (2, 180, 20_000)
    assert found.ready == 180
    assert found.reason == "Enough: the next turn makes a dataset of them."


def test_a_later_train_dataset_leaves_scarce_labels_behind() -> None:
    found = assessed(part({"SPORTS": 60, "WORLD": 20}), first=False)
    assert found.ready == 60
    assert missing(found) == {"WORLD": 30}
    assert {count.label: count.needed for count in found.labels} == {"SPORTS": 50, "WORLD": 50, "BUSINESS": 0}
    assert found.reason.startswith("The next turn takes 60 of them.")
    assert "30 more of WORLD" in found.reason


def test_leaving_a_document_out_takes_it_from_all_its_labels() -> None:
    both = LABEL_SEPARATOR_IN_RECORDS.join(("SPORTS", "WORLD"))
    found = assessed(part({"SPORTS": 40, both: 20, "WORLD": 10}), first=False)
    # WORLD has 30: without its documents SPORTS has 40 left, too few as well.
    assert found.ready == 0
    assert found.documents == 70


def test_test_data_need_a_document_of_every_label_whatever_the_minimum() -> None:
    found = assessed(part({"SPORTS": 60, "WORLD": 1}), split=Split.TEST)
    assert missing(found) == {"BUSINESS": 1}
    assert found.ready == 0
    assert assessed(part({"SPORTS": 1, "WORLD": 1, "BUSINESS": 1}), split=Split.TEST).ready == 3


def test_without_quota_nothing_is_ready_and_the_reason_says_so() -> None:
    found = assessed(part(dict.fromkeys(LABELS, 60)), quota_left=0)
    assert found.ready == 0
    assert "no TRAIN dataset left" in found.reason


def test_a_dataset_below_the_least_size_waits() -> None:
    found = assessed(part(dict.fromkeys(LABELS, 60), size=499))
    assert found.ready == 0
    assert found.reason == "A dataset needs 500 bytes; these are 499."


def test_only_what_is_taken_counts_for_the_least_size() -> None:
    """Half of the documents are of a label that has too few."""
    found = assessed(part({"SPORTS": 50, "WORLD": 49}, size=990), first=False)
    assert (found.documents, found.ready) == (99, 50)
    assert assessed(part({"SPORTS": 50, "WORLD": 49}, size=980), first=False).ready == 0


def test_a_copy_counts_once() -> None:
    """The first file reaches the minimum of SPORTS with the second's only if copies counted."""
    found = assessed(part({"SPORTS": 40}), part({"SPORTS": 20}, name="b"), copies=15)
    assert (found.documents, found.copies, found.parts) == (45, 15, 2)
    assert missing(found) == {"SPORTS": 5, "WORLD": 50, "BUSINESS": 50}
    assert "15 of the uploaded documents are copies" in found.reason


def test_what_a_dataset_has_already_does_not_wait() -> None:
    found = assessed(accepted=[part({"SPORTS": 60})])
    assert (found.documents, found.copies, found.parts, found.reason) == (0, 0, 0, "Nothing waits.")


def test_a_part_that_a_former_generation_left_out_as_a_whole_adds_nothing() -> None:
    found = assessed(part(dict.fromkeys(LABELS, 60)), part({}, name="b"))
    assert (found.documents, found.ready) == (180, 180)


def test_nothing_waits() -> None:
    assert assessed().reason == "Nothing waits."


@given(counts=COUNTS, first=st.booleans(), minimum=st.integers(min_value=1, max_value=100))
def test_what_is_ready_and_what_is_missing_agree(counts: dict[str, int], first: bool, minimum: int) -> None:
    found = assessed(part(counts) if counts else part({}), minimum=minimum, first=first)
    assert 0 <= found.ready <= found.documents
    for count in found.labels:
        assert count.missing == max(0, count.needed - count.documents)
    if first:
        assert (found.ready > 0) == (not missing(found) and found.documents > 0)
    else:
        assert found.ready == sum(documents for documents in counts.values() if documents >= minimum)
