"""A document counts once, however often and wherever it is uploaded; the same text with other labels is told of."""

from __future__ import annotations

import pytest

from flywheel.preparation import ConflictingLabels, RepeatedDocuments
from flywheel.records.uploads import Split, UploadOutcome
from tests.pipeline.deployed import Deployment, result_of
from tests.pipeline.documents import LABELS, as_csv, documents

BUSINESS, SPORTS = LABELS
FIRST = documents(*LABELS, count=10)
SECOND = documents(*LABELS, start=10, count=10)


@pytest.fixture
def at() -> Deployment:
    return Deployment()


def test_a_file_that_is_mended_and_uploaded_again_counts_its_documents_once(at: Deployment) -> None:
    at.upload("train/a.csv", as_csv(FIRST) + b"SPORT,one bad line\n")
    assert [found.documents for found in at.run_turn().datasets] == [20]
    mended = [*FIRST, (SPORTS, "one line, mended"), *documents(*LABELS, start=50, count=10)]
    at.upload("train/a.csv", mended)
    record = at.run_turn()
    assert record.duplicates == {"train": 20}
    assert [found.documents for found in record.datasets] == [21]
    assert at.registered() == sorted(mended)
    at.check_consistency()


def test_documents_that_wait_and_come_again_count_once_for_the_minimum(at: Deployment) -> None:
    at.change(minimum_documents_per_label=12)
    at.upload("train/a.csv", FIRST)
    at.upload("train/b.csv", documents(*LABELS, start=5, count=6))
    record = at.run_turn()
    assert record.datasets == (), "11 of each are distinct, 16 were uploaded"
    (waiting,) = record.waiting
    assert waiting.labels == {BUSINESS: 11, SPORTS: 11}
    assert "1 more of" in waiting.reason
    assert "10 of the uploaded documents are copies" in waiting.reason
    at.upload("train/c.csv", documents(*LABELS, start=11, count=1))
    record = at.run_turn()
    assert [found.documents for found in record.datasets] == [24]
    assert record.duplicates == {"train": 10}
    assert at.registered() == sorted(documents(*LABELS, count=12))
    at.check_consistency()


def test_documents_that_are_held_back_and_come_again_count_once(at: Deployment) -> None:
    at.upload("train/a.csv", FIRST)
    at.run_turn()
    few = documents(SPORTS, start=100, count=4)
    at.upload("train/b.csv", documents(BUSINESS, start=100, count=15) + few)
    assert at.run_turn().cause is None
    at.upload("train/c.csv", [*few, *documents(BUSINESS, start=200, count=15)])
    record = at.run_turn()
    assert [found.labels for found in record.datasets] == [{BUSINESS: 15}], "4 of SPORTS are too few, not 8"
    at.check_consistency()
    at.upload("train/d.csv", documents(SPORTS, start=104, count=11))
    assert [found.labels for found in at.run_turn().datasets] == [{SPORTS: 15}]
    at.check_consistency()


def test_what_a_dataset_has_already_is_cleared_away_and_starts_nothing(at: Deployment) -> None:
    at.upload("train/a.csv", FIRST)
    at.run_turn()
    at.upload("train/again.csv", list(reversed(FIRST)))
    record = at.run_turn()
    assert result_of(record, "train/again.csv").outcome is UploadOutcome.ACCEPTED
    assert (record.datasets, record.waiting, record.duplicates) == ((), (), {"train": 20})
    assert at.keys("prepared/") == []
    assert at.registered() == sorted(FIRST)
    assert len(at.iterations()) == 1
    at.check_consistency()


def test_test_documents_count_once_too(at: Deployment) -> None:
    at.upload("test/a.csv", FIRST)
    at.run_turn()
    at.upload("test/b.csv", FIRST[:6] + SECOND)
    at.upload("test/c.csv", SECOND[4:])
    record = at.run_turn()
    assert record.duplicates == {"test": 6 + len(SECOND) - 4}
    assert at.registered(Split.TEST) == sorted(FIRST + SECOND)
    at.check_consistency()


def test_a_new_generation_is_seeded_with_each_document_once(at: Deployment) -> None:
    at.upload("train/a.csv", FIRST)
    at.run_turn()
    at.replace_flywheel()
    at.upload("train/b.csv", FIRST[:5] + SECOND)
    at.run_until_at_rest()
    assert at.registered() == sorted(FIRST + SECOND)
    at.check_documents()


OTHERS = [(BUSINESS if label == SPORTS else SPORTS, text) for label, text in FIRST[:6]]


def test_the_same_text_with_other_labels_is_kept_and_shown_with_both(at: Deployment) -> None:
    at.upload("train/a.csv", FIRST)
    at.run_turn()
    at.upload("train/b.csv", OTHERS + SECOND)
    record = at.run_turn()
    assert (record.conflicts, record.refused) == ({"train": 6}, {})
    examples = {(one.labels, one.source, one.other_labels, one.other_source) for one in record.conflict_examples}
    assert examples == {
        ((BUSINESS,), "train-000001", (SPORTS,), "train/b.csv"),
        ((SPORTS,), "train-000001", (BUSINESS,), "train/b.csv"),
    }
    assert at.registered() == sorted(FIRST + OTHERS + SECOND)
    at.check_consistency()


def test_the_same_text_with_other_labels_is_refused_and_kept_beside_the_dataset(at: Deployment) -> None:
    at.change(conflicting_labels=ConflictingLabels.REFUSE)
    at.upload("train/a.csv", FIRST)
    at.run_turn()
    at.upload("train/b.csv", OTHERS + SECOND)
    record = at.run_turn()
    assert (record.conflicts, record.refused) == ({"train": 6}, {"train": 6})
    assert at.registered() == sorted(FIRST + SECOND)
    (refused,) = (key for key in at.keys("datasets/train/") if "/refused/" in key)
    assert at.bucket.read_bytes(refused) == as_csv(OTHERS)
    at.check_consistency()


def test_conflicts_within_a_file_are_told_of_in_its_result(at: Deployment) -> None:
    at.upload("train/a.csv", FIRST + OTHERS)
    result = result_of(at.run_turn(), "train/a.csv")
    assert (result.outcome, result.conflicts) == (UploadOutcome.ACCEPTED, 6)
    assert "6 of them have the text of an earlier one with other labels" in result.reason
    assert f'with "{BUSINESS}"; here it has "{SPORTS}"' in result.conflict_examples[0].message


def test_conflicts_within_a_file_are_its_bad_lines_if_they_are_refused(at: Deployment) -> None:
    at.change(conflicting_labels=ConflictingLabels.REFUSE)
    at.upload("train/a.csv", FIRST + OTHERS)
    result = result_of(at.run_turn(), "train/a.csv")
    assert (result.outcome, result.bad_lines) == (UploadOutcome.PARTLY_ACCEPTED, {"conflicting-labels": 6})
    assert at.registered() == sorted(FIRST)
    at.check_consistency()


def test_a_training_text_with_another_label_in_the_test_data_is_told_of(at: Deployment) -> None:
    at.upload("test/a.csv", SECOND)
    at.upload("train/a.csv", [*FIRST, (BUSINESS, next(text for label, text in SECOND if label == SPORTS))])
    record = at.run_turn()
    assert (record.leaked, record.conflicts) == ({"train": 1}, {"train": 1})
    (example,) = record.conflict_examples
    assert (example.labels, example.source, example.other_labels) == ((SPORTS,), "test-000001", (BUSINESS,))
    at.check_consistency()


def test_what_a_training_file_repeats_counts_each_time_if_that_is_meant(at: Deployment) -> None:
    at.change(repeated_documents=RepeatedDocuments.KEEP)
    at.change(minimum_documents_per_label=20)
    twice = [*FIRST, *FIRST]
    at.upload("train/a.csv", twice)
    at.upload("test/a.csv", [*SECOND, *SECOND])
    record = at.run_turn()
    assert {found.split: found.documents for found in record.datasets} == {Split.TRAIN: 40, Split.TEST: 20}
    assert at.registered() == sorted(twice)
    assert at.registered(Split.TEST) == sorted(SECOND)
    at.check_consistency()
    at.upload("train/b.csv", [*FIRST, *documents(*LABELS, start=50, count=20)])
    record = at.run_turn()
    assert record.duplicates == {"train": 20}, "another file's copies are copies"
    assert [found.documents for found in record.datasets] == [40]
    at.check_consistency()
    at.replace_flywheel()
    at.run_until_at_rest()
    assert len(at.registered()) == 80
    at.check_documents()


def test_repeated_documents_with_another_label_stay_too(at: Deployment) -> None:
    at.change(repeated_documents=RepeatedDocuments.KEEP)
    again = [(SPORTS, FIRST[0][1])] * 2
    at.upload("train/a.csv", [*FIRST, *again])
    record = at.run_turn()
    assert [found.documents for found in record.datasets] == [22]
    assert at.registered() == sorted([*FIRST, *again])
    at.check_consistency()
