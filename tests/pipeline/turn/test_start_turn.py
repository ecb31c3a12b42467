"""Pokes start a turn if there is something to do, one at a time, and an operator's request is answered once."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from flywheel.records import turns
from flywheel.records.one_at_a_time import Current
from flywheel.records.turns import REQUEST_KEY, Pause, TurnOutcome, TurnRequest
from flywheel.records.uploads import Split
from flywheel.turn.start_turn import MAXIMUM_FAILURES, Poke
from local.comprehend.faults import Fault
from tests.pipeline.in_process_cloud import Killed, in_process_cloud
from tests.pipeline.turn_driver import LABELS, ROLE, Deployment, documents

ROWS = documents(*LABELS, count=20)
MORE = documents(*LABELS, start=50, count=20)


@pytest.fixture
def at() -> Deployment:
    return Deployment()


@pytest.fixture
def faults() -> Iterator[Any]:
    faults = in_process_cloud().comprehend.faults
    yield faults
    faults.clear()


@pytest.fixture
def machine(at: Deployment) -> Iterator[str]:
    with machine_named(at.name) as arn:
        yield arn


@contextlib.contextmanager
def machine_named(name: str) -> Iterator[str]:
    """The ARN of a machine whose executions run until they are stopped."""
    stepfunctions = in_process_cloud().clients["stepfunctions"]
    arn = stepfunctions.create_state_machine(
        name=name,
        definition='{"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 3600, "End": true}}}',
        roleArn=ROLE,
    )["stateMachineArn"]
    yield arn
    stop_all(arn)


def stop_all(machine_arn: str) -> None:
    stepfunctions = in_process_cloud().clients["stepfunctions"]
    for execution in stepfunctions.list_executions(stateMachineArn=machine_arn)["executions"]:
        stepfunctions.stop_execution(executionArn=execution["executionArn"])


def executions(machine_arn: str) -> list[str]:
    found = in_process_cloud().clients["stepfunctions"].list_executions(stateMachineArn=machine_arn)["executions"]
    return sorted(execution["name"] for execution in found)


def start(at: Deployment, machine_arn: str) -> str:
    stepfunctions = in_process_cloud().functions_clients["stepfunctions"]
    starter = turns.turn_starter(intake=at.intake, stepfunctions=stepfunctions, machine_arn=machine_arn)
    return starter.start(at.now())


def test_the_first_turn_is_number_one_and_each_closed_one_is_followed_by_the_next(at: Deployment, machine: str) -> None:
    for number in range(1, 4):
        assert start(at, machine) == turns.name_of(number)
        stop_all(machine)
    assert turns.current_number(at.bucket) == 3


def test_a_running_turn_stays_the_only_one(at: Deployment, machine: str) -> None:
    assert {start(at, machine) for _ in range(3)} == {"turn-000001"}
    assert executions(machine) == ["turn-000001"]


def test_another_deployment_takes_none_of_the_former_ones_turns_for_its_own(at: Deployment, machine: str) -> None:
    """Whether the bucket was kept or not: its machine is another one, which has no execution of these names yet."""
    for _ in range(3):
        start(at, machine)
        stop_all(machine)
    with machine_named(f"{at.name}-again") as next_machine:
        assert start(at, next_machine) == start(at, next_machine) == "turn-000004"
        assert executions(next_machine) == ["turn-000004"]


def test_a_number_noted_before_its_machine_was_noted_with_it_is_left_behind(at: Deployment, machine: str) -> None:
    at.bucket.write(turns.TURNS.current_key, Current(number=7))
    assert start(at, machine) == "turn-000008"


@pytest.mark.parametrize("closed", [0, 1])
def test_two_pokes_at_the_same_moment_start_one_turn(at: Deployment, machine: str, closed: int) -> None:
    """Both see the same closed turn, and both set out to write the number of the next before either has."""
    for _ in range(closed):
        start(at, machine)
        stop_all(machine)
    both_are_there = threading.Barrier(2)
    met = threading.local()

    def meet(**_: object) -> None:
        if not getattr(met, "once", False):
            met.once = True
            both_are_there.wait(timeout=120)

    events = in_process_cloud().functions_clients["s3"].meta.events
    events.register("before-call.s3.PutObject", meet)
    try:
        with ThreadPoolExecutor(2) as pool:
            names = set(pool.map(lambda _: start(at, machine), range(2)))
    finally:
        events.unregister("before-call.s3.PutObject", meet)
    assert names == {turns.name_of(closed + 1)}
    assert executions(machine) == [turns.name_of(number) for number in range(1, closed + 2)]


def test_a_start_that_was_held_up_does_not_set_the_number_back(at: Deployment, machine: str) -> None:
    start(at, machine)
    stop_all(machine)
    overtaken: list[str] = []

    def overtake(**_: object) -> None:
        if not overtaken:
            overtaken.append("")
            for _number in range(2):
                overtaken.append(start(at, machine))
                stop_all(machine)
            start(at, machine)

    events = in_process_cloud().functions_clients["s3"].meta.events
    events.register("before-call.s3.PutObject", overtake)
    try:
        assert start(at, machine) == "turn-000004"
    finally:
        events.unregister("before-call.s3.PutObject", overtake)
    assert overtaken[1:] == ["turn-000002", "turn-000003"]
    assert executions(machine) == [turns.name_of(number) for number in range(1, 5)]
    assert numbers_written(at) == [1, 2, 3, 4]


def numbers_written(at: Deployment) -> list[int]:
    """What `turns/current` held, from the oldest version on."""
    versions = at.s3.list_object_versions(Bucket=at.name, Prefix=turns.TURNS.current_key)["Versions"]
    bodies = (
        at.s3.get_object(Bucket=at.name, Key=turns.TURNS.current_key, VersionId=version["VersionId"])["Body"].read()
        for version in reversed(versions)
    )
    return [Current.model_validate_json(body).number for body in bodies]


@pytest.mark.parametrize("changes", range(3))
def test_a_start_that_was_killed_is_made_up_for(at: Deployment, machine: str, changes: int) -> None:
    at.kills.reset(after=changes)
    with contextlib.suppress(Killed):
        start(at, machine)
    assert at.kills.struck is (changes < 2)
    at.kills.reset()
    assert start(at, machine) == "turn-000001"
    assert executions(machine) == ["turn-000001"]


def test_the_name_of_a_turn_is_not_used_again_when_step_functions_has_forgotten_it(
    at: Deployment, machine: str
) -> None:
    assert at.run_turn().turn == "turn-000001"
    in_process_cloud().clock.advance(timedelta(days=61))
    # The machine has never heard of turn 1.
    assert start(at, machine) == "turn-000002"
    assert executions(machine) == ["turn-000002"]


def test_before_the_first_upload_nothing_starts(at: Deployment) -> None:
    assert not at.poked().start


def test_an_upload_starts_a_turn_when_it_has_rested(at: Deployment) -> None:
    at.quiet_period = timedelta(minutes=5)
    at.upload("train/a.csv", ROWS)
    verdict = at.poked(Poke.UPLOAD)
    assert not verdict.start
    assert verdict.again_in
    in_process_cloud().clock.advance(verdict.again_in)
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
    at.minimum_between_iterations = timedelta(hours=6)
    at.upload("train/a.csv", ROWS)
    at.run_turn()
    at.upload("train/b.csv", MORE)
    assert not at.poked().start
    in_process_cloud().clock.advance(timedelta(hours=6))
    assert at.poked(Poke.SCHEDULE).start
    at.run_turn()
    assert len(at.iterations()) == 2
    at.check_consistency()


def test_a_turn_that_begins_too_early_leaves_the_uploads_alone(at: Deployment) -> None:
    at.minimum_between_iterations = timedelta(hours=6)
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
    turn = at.start_turn()
    # Between the record of what the turn found and the removal of its request.
    at.kills.reset(after=1)
    with pytest.raises(Killed):
        turn.take_step()
    at.kills.reset()
    newer = TurnRequest(by="somebody else", at=at.now(), overrule_minimum=True)
    at.bucket.write(REQUEST_KEY, newer)
    assert turn.run().request != newer
    assert at.bucket.require(REQUEST_KEY, TurnRequest) == newer
    assert at.poked(Poke.TURN_ENDED).start
    assert at.run_turn().request == newer
    assert not at.poked().start


def test_a_request_does_not_repeat_a_turn_that_fails_without_end(at: Deployment, faults: Any) -> None:
    at.request_turn()
    for _ in range(MAXIMUM_FAILURES):
        assert at.poked(Poke.TURN_ENDED).start
        faults.add(Fault(operation="DescribeFlywheel", code="AccessDeniedException"))
        assert at.run_turn().outcome is TurnOutcome.FAILED
        faults.clear()
    assert at.keys(REQUEST_KEY) == [REQUEST_KEY]
    assert not at.poked(Poke.TURN_ENDED, Poke.SCHEDULE, Poke.UPLOAD).start
    assert at.poked(Poke.OPERATOR).start
    assert at.run_turn().outcome is TurnOutcome.SUCCEEDED
    assert not at.poked().start


def test_many_files_at_once_are_one_turn(at: Deployment) -> None:
    for number in range(120):
        at.upload(f"train/{number}.csv", documents(*LABELS, start=number * 10, count=1))
    (record,) = at.run_until_at_rest()
    assert len(record.uploads) == 120
    (batches,) = (key for key in at.keys("turns/turn-000001/") if key.endswith("train-batches.json"))
    assert at.bucket.read_bytes(batches).count(b'"uploads"') == 2
    assert len(at.registered(Split.TRAIN)) == 240
    at.check_consistency()
