"""From documents that wait to datasets that Comprehend completed: enough of them, once, and never lost."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flywheel.document_classification import DOCUMENT_CLASSIFICATION
from flywheel.records.datasets import LABEL_SEPARATOR_IN_RECORDS
from flywheel.records.turns import TurnOutcome
from flywheel.records.uploads import Split
from flywheel.turn.start_turn import Poke
from local.comprehend.faults import Fault
from tests.pipeline.deployed import Deployment
from tests.pipeline.documents import LABELS, documents
from tests.simulation.functions import FunctionFailed

BUSINESS, SPORTS = LABELS
BOTH = documents(*LABELS, count=10)
MORE = documents(*LABELS, start=10, count=10)


@pytest.fixture
def at() -> Deployment:
    return Deployment()


def test_a_dataset_has_the_flywheels_tags(at: Deployment) -> None:
    at.upload("train/a.csv", BOTH)
    (dataset,) = at.run_turn().datasets
    arn = at.service.dataset_arn(dataset.name)
    tags = at.comprehend.list_tags_for_resource(ResourceArn=at.flywheel_arn)["Tags"]
    assert at.comprehend.list_tags_for_resource(ResourceArn=arn)["Tags"] == tags != []


def test_the_first_training_dataset_waits_for_enough_of_every_label(at: Deployment) -> None:
    at.upload("train/a.csv", documents(BUSINESS, count=20) + documents(SPORTS, count=3))
    record = at.run_turn()
    assert record.datasets == ()
    (waiting,) = record.waiting
    assert (waiting.documents, waiting.labels) == (23, {BUSINESS: 20, SPORTS: 3})
    assert f"2 more of {SPORTS}" in waiting.reason
    at.check_consistency()
    at.upload("train/b.csv", documents(SPORTS, start=100, count=2))
    record = at.run_turn()
    assert [dataset.documents for dataset in record.datasets] == [25]
    assert record.waiting == ()
    at.check_consistency()


def test_test_data_wait_for_a_document_of_every_label(at: Deployment) -> None:
    at.upload("test/a.csv", documents(BUSINESS, count=20))
    assert f"1 more of {SPORTS}" in at.run_turn().waiting[0].reason
    at.upload("test/b.csv", documents(SPORTS, count=1))
    assert [dataset.labels for dataset in at.run_turn().datasets] == [{BUSINESS: 20, SPORTS: 1}]
    at.check_consistency()


def test_a_later_dataset_holds_back_the_labels_that_have_too_few_until_they_have_enough(at: Deployment) -> None:
    at.upload("train/a.csv", BOTH)
    at.run_turn()
    mixed = documents(BUSINESS, start=100, count=15) + documents(SPORTS, start=100, count=4)
    at.upload("train/b.csv", mixed)
    record = at.run_turn()
    assert [dataset.labels for dataset in record.datasets] == [{BUSINESS: 15}]
    assert [(waiting.labels, waiting.reason) for waiting in record.waiting] == [
        ({SPORTS: 4}, f"Not enough documents yet: 1 more of {SPORTS} needed.")
    ]
    assert at.waiting() == sorted(documents(SPORTS, start=100, count=4))
    at.check_consistency()
    late = documents(SPORTS, start=200, count=20)
    at.upload("train/c.csv", late)
    record = at.run_turn()
    assert [dataset.labels for dataset in record.datasets] == [{SPORTS: 24}]
    assert record.waiting == ()
    assert at.waiting() == []
    assert at.registered() == sorted(BOTH + mixed + late)
    at.check_consistency()


def test_an_operator_overrules_the_minimum(at: Deployment) -> None:
    few = documents(BUSINESS, count=20) + documents(SPORTS, count=1)
    at.upload("train/a.csv", few)
    at.run_turn()
    at.request_turn(overrule_minimum=True)
    assert at.run_turn().datasets[0].documents == 21
    assert at.registered() == sorted(few)
    at.check_consistency()


def test_many_uploads_make_one_training_and_one_test_dataset(at: Deployment) -> None:
    for number in range(6):
        at.upload(f"train/{number}.csv", documents(*LABELS, start=number * 10, count=10))
        at.upload(f"test/{number}.csv", documents(*LABELS, start=number * 10, count=10, words="test "))
    at.run_turn()
    assert sorted(item["DatasetName"] for item in at.datasets()) == ["test-000001", "train-000001"]
    assert len(at.registered(Split.TRAIN)) == len(at.registered(Split.TEST)) == 120
    at.check_consistency()


def test_a_dataset_has_fewer_bytes_than_comprehend_takes_so_it_waits(at: Deployment) -> None:
    at.upload("train/a.csv", [(label, f"{n}") for n in range(5) for label in LABELS])
    (waiting,) = at.run_turn().waiting
    assert "500 bytes" in waiting.reason
    at.upload("train/b.csv", BOTH)
    assert at.run_turn().datasets[0].documents == 30
    at.check_consistency()


def test_what_is_held_back_does_not_count_towards_the_bytes(at: Deployment) -> None:
    at.upload("train/a.csv", BOTH)
    at.run_turn()
    short = [(BUSINESS, f"{n}") for n in range(5)]
    at.upload("train/b.csv", [*short, (SPORTS, "long " * 500)])
    record = at.run_turn()
    assert record.outcome is TurnOutcome.SUCCEEDED
    assert record.datasets == ()
    assert "500 bytes" in record.waiting[0].reason
    at.check_consistency()


@pytest.fixture
def small_datasets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 50 documents at most."""
    limits = replace(DOCUMENT_CLASSIFICATION.dataset_limits, documents=50)
    monkeypatch.setattr(DOCUMENT_CLASSIFICATION, "dataset_limits", limits)


@pytest.mark.usefixtures("small_datasets")
def test_what_does_not_fit_into_a_dataset_makes_several_that_are_trained_on_together(at: Deployment) -> None:
    uploads = [documents(*LABELS, start=number * 10, count=10) for number in range(5)]
    for number, upload in enumerate(uploads):
        at.upload(f"train/{number}.csv", upload)
    (record,) = at.run_until_at_rest()
    assert [(dataset.name, dataset.documents) for dataset in record.datasets] == [
        ("train-000001", 40),
        ("train-000001-2", 40),
        ("train-000001-3", 20),
    ]
    assert len(at.iterations()) == 1
    assert at.registered() == sorted(document for upload in uploads for document in upload)
    at.check_consistency()


@pytest.mark.usefixtures("small_datasets")
def test_a_label_that_only_the_newest_documents_have_is_in_the_first_of_several_datasets(at: Deployment) -> None:
    """The first dataset waits for every label: what does not fit must not keep it waiting for ever."""
    old = [documents(BUSINESS, start=number * 20, count=20) for number in range(4)]
    for number, upload in enumerate(old):
        at.upload(f"train/{number}.csv", upload)
    new = documents(SPORTS, start=900, count=20)
    at.upload("train/new.csv", new)
    (record,) = at.run_until_at_rest()
    assert [dataset.labels for dataset in record.datasets] == [
        {BUSINESS: 20, SPORTS: 20},
        {BUSINESS: 40},
        {BUSINESS: 20},
    ]
    assert at.registered() == sorted([*new, *(document for upload in old for document in upload)])


@pytest.mark.usefixtures("small_datasets")
def test_what_several_datasets_hold_back_waits_and_is_counted_once(at: Deployment) -> None:
    at.upload("train/a.csv", BOTH)
    at.run_turn()
    for number in range(3):
        start = 100 + number * 50
        long = documents(SPORTS, start=start, count=2, words="a long document that is needed for 500 bytes ")
        rows = documents(BUSINESS, start=start, count=30) + long
        at.upload(f"train/b{number}.csv", rows)
    at.upload("train/few.csv", documents(SPORTS, start=900, count=1))
    first, second = at.run_until_at_rest()
    assert [dataset.labels for dataset in first.datasets] == [{BUSINESS: 30}] * 3
    assert [waiting.documents for waiting in first.waiting] == [7]
    assert "The next turn takes them" in first.waiting[0].reason
    assert [dataset.labels for dataset in second.datasets] == [{SPORTS: 7}]
    at.check_consistency()


@pytest.mark.usefixtures("small_datasets")
@pytest.mark.parametrize("changes", range(0, 40, 3))
def test_a_step_that_is_killed_between_datasets_goes_on_with_what_is_left(at: Deployment, changes: int) -> None:
    uploads = [documents(*LABELS, start=number * 10, count=10) for number in range(5)]
    for number, upload in enumerate(uploads):
        at.upload(f"train/{number}.csv", upload)
    turn = at.start_turn().run_before("ComposeDatasets")
    at.script.kill(after=changes)
    record = turn.run()
    assert at.script.killed
    assert record.outcome is TurnOutcome.SUCCEEDED
    assert sorted(dataset.documents for dataset in record.datasets) == [20, 40, 40]
    assert at.registered() == sorted(document for upload in uploads for document in upload)
    assert at.run_until_at_rest() == []
    at.check_consistency()


@pytest.mark.usefixtures("small_datasets")
@pytest.mark.parametrize("step", ["RegisterDataset", "AcceptDataset"])
def test_several_datasets_that_a_turn_left_are_all_finished_by_the_next(at: Deployment, step: str) -> None:
    uploads = [documents(*LABELS, start=number * 10, count=10) for number in range(5)]
    for number, upload in enumerate(uploads):
        at.upload(f"train/{number}.csv", upload)
    at.start_turn().run_before(step)
    record = at.run_turn()
    assert {dataset.name for dataset in record.datasets} == {"train-000001", "train-000001-2", "train-000001-3"}
    assert at.registered() == sorted(document for upload in uploads for document in upload)
    at.check_consistency()


@pytest.mark.usefixtures("small_datasets")
def test_one_of_several_datasets_that_fails_is_composed_anew(at: Deployment) -> None:
    uploads = [documents(*LABELS, start=number * 10, count=10) for number in range(5)]
    for number, upload in enumerate(uploads):
        at.upload(f"train/{number}.csv", upload)
    at.faults.add(Fault(resource="dataset", times=1))
    assert at.run_turn().outcome is TurnOutcome.FAILED
    at.request_turn()
    at.run_until_at_rest()
    assert at.registered() == sorted(document for upload in uploads for document in upload)
    at.check_consistency()


def test_documents_of_a_failed_dataset_wait_and_the_next_turn_registers_them_under_another_name(at: Deployment) -> None:
    at.upload("train/a.csv", BOTH)
    at.faults.add(Fault(resource="dataset", times=1, message="The disk is full."))
    record = at.run_turn()
    assert (record.outcome, record.error, record.cause) == (TurnOutcome.FAILED, "DatasetFailed", "The disk is full.")
    assert at.waiting() == sorted(BOTH)
    assert not at.poked(Poke.TURN_ENDED).start
    assert at.poked(Poke.SCHEDULE).start
    at.run_turn()
    assert {item["DatasetName"]: item["Status"] for item in at.datasets()} == {
        "train-000001": "FAILED",
        "train-000002": "COMPLETED",
    }
    assert at.registered() == sorted(BOTH)
    assert at.keys("datasets/train/train-000001/") == []
    at.check_consistency()


def test_a_dataset_that_fails_again_and_again_is_tried_a_bounded_number_of_times(at: Deployment) -> None:
    at.upload("train/a.csv", BOTH)
    at.faults.add(Fault(resource="dataset"))
    records = at.run_until_at_rest()
    assert [record.outcome for record in records] == [TurnOutcome.FAILED] * 3
    assert at.waiting() == sorted(BOTH)
    assert "flywheel turn --now" in at.poked().reason
    at.faults.clear()
    at.request_turn()
    at.run_until_at_rest()
    assert at.registered() == sorted(BOTH)
    at.check_consistency()


def test_one_failed_dataset_does_not_take_the_other_with_it(at: Deployment) -> None:
    at.upload("test/a.csv", MORE)
    at.upload("train/a.csv", BOTH)
    at.faults.add(Fault(resource="dataset", every=2, times=1))
    assert at.run_turn().outcome is TurnOutcome.FAILED
    # Which of them ends first the kernel decides.
    assert [bool(at.registered(split)) for split in Split].count(True) == 1
    at.run_turn()
    assert at.registered(Split.TEST) == sorted(MORE)
    assert at.registered(Split.TRAIN) == sorted(BOTH)
    at.check_consistency()


@pytest.mark.parametrize("step", ["RegisterDataset", "AwaitDatasetBegin", "AcceptDataset"])
def test_a_dataset_that_an_earlier_turn_did_not_see_through_is_finished_by_the_next(at: Deployment, step: str) -> None:
    at.upload("train/a.csv", BOTH)
    at.start_turn().run_before(step)
    at.run_turn()
    assert [item["DatasetName"] for item in at.datasets()] == ["train-000001"]
    assert at.registered() == sorted(BOTH)
    assert at.waiting() == []
    at.check_consistency()


def test_uploads_that_meet_an_unfinished_dataset_get_one_of_their_own(at: Deployment) -> None:
    at.upload("train/a.csv", BOTH)
    at.start_turn().run_before("RegisterDataset")
    at.upload("train/b.csv", MORE)
    records = at.run_until_at_rest()
    assert [[dataset.name for dataset in record.datasets] for record in records] == [["train-000001"], ["train-000003"]]
    assert at.registered() == sorted(BOTH + MORE)
    at.check_consistency()


def test_uploads_that_meet_an_unfinished_dataset_and_are_too_few_wait_and_say_so(at: Deployment) -> None:
    at.upload("train/a.csv", BOTH)
    at.start_turn().run_before("RegisterDataset")
    few = documents(SPORTS, start=100, count=2)
    at.upload("train/b.csv", few)
    (record,) = at.run_until_at_rest()
    assert [(waiting.documents, waiting.labels) for waiting in record.waiting] == [(2, {SPORTS: 2})]
    assert f"3 more of {SPORTS}" in record.waiting[0].reason
    assert at.waiting() == sorted(few)
    at.check_consistency()


def test_composing_twice_changes_nothing(at: Deployment) -> None:
    at.upload("train/a.csv", BOTH)
    turn = at.start_turn().run_before("ComposeDatasets")
    composition = at.invoke("compose_datasets", {"turn": turn.name})
    at.script.kill()
    assert at.invoke("compose_datasets", {"turn": turn.name}) == composition
    assert at.script.changes == []


def test_registering_twice_makes_one_dataset(at: Deployment) -> None:
    at.upload("train/a.csv", BOTH)
    turn = at.start_turn().run_before("RegisterDataset")
    dataset = {"turn": turn.name, "name": "train-000001", "split": "train"}
    at.invoke("register_dataset", dataset)
    at.script.lose_answers()
    turn.run()
    at.invoke("register_dataset", dataset)
    assert [item["DatasetName"] for item in at.datasets()] == ["train-000001"]


def test_a_dataset_is_accepted_only_when_it_is_completed(at: Deployment) -> None:
    at.upload("train/a.csv", BOTH)
    turn = at.start_turn().run_before("RegisterDataset")
    with pytest.raises(FunctionFailed, match="ServiceBusy"):
        at.invoke("accept_dataset", {"turn": turn.name, "name": "train-000001", "split": "train"})
    assert at.waiting() == sorted(BOTH)


@pytest.mark.parametrize("step", ["ComposeDatasets", "RegisterDataset", "AcceptDataset"])
def test_only_the_current_turn_makes_datasets(at: Deployment, step: str) -> None:
    at.upload("train/a.csv", BOTH)
    turn = at.start_turn().run_before(step)
    turn.stop()
    at.start_turn().run_before("BeginTurn")
    at.script.kill()
    turn.redrive()
    at.settle()
    assert (turn.execution.status, turn.execution.error) == ("FAILED", "NotCurrentTurn")
    assert at.script.changes == []


def test_documents_of_several_labels_are_held_back_together() -> None:
    at = Deployment(labels=("A", "B", "C"), multi_label=True)
    first = documents("A", "B", "C", "A|B", count=10)
    at.upload("train/a.csv", first)
    at.run_turn()
    assert at.registered() == sorted(first)
    mixed = documents("A", "A|B", start=100, count=10) + documents("B|C", start=100, count=4)
    at.upload("train/b.csv", mixed)
    record = at.run_turn()
    assert [dataset.labels for dataset in record.datasets] == [{"A": 20, "B": 10}]
    assert at.waiting() == sorted(documents("B|C", start=100, count=4))
    assert [waiting.labels for waiting in record.waiting] == [{"B": 4, "C": 4}]
    at.upload("train/c.csv", documents("C", start=200, count=5) + documents("B", start=200, count=5))
    at.run_turn()
    assert at.waiting() == []
    assert len(at.registered()) == len(first) + len(mixed) + 10
    at.check_consistency()


def test_one_label_below_the_minimum_takes_documents_of_another_with_it() -> None:
    at = Deployment(labels=("A", "B", "C"), multi_label=True)
    at.upload("train/a.csv", documents("A", "B", "C", count=10))
    at.run_turn()
    # B has six documents, but three of them are C's as well, of which there are too few.
    mixed = documents("A", start=100, count=20) + documents("B", "B|C", start=100, count=3)
    at.upload("train/b.csv", mixed)
    record = at.run_turn()
    assert [dataset.labels for dataset in record.datasets] == [{"A": 20}]
    combinations = {document[0].replace("|", LABEL_SEPARATOR_IN_RECORDS) for document in at.waiting()}
    assert combinations == {"B", f"B{LABEL_SEPARATOR_IN_RECORDS}C"}
    at.check_consistency()


def test_what_a_stopped_turn_began_of_a_further_dataset_is_deleted(at: Deployment) -> None:
    at.upload("train/a.csv", BOTH)
    at.run_turn()
    at.bucket.write_bytes("datasets/train/train-000001-2/dropped-0.bin", b"")
    at.request_turn()
    at.run_turn()
    assert at.keys("datasets/train/train-000001-2/") == []
    at.check_consistency()
