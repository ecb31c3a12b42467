"""Another flywheel in the old one's place: seeded with everything accepted, and it has to beat the former model."""

from __future__ import annotations

import contextlib

import pytest

from flywheel.records.decisions import DecisionKind
from flywheel.records.turns import TurnOutcome
from flywheel.records.uploads import Split
from flywheel.turn.start_turn import Poke
from local.comprehend.faults import Fault
from tests.pipeline.datasets.two_turns import FIRST, SECOND, TEST, two_turns_old
from tests.pipeline.deployed import Deployment
from tests.pipeline.documents import LABELS, documents, mislabelled
from tests.simulation.functions import FunctionFailed

BUSINESS, SPORTS = LABELS


@pytest.fixture
def at() -> Deployment:
    return two_turns_old()


@pytest.mark.parametrize("poke", Poke)
def test_any_poke_starts_seeding_a_new_generation(at: Deployment, poke: Poke) -> None:
    assert not at.poked(poke).start
    at.replace_flywheel()
    verdict = at.poked(poke)
    assert verdict.start
    assert "seeded" in verdict.reason


def test_a_new_generation_is_seeded_with_everything_accepted_and_compared_with_the_former_model(at: Deployment) -> None:
    former, before = at.active_model(), at.parameters()
    at.replace_flywheel()
    (record,) = at.run_until_at_rest()
    assert at.registered() == sorted(FIRST + SECOND)
    assert at.registered(Split.TEST) == sorted(TEST)
    assert [dataset.name for dataset in record.datasets] == ["test-000003", "train-000003"]
    # As good as the former one is not better: that serves on.
    assert record.decision is DecisionKind.KEEP
    assert record.active
    assert record.active.arn == former
    assert record.active.source.startswith("iteration ")
    assert at.active_model() is None
    assert at.parameters() == before


def test_a_model_of_a_new_generation_that_beats_the_former_is_promoted() -> None:
    at = Deployment()
    at.upload("test/a.csv", TEST)
    at.upload("train/a.csv", mislabelled(FIRST))
    at.run_turn()
    former = at.active_model()
    at.replace_flywheel()
    at.upload("train/b.csv", documents(*LABELS, start=500, count=300))
    records = at.run_until_at_rest()
    assert records[-1].decision is DecisionKind.PROMOTE
    assert at.active_model() not in {former, None}
    assert at.parameters() == {
        "active-model-arn": at.active_model(),
        "desired-model-arn": at.active_model(),
        "previous-model-arn": former,
    }
    assert all(record.changed_outside is None for record in records)
    at.check_consistency()


def test_an_added_label_waits_for_its_documents_and_then_everything_is_seeded(at: Deployment) -> None:
    at.replace_flywheel(labels=(*LABELS, "WORLD"))
    (record,) = at.run_until_at_rest()
    assert record.outcome is TurnOutcome.SUCCEEDED
    assert record.datasets == ()
    assert ["more of WORLD" in waiting.reason for waiting in record.waiting] == [True, True]
    assert not at.poked().start
    at.upload("train/c.csv", documents("WORLD", count=10))
    at.upload("test/c.csv", documents("WORLD", count=3, words="judge: "))
    (record,) = at.run_until_at_rest()
    assert at.registered() == sorted(FIRST + SECOND + documents("WORLD", count=10))
    assert len(at.registered(Split.TEST)) == len(TEST) + 3
    assert record.candidate


def test_documents_of_a_label_that_was_removed_wait_and_say_so() -> None:
    at = Deployment(labels=(*LABELS, "WORLD"))
    at.upload("train/a.csv", FIRST + documents("WORLD", count=8))
    at.run_turn()
    at.replace_flywheel(labels=LABELS)
    record = at.run_turn()
    assert at.registered() == sorted(FIRST)
    (waiting,) = record.waiting
    assert waiting.labels == {"WORLD": 8}
    assert "WORLD" in waiting.reason
    assert "not in the flywheel's label list" in waiting.reason
    assert not at.poked().start
    # And the label list changes back.
    at.replace_flywheel(labels=(*LABELS, "WORLD"))
    at.run_until_at_rest()
    assert at.registered() == sorted(FIRST + documents("WORLD", count=8))


def test_what_waits_is_seeded_too(at: Deployment) -> None:
    few = documents(SPORTS, start=300, count=2)
    at.upload("train/c.csv", few)
    at.run_turn()
    assert at.waiting() == sorted(few)
    at.replace_flywheel()
    at.run_turn()
    assert at.registered() == sorted(FIRST + SECOND + few)
    assert at.waiting() == []


def test_seeding_a_second_time_registers_nothing_twice(at: Deployment) -> None:
    at.replace_flywheel()
    at.run_turn()
    at.request_turn()
    at.run_turn()
    assert at.registered() == sorted(FIRST + SECOND)
    at.replace_flywheel()
    at.run_until_at_rest()
    assert at.registered() == sorted(FIRST + SECOND)
    assert at.registered(Split.TEST) == sorted(TEST)


def test_a_file_that_an_older_generation_accepted_is_a_duplicate(at: Deployment) -> None:
    at.replace_flywheel()
    at.upload("train/again.csv", FIRST)
    at.run_until_at_rest()
    assert at.registered() == sorted(FIRST + SECOND)


def test_a_held_back_label_of_an_older_generation_is_seeded_once(at: Deployment) -> None:
    mixed = documents(BUSINESS, start=300, count=20) + documents(SPORTS, start=300, count=2)
    at.upload("train/c.csv", mixed)
    at.run_turn()
    late = documents(SPORTS, start=400, count=20)
    at.upload("train/d.csv", late)
    at.run_turn()
    at.replace_flywheel()
    at.run_until_at_rest()
    assert at.registered() == sorted(FIRST + SECOND + mixed + late)


def test_seeding_that_fails_is_repeated_by_the_schedule_a_bounded_number_of_times(at: Deployment) -> None:
    at.replace_flywheel()
    at.faults.add(Fault(resource="iteration"))
    assert len(at.run_until_at_rest()) == 3
    at.faults.clear()
    at.request_turn()
    at.run_until_at_rest()
    assert at.registered() == sorted(FIRST + SECOND)


def test_a_dataset_that_the_older_generation_did_not_see_through_is_composed_anew(at: Deployment) -> None:
    third = documents(*LABELS, start=300, count=20)
    at.upload("train/c.csv", third)
    at.start_turn().run_before("RegisterDataset")
    at.replace_flywheel()
    at.run_until_at_rest()
    assert at.registered() == sorted(FIRST + SECOND + third)
    assert at.keys("datasets/train/train-000003/") == []


@pytest.mark.parametrize("state", ["ComposeDatasets", "RegisterDataset"])
def test_a_turn_of_the_older_generation_gives_the_new_one_no_datasets(at: Deployment, state: str) -> None:
    third = documents(*LABELS, start=300, count=20)
    at.upload("train/c.csv", third)
    turn = at.start_turn().run_before(state)
    at.replace_flywheel()
    at.go_on(turn.name)
    at.settle()
    assert turn.record().outcome is TurnOutcome.FAILED
    assert "has replaced" in (turn.record().cause or "")
    at.run_until_at_rest()
    assert at.registered() == sorted(FIRST + SECOND + third)
    assert [name for name in at.keys("datasets/train/") if "000003/dataset" in name] == []


@pytest.mark.parametrize("changes", range(10))
def test_a_dataset_that_was_being_accepted_when_the_generation_changed_is_not_lost(
    at: Deployment, changes: int
) -> None:
    third = documents(BUSINESS, start=300, count=20) + documents(SPORTS, start=300, count=2)
    at.upload("train/c.csv", third)
    turn = at.start_turn().run_before("AcceptDataset")
    at.script.kill(after=changes)
    with contextlib.suppress(FunctionFailed):
        at.invoke("accept_dataset", {"turn": turn.name, "name": "train-000003", "split": "train"})
    assert bool(at.script.killed) is (changes < 9)
    at.script.kill()
    at.stop("Turn")
    at.replace_flywheel()
    at.run_until_at_rest()
    assert at.registered() == sorted(FIRST + SECOND + third)


def test_every_model_of_a_new_generation_is_decided(at: Deployment) -> None:
    at.replace_flywheel()
    at.start_turn().run_before("AwaitIterationBegin")
    at.run_until_at_rest()
    assert len(at.iterations()) == 1
    assert at.keys("decisions/")[-1] == f"decisions/{at.iterations()[0]['FlywheelIterationId']}.json"


def test_a_model_that_the_service_makes_active_in_a_new_generation_serves_only_when_it_is_better() -> None:
    """Whoever reads Parameter Store is not moved to a model that is worse than the former generation's."""
    at = Deployment()
    with at.comprehend_with(first_model_becomes_active=True):
        at.upload("test/a.csv", TEST[:16] + mislabelled(TEST[16:]))
        at.upload("train/a.csv", FIRST)
        at.run_turn()
        former, before = at.active_model(), at.parameters()
        at.replace_flywheel()
        at.upload("train/b.csv", mislabelled(documents(*LABELS, start=300, count=80)))
        assert [record.decision for record in at.run_until_at_rest()] == [DecisionKind.KEEP]
        assert at.active_model() not in {None, former}
        assert at.parameters() == before

        at.upload("train/c.csv", mislabelled(documents(*LABELS, start=400, count=80)))
        (record,) = at.run_until_at_rest()
        assert record.changed_outside is None
        assert record.active
        assert record.active.arn == former
        assert at.parameters() == before

        at.upload("train/d.csv", documents(*LABELS, start=500, count=900))
        at.upload("test/d.csv", documents(*LABELS, start=900, count=30, words="jury: "))
        (record,) = at.run_until_at_rest()
        assert record.decision is DecisionKind.PROMOTE
        assert at.parameters()["previous-model-arn"] == former
        at.check_consistency()
