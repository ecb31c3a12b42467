"""A turn that is killed while two models answer a hold-out: the next asks nobody twice."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest

from flywheel.records.decisions import DecisionKind, Evidence
from flywheel.records.turns import TurnRecord
from tests.pipeline.decisions.holdout.world import BETTER, GOOD, TEST, first, jobs
from tests.pipeline.deployed import Deployment, Turn
from tests.pipeline.documents import LABELS, documents

PARTS = 3
"""The kills are a few tests, so that processes can share them."""


def second_turn() -> tuple[Deployment, Turn]:
    """One in which both models are to be asked."""
    at = Deployment(evidence=Evidence.HOLDOUT)
    first(at)
    at.upload("train/b.csv", BETTER)
    at.upload("test/b.csv", documents(*LABELS, start=900, count=5, words="judge: "))
    return at, at.start_turn().run_before("PrepareHoldout")


def check_killed(at: Deployment, record: TurnRecord) -> None:
    assert record.decision is DecisionKind.PROMOTE
    assert record.holdout
    assert record.holdout.documents == len(TEST) + 10
    asked = Counter((job["InputDataConfig"]["S3Uri"], job["DocumentClassifierArn"]) for job in jobs(at))
    assert list(asked.values()) == [1, 1, 1]
    assert len(at.keys("evaluations/iterations/")) == 2
    at.check_consistency()


@pytest.mark.parametrize("part", range(PARTS))
def test_killed_at_any_place_the_next_turn_asks_nobody_twice(part: int) -> None:
    for after in itertools.count(part, PARTS):
        at, turn = second_turn()
        at.script.kill(after=after)
        at.go_on(turn.name)
        at.until_killed()
        if not at.script.killed:
            assert after > 10, "the turn was hardly killed"
            return
        at.stop("Turn")
        records = [*at.run_until_at_rest(), at.bucket.require(f"turns/{turn.name}/turn.json", TurnRecord)]
        decided = [found for found in records if found.decision is not DecisionKind.NOTHING]
        try:
            check_killed(at, decided[0])
        except AssertionError as error:
            error.add_note(f"{turn.name} was killed after {after} changes.")
            raise


def test_killed_at_every_place_and_redriven_each_time() -> None:
    at, turn = second_turn()
    at.script.kill_everywhere()
    at.go_on(turn.name)
    killed = -1
    while len(at.script.killed) > killed:
        killed = len(at.script.killed)
        at.until_killed()
        at.redrive_what_runs()
    assert killed > 10, "the turn was hardly killed"
    at.script.kill()
    at.promote_all()
    check_killed(at, turn.record())


def test_repeated_steps_find_what_they_did(at: Deployment) -> None:
    at.upload("test/a.csv", TEST)
    at.upload("train/a.csv", GOOD)
    turn = at.start_turn().run_before("PrepareHoldout")
    at.script.lose_answers()
    assert turn.run().decision is DecisionKind.PROMOTE
    assert len(jobs(at)) == 1
    assert len(at.keys("evaluations/holdouts/")) == 2
