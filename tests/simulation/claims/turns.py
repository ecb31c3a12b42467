"""Claims about turns and iterations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flywheel.records import promotions, turns
from flywheel.records.decisions import Decision
from flywheel.records.one_at_a_time import Current
from flywheel.records.turns import TurnBeginning, TurnOutcome, TurnRecord
from tests.simulation.claims import records
from tests.simulation.claims.broken import require
from tests.simulation.kernel import BEGINNING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.simulation.machines.execution import Execution
    from tests.simulation.simulation import Situation

_FAR_TOO_MANY = 150
_RUNNING = ("TRAINING", "EVALUATING")


def never_two_iterations_at_once(situation: Situation) -> None:
    for arn in situation.app.flywheels:
        running = [one for one in records.iterations(situation, arn) if one["Status"] in _RUNNING]
        require(len(running) <= 1, f"{len(running)} iterations run at once")


def one_turn_and_one_promotion_at_a_time(situation: Situation) -> None:
    """Of those that the pipeline itself starts."""
    app = situation.app
    for machine, series in (("Turn", turns.TURNS), ("Promote", promotions.PROMOTIONS)):
        running = [
            one.name
            for one in situation.world.states.of(app.machine(machine).arn)
            if one.status == "RUNNING" and series.number_of(one.name) is not None and not _by_a_person(situation, one)
        ]
        require(len(running) <= 1, f"{' and '.join(running)} run at once")


def _by_a_person(situation: Situation, execution: Execution) -> bool:
    return execution.redrive_count > 0 or any(act.kind.startswith("start a") for _, act in situation.people.done)


def numbers_never_go_back(situation: Situation) -> None:
    """Of turns and promotions: a number that was given is not given again."""
    intake = situation.app.intake
    for series in (turns.TURNS, promotions.PROMOTIONS):
        written = situation.world.s3.object(intake, series.current_key)
        seen, before = situation.app.numbers.get(series.word, ("", 0))
        if written is not None and written.version_id != seen:
            number = Current.model_validate_json(written.body).number
            require(number > before, f"{series.current_key} was {before}, then {number}")
            situation.app.numbers[series.word] = (written.version_id, number)


def they_do_not_follow_each_other_forever(situation: Situation) -> None:
    """Turns and promotions: there are some twenty at most in a schedule as it should be."""
    for word, (_, number) in situation.app.numbers.items():
        require(number <= _FAR_TOO_MANY, f"there were {number} executions {word}")


def each_iteration_is_decided_once(situation: Situation) -> None:
    """A record of a decision is written once, and never changed."""
    intake = situation.app.intake
    for key in situation.world.s3.keys(intake, "decisions/"):
        written = situation.world.s3.versions(intake, key)
        require(len(written) == 1, f"{key} was written {len(written)} times")


def each_completed_iteration_is_decided(situation: Situation) -> None:
    decided = {decision.iteration_id for _, decision in records.read_all(situation, "decisions/", Decision)}
    arn = situation.app.flywheel_arn
    for one in records.iterations(situation, arn):
        if one["Status"] == "COMPLETED":
            require(one["FlywheelIterationId"] in decided, f"iteration {one['FlywheelIterationId']} is not decided")


def nothing_runs_that_nobody_waits_for(situation: Situation) -> None:
    for one in records.iterations(situation, situation.app.flywheel_arn):
        require(one["Status"] not in _RUNNING, f"iteration {one['FlywheelIterationId']} still runs")


def each_turn_has_a_cause(situation: Situation) -> None:
    """Of those in calm weather: it had something to do when it began, the last turn before that did more than decide
    has left something, or somebody started it by hand."""
    if any(act.kind.startswith("start a turn") for _, act in situation.people.done):
        return
    for beginning, record in _calm_turns(situation):
        before = _record(situation, _worked_before(situation, turns.number_of(beginning.turn) or 0))
        left = before is None or before.outcome is not TurnOutcome.SUCCEEDED or before.unprepared or before.more
        left = left or before is None or before.flywheel_arn != record.flywheel_arn
        found = beginning.uploads or beginning.request or beginning.unfinished_iteration or beginning.changed_outside
        require(bool(found or left or beginning.incomplete), f"{beginning.turn} had nothing to do")


def _worked_before(situation: Situation, number: int) -> int:
    """The number of the last turn before this one that did not only decide an unfinished iteration."""
    number -= 1
    beginning = records.read(situation, turns.begin_key(turns.name_of(number)), TurnBeginning)
    return _worked_before(situation, number) if beginning is not None and beginning.only_decides else number


def no_turn_fails_in_calm_weather(situation: Situation) -> None:
    """Except while something takes longer than a turn waits for it: the next turn goes on waiting. And except where a
    person overruled the minimum, so that Comprehend lacks data."""
    overruled = any(act.kind == "overrule the minimum" for _, act in situation.people.done)
    for _, record in _calm_turns(situation):
        in_vain = record.error in ("WaitTimedOut", "ServiceBusy") and situation.plan.too_slow
        in_vain = in_vain or (record.error == "IterationFailed" and overruled)
        succeeded = record.outcome is TurnOutcome.SUCCEEDED or in_vain
        require(succeeded, f"{record.turn} is {record.outcome}: {record.error}: {record.cause}")


def _calm_turns(situation: Situation) -> Iterator[tuple[TurnBeginning, TurnRecord]]:
    """Those that began when nothing was still at work that had begun in bad weather."""
    calm = BEGINNING + situation.plan.calm_after + 3600
    for _, record in records.read_all(situation, turns.TURNS.folder, TurnRecord, ending="/turn.json"):
        beginning = records.read(situation, turns.begin_key(record.turn), TurnBeginning)
        if beginning is not None and beginning.began_at.timestamp() > calm:
            yield beginning, record


def _record(situation: Situation, number: int) -> TurnRecord | None:
    return records.read(situation, turns.record_key(turns.name_of(number)), TurnRecord)


def last_succeeded(situation: Situation) -> bool:
    """Else the next one goes on where it stopped; after three that failed a person has to ask for it."""
    last = _record(situation, situation.app.numbers.get(turns.TURNS.word, ("", 0))[1])
    return last is not None and last.outcome is TurnOutcome.SUCCEEDED


def each_dataset_is_trained_on(situation: Situation) -> None:
    """Each that the pipeline made, unless the last turn failed, which people are told. Only test data that are new are
    scored once there is an active model."""
    app = situation.app
    flywheel = app.flywheel_arn
    if not last_succeeded(situation):
        return
    made = [one for one in records.datasets(situation, flywheel) if one["DatasetName"].startswith(("train-", "test-"))]
    ready = [one for one in made if one["Status"] == "COMPLETED"]
    iterations = [one for one in records.iterations(situation, flywheel) if one["Status"] == "COMPLETED"]
    newest = max((one["CreationTime"] for one in iterations), default=None)
    new = [one for one in ready if newest is None or one["EndTime"] > newest]
    if not any(one["DatasetType"] == "TRAIN" for one in ready):
        return
    if records.flywheel(situation).get("ActiveModelArn") is None:
        new = [one for one in new if one["DatasetType"] == "TRAIN"]
    require(not new, f"no iteration has {[one['DatasetName'] for one in new]}")
