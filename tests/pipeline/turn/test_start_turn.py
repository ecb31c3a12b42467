"""Pokes start a turn if there is something to do, one at a time, and an operator's request is answered once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from flywheel.records import turns
from flywheel.records.one_at_a_time import Current
from flywheel.records.turns import REQUEST_KEY, Pause, TurnOutcome, TurnRequest
from flywheel.records.uploads import Split
from flywheel.turn.start_turn import MAXIMUM_FAILURES, Poke
from local.comprehend.faults import Fault
from tests.pipeline.deployed import Deployment
from tests.pipeline.documents import LABELS, documents

ROWS = documents(*LABELS, count=20)
MORE = documents(*LABELS, start=50, count=20)


@pytest.fixture
def at() -> Deployment:
    return Deployment()


@pytest.fixture
def machine(at: Deployment) -> str:
    """Its ARN. No time passes, so what starts goes on until it is stopped."""
    return at.app.machine("Turn").arn


def executions(at: Deployment) -> list[str]:
    return sorted(execution.name for execution in at.executions("Turn"))


def start(at: Deployment, machine_arn: str) -> str:
    starter = turns.turn_starter(intake=at.bucket, stepfunctions=at.client("stepfunctions"), machine_arn=machine_arn)
    return starter.start(at.now())


def test_the_first_turn_is_number_one_and_each_closed_one_is_followed_by_the_next(at: Deployment, machine: str) -> None:
    for number in range(1, 4):
        assert start(at, machine) == turns.name_of(number)
        at.stop_turn()
    assert turns.current_number(at.bucket) == 3


def test_a_running_turn_stays_the_only_one(at: Deployment, machine: str) -> None:
    assert {start(at, machine) for _ in range(3)} == {"turn-000001"}
    assert executions(at) == ["turn-000001"]


def test_another_deployment_takes_none_of_the_former_ones_turns_for_its_own(at: Deployment, machine: str) -> None:
    """Whether the bucket was kept or not: its machine is another one, which has no execution of these names yet."""
    for _ in range(3):
        start(at, machine)
        at.stop_turn()
    other = replace(at.app.machine("Turn"), arn=f"{machine}-again", name="another")
    at.world.states.add(other, account=at.app.account)
    assert start(at, other.arn) == start(at, other.arn) == "turn-000004"
    assert [execution.name for execution in at.world.states.of(other.arn)] == ["turn-000004"]


def test_a_number_noted_before_its_machine_was_noted_with_it_is_left_behind(at: Deployment, machine: str) -> None:
    at.bucket.write(turns.TURNS.current_key, Current(number=7))
    assert start(at, machine) == "turn-000008"


@pytest.mark.parametrize("closed", [0, 1])
def test_two_pokes_at_the_same_moment_start_one_turn(at: Deployment, machine: str, closed: int) -> None:
    """Both see the same closed turn, and both set out to write the number of the next before either has."""
    for _ in range(closed):
        start(at, machine)
        at.stop_turn()
    both = [at.beside(lambda: start(at, machine)) for _ in range(2)]
    met: list[bool] = []

    def meet() -> None:
        at.script.before("PutObject", lambda: met.append(True))
        while not met:
            at.kernel.sleep(0.001)

    at.script.before("PutObject", meet)
    at.step_until(lambda: all(each.done for each in both))
    assert met
    assert {each.result for each in both} == {turns.name_of(closed + 1)}
    assert executions(at) == [turns.name_of(number) for number in range(1, closed + 2)]


def test_a_start_that_was_held_up_does_not_set_the_number_back(at: Deployment, machine: str) -> None:
    start(at, machine)
    at.stop_turn()
    overtaken: list[str] = []

    def overtake() -> None:
        for _number in range(2):
            overtaken.append(start(at, machine))
            at.stop_turn()
        start(at, machine)

    at.script.before("PutObject", overtake)
    slow = at.beside(lambda: start(at, machine))
    at.step_until(lambda: slow.done)
    assert slow.result == "turn-000004"
    assert overtaken == ["turn-000002", "turn-000003"]
    assert executions(at) == [turns.name_of(number) for number in range(1, 5)]
    assert numbers_written(at) == [1, 2, 3, 4]


def numbers_written(at: Deployment) -> list[int]:
    """What `turns/current` held, from the oldest version on."""
    versions = at.world.s3.versions(at.app.intake, turns.TURNS.current_key)
    written = sorted(versions, key=lambda version: version.number)
    return [Current.model_validate_json(version.body).number for version in written]


@pytest.mark.parametrize("changes", range(3))
def test_a_start_that_was_killed_is_made_up_for(at: Deployment, machine: str, changes: int) -> None:
    at.script.kill(after=changes)
    killed = at.beside(lambda: start(at, machine))
    killed.when_done(lambda: None)
    at.step_until(lambda: killed.done)
    assert bool(at.script.killed) is (changes < 2)
    at.script.kill()
    assert start(at, machine) == "turn-000001"
    assert executions(at) == ["turn-000001"]


def test_the_name_of_a_turn_is_not_used_again_when_step_functions_has_forgotten_it(
    at: Deployment, machine: str
) -> None:
    assert at.run_turn().turn == "turn-000001"
    at.let_pass(timedelta(days=61))
    at.world.states.executions.clear()
    assert start(at, machine) == "turn-000002"
    assert executions(at) == ["turn-000002"]


def test_before_the_first_upload_nothing_starts(at: Deployment) -> None:
    assert not at.poked().start


def test_an_upload_starts_a_turn_when_it_has_rested(at: Deployment) -> None:
    at.change(quiet_period_minutes=5)
    at.upload("train/a.csv", ROWS)
    verdict = at.poked(Poke.UPLOAD)
    assert not verdict.start
    assert verdict.again_in
    at.let_pass(verdict.again_in)
    assert at.poked(Poke.DELAYED).start


def test_a_lost_event_is_made_up_for_by_the_schedule(at: Deployment) -> None:
    at.upload("train/a.csv", ROWS)
    assert at.poked(Poke.SCHEDULE).start
    at.run_turn()
    at.check_consistency()


def test_an_event_delivered_three_times_changes_nothing(at: Deployment) -> None:
    at.upload("train/a.csv", ROWS)
    for _ in range(3):
        at.run_turn()
        at.poked(Poke.UPLOAD)
    assert at.registered() == sorted(ROWS)
    assert len(at.iterations()) == 1
    at.check_consistency()


@pytest.mark.parametrize("poke", Poke)
def test_documents_that_wait_start_nothing(at: Deployment, poke: Poke) -> None:
    at.upload("train/a.csv", documents(LABELS[0], count=20))
    at.run_turn()
    assert not at.poked(poke).start


def test_a_pause_stops_everything_until_it_ends(at: Deployment) -> None:
    at.upload("train/a.csv", ROWS)
    at.request_turn()
    at.bucket.write(turns.PAUSE_KEY, Pause(by="a test", at=at.now()))
    assert not at.poked().start
    at.bucket.delete([turns.PAUSE_KEY])
    assert at.poked().start


def test_uploads_wait_for_the_hours_between_iterations(at: Deployment) -> None:
    at.change(minimum_hours_between_iterations=6)
    at.upload("train/a.csv", ROWS)
    at.run_turn()
    at.upload("train/b.csv", MORE)
    assert not at.poked().start
    at.let_pass(timedelta(hours=6))
    assert at.poked(Poke.SCHEDULE).start
    at.run_turn()
    assert len(at.iterations()) == 2
    at.check_consistency()


def test_a_turn_that_begins_too_early_leaves_the_uploads_alone(at: Deployment) -> None:
    at.change(minimum_hours_between_iterations=6)
    at.upload("train/a.csv", ROWS)
    at.run_turn()
    at.upload("train/b.csv", MORE)
    record = at.run_turn()
    assert record.uploads == ()
    assert "MinimumHoursBetweenIterations" in record.reasons[0]
    assert at.keys("train/") == ["train/b.csv"]
    at.request_turn()
    assert [result.upload.key for result in at.run_turn().uploads] == ["train/b.csv"], "an operator need not wait"


def test_a_request_is_answered_by_one_turn(at: Deployment) -> None:
    request = at.request_turn()
    assert at.poked(Poke.OPERATOR).start
    assert at.run_turn().request == request
    assert at.keys(REQUEST_KEY) == []
    assert at.run_turn().request is None
    assert not at.poked().start


def test_a_request_that_arrives_while_a_turn_begins_is_the_next_turns(at: Deployment) -> None:
    at.request_turn()
    newer = TurnRequest(by="somebody else", at=at.now(), overrule_minimum=True)
    # Between the record of what the turn found and the removal of its request, where it is killed as well.
    at.script.kill(after=1)
    turn = at.start_turn()
    at.step_until(lambda: bool(at.script.killed))
    at.bucket.write(REQUEST_KEY, newer)
    assert turn.run().request != newer
    assert at.bucket.require(REQUEST_KEY, TurnRequest) == newer
    assert at.poked(Poke.TURN_ENDED).start
    assert at.run_turn().request == newer
    assert not at.poked().start


def test_a_request_does_not_repeat_a_turn_that_fails_without_end(at: Deployment) -> None:
    at.request_turn()
    for _ in range(MAXIMUM_FAILURES):
        assert at.poked(Poke.TURN_ENDED).start
        at.faults.add(Fault(operation="DescribeFlywheel", code="AccessDeniedException"))
        assert at.run_turn().outcome is TurnOutcome.FAILED
        at.faults.clear()
    assert at.keys(REQUEST_KEY) == [REQUEST_KEY]
    assert not at.poked(Poke.TURN_ENDED, Poke.SCHEDULE, Poke.UPLOAD).start
    assert at.poked(Poke.OPERATOR).start
    assert at.run_turn().outcome is TurnOutcome.SUCCEEDED
    assert not at.poked().start


def test_a_request_during_the_last_of_too_many_failures_is_answered_when_that_turn_ends(at: Deployment) -> None:
    for _ in range(MAXIMUM_FAILURES):
        turn = at.start_turn().run_before("ComposeDatasets")
        asked = at.request_turn()
        assert turn.stop().outcome is TurnOutcome.ABORTED
    assert at.poked(Poke.TURN_ENDED).start
    assert at.run_turn().request == asked
    assert not at.poked().start


@pytest.mark.parametrize(
    ("stopped_before", "decided"),
    [("ComposeDatasets", 1), ("RegisterDataset", 1), ("AcceptDataset", 1), ("AcceptDataset", 5)],
)
def test_what_a_failed_turn_left_is_taken_after_turns_that_only_decide(
    at: Deployment, stopped_before: str, decided: int
) -> None:
    """As with an iteration that somebody starts in the console meanwhile."""
    at.upload("train/a.csv", ROWS)
    at.run_turn()
    at.upload("train/b.csv", MORE)
    at.start_turn().run_before(stopped_before).stop()
    for _ in range(decided):
        at.comprehend.start_flywheel_iteration(FlywheelArn=at.flywheel_arn)
        record = at.run_turn()
        assert (record.outcome, record.datasets) == (TurnOutcome.SUCCEEDED, ())
    assert not at.poked(Poke.TURN_ENDED).start
    assert at.poked(Poke.SCHEDULE).start
    assert len(at.run_turn().datasets) == 1
    assert not at.poked().start
    at.check_consistency()


def test_many_files_at_once_are_one_turn(at: Deployment) -> None:
    for number in range(120):
        at.upload(f"train/{number}.csv", documents(*LABELS, start=number * 10, count=1))
    (record,) = at.run_until_at_rest()
    assert len(record.uploads) == 120
    (batches,) = (key for key in at.keys("turns/turn-000001/") if key.endswith("train-batches.json"))
    assert at.bucket.read_bytes(batches).count(b'"uploads"') == 2
    assert len(at.registered(Split.TRAIN)) == 240
    at.check_consistency()
