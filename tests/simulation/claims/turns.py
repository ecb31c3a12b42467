"""Claims about turns and iterations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flywheel.records import promotions, turns
from flywheel.records.decisions import Decision
from flywheel.records.one_at_a_time import Current
from flywheel.records.turns import TurnBeginning, TurnRecord
from tests.simulation.claims import records
from tests.simulation.claims.broken import require

if TYPE_CHECKING:
    from tests.simulation.machines.execution import Execution
    from tests.simulation.simulation import Situation

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
    """It had something to do when it began, or somebody started it by hand."""
    for key, record in records.read_all(situation, "turns/", TurnRecord, ending="/record.json"):
        beginning = records.read(situation, f"{key.rpartition('/')[0]}/begin.json", TurnBeginning)
        if beginning is None or not beginning.collected:
            continue
        by_hand = any(act.kind.startswith("start a turn") for _, act in situation.people.done)
        caused = beginning.uploads or beginning.request or beginning.unfinished_iteration or record.decision
        require(bool(caused or by_hand or record.datasets), f"{beginning.turn} had nothing to do")
