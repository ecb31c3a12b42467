"""Data found bad: what people exclude is in no later dataset, and comes back when they undo it."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from flywheel.records.uploads import Split
from ops.deployment.errors import FileError, OperatorError
from ops.verbs.exclude import Excluded, exclude, excluded, undo
from tests.pipeline.datasets.two_turns import FIRST, SECOND, TEST, two_turns_old
from tests.pipeline.deployed import Deployment
from tests.pipeline.documents import LABELS, Document, as_csv, documents, mislabelled
from tests.pipeline.entities.documents import TYPES, annotated, as_json_lines
from tests.simulation.functions import FunctionFailed

BUSINESS, SPORTS = LABELS
THIRD = documents(*LABELS, start=200, count=10)
BAD = [FIRST[3], FIRST[8]]


@pytest.fixture
def at() -> Deployment:
    return two_turns_old()


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    return file_of(BAD, tmp_path)


def file_of(rows: list[Document], folder: Path) -> Path:
    path = folder / "bad.csv"
    path.write_bytes(as_csv(rows))
    return path


def without(rows: list[Document], *left_out: Document) -> list[Document]:
    return sorted(row for row in rows if row not in left_out)


def test_an_excluded_upload_leaves_the_next_generations_seed_and_comes_back(at: Deployment) -> None:
    change = exclude(at.operator, ["train/b.csv"], [], reason="written by a bot")
    assert (change.uploads, change.waiting, change.in_datasets) == (("train/b.csv",), 0, {"train-000002": 40})
    assert not at.poked().start
    assert at.registered() == sorted(FIRST + SECOND), "a dataset cannot be changed"
    at.replace_flywheel()
    (record,) = at.run_until_at_rest()
    assert at.registered() == sorted(FIRST)
    assert record.excluded == {"train": 40}
    undo(at.operator, ["b.csv"], [])
    at.request_turn()
    assert at.run_turn().excluded == {}
    assert at.registered() == sorted(FIRST + SECOND)
    at.check_documents()


def test_excluded_documents_leave_the_next_generations_seed_and_come_back(at: Deployment, bad: Path) -> None:
    change = exclude(at.operator, [], [bad], reason="wrong label")
    assert (change.documents, change.waiting, change.in_datasets) == (2, 0, {"train-000001": 2})
    at.replace_flywheel()
    (record,) = at.run_until_at_rest()
    assert at.registered() == without(FIRST + SECOND, *BAD)
    assert record.excluded == {"train": 2}
    assert record.waiting == ()
    assert at.waiting() == sorted(BAD)
    # Another generation leaves them out, too.
    at.replace_flywheel()
    at.run_until_at_rest()
    assert at.registered() == without(FIRST + SECOND, *BAD)
    assert undo(at.operator, [], [bad]).waiting == 2
    at.upload("train/c.csv", more := documents(*LABELS, start=300, count=10))
    at.run_until_at_rest()
    assert at.registered() == sorted(FIRST + SECOND + more)
    at.check_documents()


def test_an_excluded_upload_that_waits_goes_on_waiting(at: Deployment) -> None:
    few = documents(*LABELS, start=300, count=4)
    at.upload("train/few.csv", few)
    at.run_turn()
    assert exclude(at.operator, ["few.csv"], [], reason="a mistake").waiting == 8
    enough = documents(*LABELS, start=400, count=10)
    at.upload("train/enough.csv", enough)
    record = at.run_turn()
    assert record.excluded == {"train": 8}
    assert record.waiting == ()
    assert at.registered() == sorted(FIRST + SECOND + enough)
    assert at.waiting() == sorted(few)
    undo(at.operator, ["train/few.csv"], [])
    at.upload("train/late.csv", late := documents(*LABELS, start=500, count=4))
    at.run_until_at_rest()
    assert at.registered() == sorted(FIRST + SECOND + enough + few + late)
    at.check_consistency()


def test_excluded_documents_that_wait_are_held_back_until_that_is_undone(at: Deployment, tmp_path: Path) -> None:
    few = documents(*LABELS, start=300, count=4)
    at.upload("train/few.csv", few)
    at.run_turn()
    file = file_of(few[:2], tmp_path)
    assert exclude(at.operator, [], [file], reason="a mistake").waiting == 2
    enough = documents(*LABELS, start=400, count=10)
    at.upload("train/enough.csv", enough)
    at.run_until_at_rest()
    assert at.registered() == sorted(FIRST + SECOND + few[2:] + enough)
    assert at.waiting() == sorted(few[:2])
    undo(at.operator, [], [file])
    at.upload("train/late.csv", late := documents(*LABELS, start=500, count=5))
    at.run_until_at_rest()
    assert at.registered() == sorted(FIRST + SECOND + few + enough + late)
    at.check_consistency()


def test_the_same_document_with_another_label_is_not_excluded(at: Deployment, bad: Path) -> None:
    exclude(at.operator, [], [bad], reason="wrong label")
    right = mislabelled(BAD)
    at.upload("train/right.csv", right + documents(*LABELS, start=300, count=10))
    record = at.run_turn()
    assert record.conflicts == {}, "what was excluded is no earlier document"
    at.replace_flywheel()
    at.run_until_at_rest()
    assert set(right) <= set(at.registered())
    assert not set(BAD) & set(at.registered())


def test_good_documents_of_an_excluded_upload_are_used_when_they_are_uploaded_again(at: Deployment) -> None:
    exclude(at.operator, ["train/b.csv"], [], reason="half of it is bad")
    mended = [*SECOND[:30], *documents(*LABELS, start=80, count=10)]
    at.upload("train/b.csv", mended)
    at.run_turn()
    at.replace_flywheel()
    at.run_until_at_rest()
    assert at.registered() == sorted(FIRST + mended)
    # Undone, they count once again.
    (old,) = excluded(at.operator).uploads
    undo(at.operator, [old.id], [])
    at.replace_flywheel()
    at.run_until_at_rest()
    assert at.registered() == sorted({*FIRST, *SECOND, *mended})


def test_test_data_that_are_excluded_keep_no_training_document_out_of_a_new_generation(at: Deployment) -> None:
    rows = documents(*LABELS, start=300, count=10)
    at.upload("test/mistake.csv", rows)
    at.run_turn()
    exclude(at.operator, ["mistake.csv"], [], reason="they were meant for training")
    at.upload("train/right.csv", rows + documents(*LABELS, start=400, count=10))
    assert at.run_turn().leaked == {"train": 20}, "this flywheel goes on testing with them"
    at.replace_flywheel()
    at.upload("train/again.csv", list(reversed(rows)))
    at.run_until_at_rest()
    assert at.registered(Split.TEST) == sorted(TEST)
    assert set(rows) <= set(at.registered())


def test_everything_excluded_is_listed_with_its_reason(at: Deployment, bad: Path) -> None:
    assert excluded(at.operator) == Excluded()
    exclude(at.operator, ["b.csv"], [bad], reason="written by a bot")
    again = exclude(at.operator, ["b.csv"], [bad], reason="another reason")
    assert again.unchanged == 3
    found = excluded(at.operator)
    assert [(each.exclusion.reason, each.exclusion.by) for each in found.uploads] == [
        ("written by a bot", at.operator.clients.caller())
    ]
    assert [(each.documents, each.exclusion.reason) for each in found.documents] == [(2, "written by a bot")]
    assert found.in_datasets == {"train-000001": 2, "train-000002": 40}
    undo(at.operator, ["b.csv"], [bad])
    assert excluded(at.operator) == Excluded()


def test_what_an_outlived_step_left_of_a_part_that_a_dataset_has_is_no_document_that_waits(
    at: Deployment, tmp_path: Path
) -> None:
    at.upload("train/c.csv", THIRD)
    turn = at.start_turn().run_before("ComposeDatasets")
    (facts,) = [key for key in at.keys("prepared/train/") if key.endswith("/facts.json")]
    content = at.bucket.read_bytes(facts)
    turn.run()
    at.bucket.write_bytes(facts, content)
    change = exclude(at.operator, [], [file_of(THIRD[:1], tmp_path)], reason="wrong label")
    assert (change.waiting, change.in_datasets) == (0, {"train-000003": 1})


def test_what_is_unknown_is_refused_and_nothing_is_excluded(at: Deployment, tmp_path: Path) -> None:
    at.upload("train/a.csv", documents(*LABELS, start=300, count=10))
    at.run_turn()
    person = at.operator
    label = BUSINESS if BAD[0][0] == SPORTS else SPORTS
    mixed = file_of([FIRST[0], (label, BAD[0][1])], tmp_path)
    wrong = tmp_path / "wrong.csv"
    wrong.write_bytes(b"BUSINES,a document\nSPORTS,another\n")
    for uploads, files, problem in (
        (["b.csv", "c.csv"], [], "No documents of an upload c.csv"),
        (["a.csv"], [], "3 uploads are named a.csv"),
        (["train/a.csv"], [], "2 uploads are named train/a.csv"),
        ([], [mixed], "1 of 2 documents neither wait nor are in a dataset, the first is document 2 of"),
        ([], [mixed], "1 of them are there with other labels"),
        ([], [wrong], "cannot be read completely"),
    ):
        with pytest.raises((OperatorError, FileError), match=problem):
            exclude(person, uploads, files, reason="-")
    with pytest.raises(OperatorError, match="is excluded"):
        undo(person, ["b.csv"], [])
    assert at.keys("exclusions/") == []


@pytest.mark.parametrize("changes", range(16))
def test_a_step_that_is_killed_leaves_out_the_same(at: Deployment, bad: Path, changes: int) -> None:
    exclude(at.operator, ["b.csv"], [bad], reason="-")
    at.replace_flywheel()
    turn = at.start_turn().run_before("ComposeDatasets")
    at.script.kill(after=changes)
    with contextlib.suppress(FunctionFailed):
        at.invoke("compose_datasets", {"turn": turn.name})
    # An exclusion that comes while the turn composes changes no dataset that is planned.
    record = turn.run()
    assert at.registered() == without(FIRST, *BAD)
    assert record.excluded == {"train": 42}
    at.check_documents()


def test_documents_of_a_recognizer_are_excluded_too(tmp_path: Path) -> None:
    at = Deployment(entities=True, labels=TYPES)
    rows = annotated(count=200)
    at.upload("train/people.jsonl", as_json_lines(rows))
    at.run_turn()
    bad = tmp_path / "bad.jsonl"
    bad.write_bytes(as_json_lines(rows[:2]))
    person = at.operator
    assert exclude(person, [], [bad], reason="wrong spans").in_datasets == {"train-000001": 2}
    at.replace_flywheel()
    at.run_until_at_rest()
    assert sorted(text for _, text in at.registered()) == sorted(text for text, _ in rows[2:])
    assert len(at.waiting()) == 2
