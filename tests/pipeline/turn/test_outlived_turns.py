"""A function goes on after its turn was stopped: StopExecution and time-outs end no Lambda function.

Each step of a turn is held up after each of its requests and let go before each step of the next turn. Whatever it
then writes, later turns go through, and no document is lost or registered twice.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from flywheel.faults.errors import FlywheelError
from tests.pipeline.in_process_cloud import Functions, in_process_cloud
from tests.pipeline.turn_driver import LABELS, Deployment, Turn, documents

BUSINESS, SPORTS = LABELS
WORLD = "WORLD"
_WAIT_SECONDS = 300.0
"""Nothing waits that long when all is well."""


class HeldUp:
    """A step in a thread of its own, held up before its request number `before` (from 0) until it is let go."""

    def __init__(self, turn: Turn, functions: Functions, *, before: int) -> None:
        self._functions = functions
        self._before = before
        self._requests = itertools.count()
        self._held_or_ended = threading.Event()
        self._let_go = threading.Event()
        for client in functions.clients.values():
            client.meta.events.register("before-call", self._count)
        self._pool = ThreadPoolExecutor(1)
        self._step = self._pool.submit(turn.repeat_step)
        self._step.add_done_callback(lambda _: self._held_or_ended.set())
        assert self._held_or_ended.wait(_WAIT_SECONDS), "the step is neither held up nor at its end"

    @property
    def ended(self) -> bool:
        """It came to its end before it was held up."""
        return self._step.done()

    def let_go(self) -> None:
        """To its end, whatever that is: nobody hears of it, and what it reads may be gone by now."""
        self._let_go.set()
        with contextlib.suppress(FlywheelError, ClientError):
            self._step.result(_WAIT_SECONDS)
        self._pool.shutdown()
        for client in self._functions.clients.values():
            client.meta.events.unregister("before-call", self._count)

    def _count(self, **_: Any) -> None:
        if next(self._requests) >= self._before:
            self._held_or_ended.set()
            assert self._let_go.wait(_WAIT_SECONDS), "nobody let the step go"


@pytest.fixture(scope="module")
def others() -> Functions:
    return in_process_cloud().new_functions()


def with_something_new() -> Deployment:
    """Labels with too few documents, documents of the other split, and more of each after a first turn."""
    at = Deployment(labels=(*LABELS, WORLD))
    at.upload("test/a.csv", documents(*LABELS, WORLD, count=2, words="judge: "))
    at.upload("train/a.csv", documents(*LABELS, WORLD, count=6))
    turn = at.start_turn().run_before("run_iteration")
    turn.report_aborted()
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
ITERATION = ("run_iteration", "await_iteration", None)
PLACES = 11
"""The steps of a turn up to its iteration, with two datasets, and its end; or of the whole turn, with one."""
EVERY = 2


def up_to_the_iteration(turn: Turn) -> None:
    while turn.next_step not in ITERATION:
        turn.take_step()


def let_go_among_datasets(step: str, others: Functions, *, before: int, place: int) -> bool:
    """False if the step has fewer requests."""
    at = with_something_new()
    outlived = at.beside(others).start_turn().run_before(step)
    if step.endswith("_dataset"):
        # That of the training data: the test data come first.
        outlived.take_step()
        outlived.run_before(step)
    held = HeldUp(outlived, others, before=before)
    if held.ended:
        held.let_go()
        return False
    turn = at.start_turn()
    at.upload("train/c.csv", documents(*LABELS, WORLD, start=200, count=6))
    for _ in range(place):
        if turn.next_step not in ITERATION:
            turn.take_step()
    held.let_go()
    up_to_the_iteration(turn)
    at.upload("test/c.csv", documents(*LABELS, WORLD, start=200, count=2, words="judge: "))
    for _ in range(2):
        # The first may have to see through what the step left behind, the second takes what waited meanwhile.
        up_to_the_iteration(at.start_turn())
    found = at.check_documents()
    assert sorted(found.trained_on + found.waiting) == TRAINED
    assert sorted(found.tested_on + found.waiting_to_test) == TESTED
    at.check_datasets()
    return True


def let_go_among_decisions(step: str, others: Functions, *, before: int, place: int) -> bool:
    """False if the step has fewer requests."""
    at = Deployment(models_to_keep=1)
    wrong = [(SPORTS if label == BUSINESS else BUSINESS, text) for label, text in documents(*LABELS, start=50, count=6)]
    at.upload("test/a.csv", documents(*LABELS, count=6, words="judge: "))
    at.upload("train/a.csv", wrong)
    at.run_turn()
    at.promote_all()
    at.upload("train/b.csv", documents(*LABELS, start=100, count=20))
    outlived = at.beside(others).start_turn().run_before(step)
    held = HeldUp(outlived, others, before=before)
    if held.ended:
        held.let_go()
        return False
    at.upload("train/c.csv", documents(*LABELS, start=200, count=6))
    turn = at.start_turn()
    for _ in range(place):
        if turn.next_step is not None:
            turn.take_step()
    held.let_go()
    turn.run()
    at.run_until_at_rest()
    found = at.check_consistency()
    assert found.waiting == []
    good = documents(*LABELS, start=100, count=20) + documents(*LABELS, start=200, count=6)
    assert found.trained_on == sorted(wrong + good)
    return True


@pytest.mark.parametrize(
    "step",
    ["begin", "prepare_train", "compose", "register_dataset", "accept_dataset"],
)
def test_a_step_that_outlives_its_turn_costs_no_document(step: str, others: Functions) -> None:
    interleave(let_go_among_datasets, step, others)


@pytest.mark.parametrize("step", ["run_iteration", "decide", "request_promotion", "delete_old_models"])
def test_a_step_that_outlives_its_turn_leaves_every_candidate_decided(step: str, others: Functions) -> None:
    interleave(let_go_among_decisions, step, others)


def interleave(let_go: Callable[..., bool], step: str, others: Functions) -> None:
    """Held up before every EVERY-th request, and let go at one of the places after the other, so that all come up."""
    for number, before in enumerate(itertools.count(1, EVERY)):
        place = number * 3 % PLACES
        try:
            if not let_go(step, others, before=before, place=place):
                assert number > 1, f"{step} was hardly held up"
                return
        except BaseException as error:
            error.add_note(f"{step} was held up before request {before} and let go at place {place}.")
            raise
