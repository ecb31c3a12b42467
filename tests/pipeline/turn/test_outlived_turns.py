"""A function goes on after its turn was stopped: StopExecution and time-outs end no Lambda function.

Each step of a turn is held up after each of its requests and let go before each step of the next turn. Whatever it
then writes, later turns go through, and no document is lost or registered twice.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable

import pytest

from tests.pipeline.deployed import Deployment, Turn
from tests.pipeline.documents import LABELS, documents, mislabelled
from tests.pipeline.running import DidNotCome
from tests.pipeline.script import HeldUp

BUSINESS, SPORTS = LABELS
WORLD = "WORLD"


def with_something_new() -> Deployment:
    """Labels with too few documents, documents of the other split, and more of each after a first turn."""
    at = Deployment(labels=(*LABELS, WORLD))
    at.upload("test/a.csv", documents(*LABELS, WORLD, count=2, words="judge: "))
    at.upload("train/a.csv", documents(*LABELS, WORLD, count=6))
    at.start_turn().run_before("RunIteration").stop()
    few = documents(WORLD, start=100, count=2)
    known = documents(BUSINESS, count=1, words="judge: ")
    at.upload("train/b.csv", documents(*LABELS, start=100, count=6) + few + known)
    at.upload("test/b.csv", documents(*LABELS, WORLD, start=100, count=2, words="judge: "))
    return at


TRAINED = sorted(
    documents(*LABELS, WORLD, count=6)
    + documents(*LABELS, start=100, count=6)
    + documents(WORLD, start=100, count=2)
    + documents(*LABELS, WORLD, start=200, count=6)
)
TESTED = sorted(
    document for start in (0, 100, 200) for document in documents(*LABELS, WORLD, start=start, count=2, words="judge: ")
)
STATES = ("BeginTurn", "PrepareTrainUpload", "ComposeDatasets", "RegisterDataset", "AcceptDataset", "RunIteration")
LATER_STATES = (*STATES, "CompareMetrics", "RequestPromotion", "DeleteOldModels")
EVERY = 2


def held_up(at: Deployment, function: str, *, before: int) -> HeldUp | None:
    """The function, whose turn is stopped then; None if it has fewer requests."""
    at.script.hold(function, before=before)
    turn = at.start_turn()
    at.until_quiet(lambda: bool(at.script.held) or turn.execution.status != "RUNNING")
    at.script.hold("nothing", before=0)
    if not at.script.held:
        return None
    at.stop("Turn")
    return at.script.held[0]


def run_up_to(at: Deployment, turn: Turn, state: str) -> None:
    """Up to this state, or to its end if it does not come there."""
    with contextlib.suppress(DidNotCome):
        turn.run_before(state)


def let_go_among_datasets(function: str, *, before: int, place: int) -> bool:
    """False if the function has fewer requests."""
    at = with_something_new()
    held = held_up(at, function, before=before)
    if held is None:
        return False
    at.upload("train/c.csv", documents(*LABELS, WORLD, start=200, count=6))
    turn = at.start_turn()
    run_up_to(at, turn, STATES[place % len(STATES)])
    held.let_go()
    turn.run()
    at.upload("test/c.csv", documents(*LABELS, WORLD, start=200, count=2, words="judge: "))
    for _ in range(2):
        # The first may have to see through what the step left behind, the second takes what waited meanwhile.
        at.run_turn()
    found = at.check_documents()
    assert sorted(found.trained_on + found.waiting) == TRAINED
    assert sorted(found.tested_on + found.waiting_to_test) == TESTED
    at.check_datasets()
    return True


def let_go_among_decisions(function: str, *, before: int, place: int) -> bool:
    """False if the function has fewer requests."""
    at = Deployment(models_to_keep=1)
    wrong = mislabelled(documents(*LABELS, start=50, count=6))
    at.upload("test/a.csv", documents(*LABELS, count=6, words="judge: "))
    at.upload("train/a.csv", wrong)
    at.run_turn()
    at.upload("train/b.csv", documents(*LABELS, start=100, count=20))
    held = held_up(at, function, before=before)
    if held is None:
        return False
    at.upload("train/c.csv", documents(*LABELS, start=200, count=6))
    turn = at.start_turn()
    run_up_to(at, turn, LATER_STATES[place % len(LATER_STATES)])
    held.let_go()
    turn.run()
    at.run_until_at_rest()
    found = at.check_consistency()
    assert found.waiting == []
    good = documents(*LABELS, start=100, count=20) + documents(*LABELS, start=200, count=6)
    assert found.trained_on == sorted(wrong + good)
    return True


@pytest.mark.parametrize(
    "function",
    ["begin_turn", "prepare_upload", "compose_datasets", "register_dataset", "accept_dataset"],
)
def test_a_step_that_outlives_its_turn_costs_no_document(function: str) -> None:
    interleave(let_go_among_datasets, function)


@pytest.mark.parametrize("function", ["run_iteration", "compare_metrics", "request_promotion", "delete_old_models"])
def test_a_step_that_outlives_its_turn_leaves_every_candidate_decided(function: str) -> None:
    interleave(let_go_among_decisions, function)


def interleave(let_go: Callable[..., bool], function: str) -> None:
    """Held up before every EVERY-th request, and let go at one of the places after the other, so that all come up."""
    for number, before in enumerate(itertools.count(1, EVERY)):
        place = number * 5
        try:
            if not let_go(function, before=before, place=place):
                assert number > 1, f"{function} was hardly held up"
                return
        except BaseException as error:
            error.add_note(f"{function} was held up before request {before} and let go at place {place}.")
            raise
