"""What becomes of an upload: every version of every file ends in exactly one place."""

from __future__ import annotations

import gzip

import pytest

from flywheel.records.uploads import Split, UploadOutcome, UploadResult, rejected_folder
from flywheel.turn import start_turn
from tests.pipeline.deployed import Deployment, result_of
from tests.pipeline.documents import LABELS, Document, as_csv, documents

FIRST = documents(*LABELS, count=10)
SECOND = documents(*LABELS, start=10, count=10)
UNUSABLE = b"only one column\n" * 20


@pytest.fixture
def at() -> Deployment:
    return Deployment()


def test_an_upload_becomes_documents_of_a_dataset_and_is_gone_from_where_it_was_dropped(at: Deployment) -> None:
    at.upload("train/a.csv", FIRST)
    record = at.run_turn()
    assert result_of(record, "train/a.csv").outcome is UploadOutcome.ACCEPTED
    assert at.registered() == sorted(FIRST)
    at.check_consistency()


def test_a_packed_file_is_the_file_that_it_unpacks_to(at: Deployment) -> None:
    at.upload("train/a.csv.gz", gzip.compress(as_csv(FIRST)))
    at.upload("train/b.csv", FIRST)
    at.upload("train/named otherwise", gzip.compress(as_csv(SECOND) + b"only one column\n"))
    record = at.run_turn()
    assert result_of(record, "train/a.csv.gz").outcome is UploadOutcome.ACCEPTED
    assert result_of(record, "train/b.csv").outcome is UploadOutcome.DUPLICATE
    partly = result_of(record, "train/named otherwise")
    assert partly.outcome is UploadOutcome.PARTLY_ACCEPTED
    folder = rejected_folder(partly.upload)
    assert at.bucket.read_bytes(f"{folder}bad-lines") == b"only one column\n"
    assert b"CSV with a comma between the columns, gzip," in at.bucket.read_bytes(f"{folder}report.txt")
    assert at.registered() == sorted(FIRST + SECOND)
    at.check_consistency()


def test_of_a_packed_file_that_is_broken_nothing_is_taken_and_all_is_kept(at: Deployment) -> None:
    packed = gzip.compress(as_csv(FIRST))[:-1]
    at.upload("train/a.csv.gz", packed)
    broken = result_of(at.run_turn(), "train/a.csv.gz")
    assert (broken.outcome, broken.documents) == (UploadOutcome.REJECTED, 0)
    assert broken.reason == "The file is a broken gzip archive: its end is missing. Nothing of it was taken."
    assert at.bucket.read_bytes(f"{rejected_folder(broken.upload)}original/a.csv.gz") == packed
    assert at.keys("prepared/") == at.keys("train/") == []
    at.check_consistency()


def test_a_result_has_no_more_combinations_of_labels_than_everybody_can_read(
    at: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flywheel.uploads.prepare_upload.MOST_COMBINATIONS", len(LABELS) - 1)
    at.upload("train/a.csv", FIRST)
    record = at.run_turn()
    result = result_of(record, "train/a.csv")
    assert (result.documents, result.labels) == (len(FIRST), {})
    assert set(record.datasets[0].labels) == set(LABELS)


def test_any_name_is_an_upload_but_a_folder_is_none(at: Deployment) -> None:
    at.upload("train/", b"")
    at.upload("train/week 47/", b"")
    at.upload("train/week 47/données (1)+.csv", FIRST)
    record = at.run_turn()
    assert [result.upload.key for result in record.uploads] == ["train/week 47/données (1)+.csv"]
    assert at.registered() == sorted(FIRST)
    assert at.keys("train/") == ["train/", "train/week 47/"]
    assert not at.poked().start


def test_the_same_documents_under_two_names_in_one_turn_count_once(at: Deployment) -> None:
    at.upload("train/a.csv", FIRST)
    at.upload("train/b.csv", b"label,text\r\n" + as_csv(FIRST).replace(b"\n", b"\r\n"))
    record = at.run_turn()
    outcomes = [result_of(record, key).outcome for key in ("train/a.csv", "train/b.csv")]
    assert outcomes == [UploadOutcome.ACCEPTED, UploadOutcome.DUPLICATE]
    assert "train/a.csv" in result_of(record, "train/b.csv").reason
    assert at.registered() == sorted(FIRST)
    at.check_consistency()


@pytest.mark.parametrize("name", ["a.csv", "another name.csv"])
def test_the_same_file_again_in_a_later_turn_is_a_duplicate(at: Deployment, name: str) -> None:
    at.upload("train/a.csv", FIRST)
    at.run_turn()
    at.upload(f"train/{name}", FIRST)
    assert at.poked(start_turn.Poke.UPLOAD).start, "the second upload would stay where it is"
    record = at.run_turn()
    result = result_of(record, f"train/{name}")
    assert result.outcome is UploadOutcome.DUPLICATE
    assert "train-000001" in result.reason
    assert at.registered() == sorted(FIRST)
    assert len(at.iterations()) == 1
    at.check_consistency()


def test_the_same_file_again_while_its_documents_wait_is_a_duplicate(at: Deployment) -> None:
    waiting = documents(LABELS[0])
    at.upload("train/a.csv", waiting)
    at.run_turn()
    at.upload("train/b.csv", waiting)
    assert "waiting" in result_of(at.run_turn(), "train/b.csv").reason
    assert at.waiting() == sorted(waiting)
    at.check_consistency()


def test_the_same_file_for_training_and_for_testing_is_no_duplicate(at: Deployment) -> None:
    at.upload("train/a.csv", FIRST)
    at.upload("test/a.csv", FIRST)
    record = at.run_turn()
    assert {result.outcome for result in record.uploads} == {UploadOutcome.ACCEPTED}


def test_a_newer_version_replaces_the_older_before_it_is_collected(at: Deployment) -> None:
    older = at.upload("train/a.csv", FIRST)
    newer = at.upload("train/a.csv", SECOND)
    record = at.run_turn()
    assert [result.upload.version_id for result in record.uploads] == [newer]
    (replaced,) = record.replaced
    assert (replaced.version_id, replaced.replaced_by and replaced.replaced_by.version_id) == (older, newer)
    assert at.registered() == sorted(SECOND)
    at.check_consistency()


def test_a_version_that_arrives_while_the_older_is_prepared_is_the_next_turns(at: Deployment) -> None:
    at.upload("train/a.csv", FIRST)
    turn = at.start_turn().run_before("PrepareTrainUpload")
    newer = at.upload("train/a.csv", SECOND)
    first = turn.run()
    assert at.keys("train/") == ["train/a.csv"], "the newer version was deleted with the older"
    assert at.poked(start_turn.Poke.TURN_ENDED).start
    second = at.run_turn()
    assert [result.upload.version_id for result in second.uploads] == [newer]
    assert first.replaced == second.replaced == (), "the older version was taken in, not replaced"
    assert at.registered() == sorted(FIRST + SECOND)
    at.check_consistency()


def test_what_came_between_two_equal_versions_while_the_first_was_prepared_is_named(at: Deployment) -> None:
    at.upload("train/a.csv", FIRST)
    turn = at.start_turn().run_before("PrepareTrainUpload")
    between = at.upload("train/a.csv", SECOND)
    again = at.upload("train/a.csv", FIRST)
    record = turn.run()
    assert at.keys("train/") == [], "it has the content that was taken in"
    (replaced,) = record.replaced
    assert replaced.version_id == between
    assert replaced.replaced_by is not None
    assert replaced.replaced_by.version_id == again
    assert record.counts.replaced == 1
    assert at.run_until_at_rest() == []
    assert at.registered() == sorted(FIRST)
    at.check_consistency()


def test_what_people_delete_while_it_is_prepared_is_not_called_replaced(at: Deployment) -> None:
    at.upload("train/a.csv", FIRST)
    turn = at.start_turn().run_before("PrepareTrainUpload")
    at.upload("train/a.csv", SECOND)
    at.s3.delete_object(Bucket=at.app.intake, Key="train/a.csv")
    assert turn.run().replaced == ()
    at.check_consistency()


def test_deleting_an_upload_does_not_bring_an_older_version_back(at: Deployment) -> None:
    at.upload("train/a.csv", FIRST)
    at.upload("train/a.csv", SECOND)
    at.run_turn()
    assert at.keys("train/") == []
    versions = at.s3.list_object_versions(Bucket=at.app.intake, Prefix="train/")
    assert len(versions["Versions"]) == 2, "both versions can still be had by their ids"
    assert [marker["IsLatest"] for marker in versions["DeleteMarkers"]] == [True]


def test_what_an_uploader_deleted_is_not_collected(at: Deployment) -> None:
    at.upload("train/a.csv", FIRST)
    at.s3.delete_object(Bucket=at.app.intake, Key="train/a.csv")
    record = at.run_turn()
    assert record.uploads == ()
    assert at.registered() == []


def test_a_version_deleted_for_good_is_reported(at: Deployment) -> None:
    version = at.upload("train/a.csv", FIRST)
    turn = at.start_turn().run_before("PrepareTrainUpload")
    at.s3.delete_object(Bucket=at.app.intake, Key="train/a.csv", VersionId=version)
    assert result_of(turn.run(), "train/a.csv").outcome is UploadOutcome.GONE
    at.check_consistency()


def test_a_rejected_upload_is_kept_with_its_report(at: Deployment) -> None:
    at.upload("train/unusable.csv", UNUSABLE)
    result = result_of(at.run_turn(), "train/unusable.csv")
    assert result.outcome is UploadOutcome.REJECTED
    folder = f"rejected/{result.upload.id}/"
    assert at.keys(folder) == [f"{folder}original/unusable.csv", f"{folder}report.json", f"{folder}report.txt"]
    assert at.bucket.read_bytes(f"{folder}original/unusable.csv") == UNUSABLE
    report = at.bucket.require(f"{folder}report.json", UploadResult)
    assert len(report.examples) == 4, "the file, and three lines that are bad in the same way"
    assert report.model_copy(update={"examples": result.examples}) == result
    assert result.examples[0].line == 1 or result.examples[0].line is None
    assert at.registered() == []
    at.check_consistency()


def test_bad_lines_do_not_sink_a_file(at: Deployment) -> None:
    bad = b"CHESS,an unknown label\n"
    at.upload("train/a.csv", as_csv(FIRST) + bad)
    result = result_of(at.run_turn(), "train/a.csv")
    assert result.outcome is UploadOutcome.PARTLY_ACCEPTED
    assert sum(result.bad_lines.values()) == 1
    folder = f"rejected/{result.upload.id}/"
    assert at.keys(folder) == [f"{folder}bad-lines", f"{folder}report.json", f"{folder}report.txt"]
    assert at.bucket.read_bytes(f"{folder}bad-lines") == bad
    assert at.registered() == sorted(FIRST)
    at.check_consistency()


def test_an_upload_whose_preparation_fails_stays_and_is_in_the_record(at: Deployment) -> None:
    at.upload("train/a.csv", FIRST)
    turn = at.start_turn().run_before("PrepareTrainUpload")
    # Seven attempts, after which the map tolerates it that a child fails.
    at.script.kill(after=0, times=7)
    record = turn.run()
    assert [upload.key for upload in record.unprepared] == ["train/a.csv"]
    assert at.keys("train/") == ["train/a.csv"]
    at.run_turn()
    assert at.registered() == sorted(FIRST)
    at.check_consistency()


@pytest.mark.parametrize("changes", range(5))
def test_an_upload_whose_preparation_dies_half_way_is_taken_in_once(at: Deployment, changes: int) -> None:
    """The machine goes on without it, so its documents may be in a dataset while it still lies where it was dropped."""
    at.upload("test/a.csv", SECOND)
    at.upload("train/a.csv", FIRST)
    turn = at.start_turn().run_before("PrepareTrainUpload")
    at.script.kill(after=changes, times=7)
    turn.run()
    assert len(at.script.killed) == 7
    assert at.keys("train/") == ["train/a.csv"]
    record = at.run_turn()
    assert result_of(record, "train/a.csv").outcome is UploadOutcome.ACCEPTED
    assert at.registered() == sorted(FIRST)
    at.check_consistency()


def test_one_upload_at_a_time_while_turns_run_loses_none(at: Deployment) -> None:
    everything: list[Document] = []
    steps = [
        "BeginTurn",
        "PrepareTrainUpload",
        "ComposeDatasets",
        "RegisterDataset",
        "AcceptDataset",
        "RunIteration",
        "CompareMetrics",
    ]
    at.upload("train/0.csv", documents(*LABELS, count=10))
    everything += documents(*LABELS, count=10)
    turn = at.start_turn()
    for number, step in enumerate(steps, start=1):
        turn.run_before(step)
        more = documents(*LABELS, start=number * 100, count=6)
        at.upload(f"train/{number}.csv", more)
        everything += more
    turn.run()
    at.run_until_at_rest()
    assert at.registered() == sorted(everything)
    at.check_consistency()


def test_documents_that_stand_in_the_test_data_are_not_trained_on(at: Deployment) -> None:
    at.upload("train/a.csv", FIRST + SECOND)
    at.upload("test/a.csv", SECOND)
    record = at.run_turn()
    assert at.registered(Split.TEST) == sorted(SECOND)
    assert at.registered(Split.TRAIN) == sorted(FIRST)
    assert record.leaked == {"train": len(SECOND)}
    assert [dataset.documents for dataset in record.datasets] == [len(SECOND), len(FIRST)]
    at.check_consistency()


def test_a_test_document_that_was_trained_on_leaves_the_test_data(at: Deployment) -> None:
    at.upload("train/a.csv", FIRST)
    at.run_turn()
    at.upload("test/a.csv", FIRST[:4] + SECOND)
    record = at.run_turn()
    assert at.registered(Split.TEST) == sorted(SECOND)
    assert record.leaked == {"test": 4}
    at.check_consistency()


def test_the_same_text_under_another_label_counts_as_the_same_document_of_the_other_split(at: Deployment) -> None:
    at.upload("test/a.csv", SECOND)
    at.upload("train/a.csv", FIRST + [(LABELS[0], text) for _, text in SECOND])
    at.run_turn()
    assert at.registered() == sorted(FIRST)


def test_training_documents_that_all_stand_in_the_test_data_wait_and_say_so(at: Deployment) -> None:
    at.upload("train/a.csv", FIRST)
    at.upload("test/a.csv", FIRST)
    record = at.run_turn()
    assert [waiting.split for waiting in record.waiting] == [Split.TRAIN]
    assert "the other split" in record.waiting[0].reason
    at.check_consistency()


def test_only_the_current_turn_prepares(at: Deployment) -> None:
    at.upload("train/a.csv", FIRST)
    turn = at.start_turn().run_before("PrepareTrainUpload")
    turn.stop()
    at.start_turn().run_before("BeginTurn")
    turn.redrive()
    at.settle()
    assert turn.execution.error == "NotCurrentTurn"
    assert at.keys("train/") == ["train/a.csv"]
    assert at.keys("prepared/") == []
