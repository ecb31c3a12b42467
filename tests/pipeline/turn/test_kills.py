"""A turn is killed after each of its requests that change something, then followed by the next turn, or redriven."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from flywheel.records.decisions import DecisionKind
from flywheel.records.turns import TurnRecord
from flywheel.records.uploads import UploadOutcome
from tests.pipeline.deployed import Deployment
from tests.pipeline.documents import LABELS, Document, as_csv, documents, mislabelled

BUSINESS, SPORTS = LABELS
TEST = documents(*LABELS, count=6, words="judge: ")
GOOD = documents(*LABELS, count=10)
PARTLY = documents(*LABELS, start=20, count=6)
UNUSABLE = b"only one column\n" * 20
BAD_LINE = b"CHESS,an unknown label\n"
PARTS = 3
"""Each kind of kill is a few tests, so that processes can share them."""


@dataclass(frozen=True, kw_only=True)
class Story:
    """`begin` brings a deployment to where the turn starts that is killed; the rest is what must be so in the end."""

    begin: Callable[[], Deployment]
    trained_on: list[Document]
    tested_on: list[Document]
    waiting: list[Document]
    outcomes: dict[str, UploadOutcome]
    decision: DecisionKind


def first_turn() -> Deployment:
    at = Deployment()
    at.upload("test/test.csv", TEST)
    at.upload("train/good.csv", GOOD)
    at.upload("train/partly.csv", as_csv(PARTLY) + BAD_LINE)
    at.upload("train/unusable.csv", UNUSABLE)
    at.upload("train/zz-again.csv", GOOD)
    return at


FIRST = Story(
    begin=first_turn,
    trained_on=GOOD + PARTLY,
    tested_on=TEST,
    waiting=[],
    outcomes={
        "test/test.csv": UploadOutcome.ACCEPTED,
        "train/good.csv": UploadOutcome.ACCEPTED,
        "train/partly.csv": UploadOutcome.PARTLY_ACCEPTED,
        "train/unusable.csv": UploadOutcome.REJECTED,
        "train/zz-again.csv": UploadOutcome.DUPLICATE,
    },
    decision=DecisionKind.PROMOTE,
)

WRONG = mislabelled(documents(*LABELS, start=50, count=6))
MANY = documents(BUSINESS, start=100, count=60)
ENOUGH = documents(SPORTS, start=100, count=60)
TOO_FEW = documents("WORLD", start=100, count=2)
WORLD = documents("WORLD", count=8)


def later_turn() -> Deployment:
    """Labels of which too few are new, documents that stand in the test data, a better model, and an operator."""
    at = Deployment(labels=(*LABELS, "WORLD"))
    at.upload("test/test.csv", TEST + documents("WORLD", count=3, words="judge: "))
    at.upload("train/first.csv", WRONG + WORLD)
    first = at.run_turn()
    assert first.decision is DecisionKind.PROMOTE
    at.upload("train/many.csv", MANY[:5])
    at.upload("train/many.csv", MANY + TOO_FEW)
    at.upload("train/enough.csv", ENOUGH + TEST[:3])
    at.request_turn()
    return at


LATER = Story(
    begin=later_turn,
    trained_on=WRONG + WORLD + MANY + ENOUGH,
    tested_on=TEST + documents("WORLD", count=3, words="judge: "),
    waiting=TOO_FEW,
    outcomes={"train/many.csv": UploadOutcome.ACCEPTED, "train/enough.csv": UploadOutcome.ACCEPTED},
    decision=DecisionKind.PROMOTE,
)


STORIES = [pytest.param(FIRST, id="first"), pytest.param(LATER, id="later")]


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("story", STORIES)
def test_the_next_turn_goes_on_after_a_kill_at_any_place(story: Story, part: int) -> None:
    """The turn is stopped before its machine tries again; a promotion does try again. Each place in a life of its own;
    every PARTS-th of them in one test."""
    for after in itertools.count(part, PARTS):
        at = story.begin()
        turn = at.start_turn()
        at.script.kill(after=after)
        at.until_killed()
        if not at.script.killed:
            assert after > 30, "the turn was hardly killed"
            return
        at.stop("Turn")
        at.settle()
        try:
            check(story, at, [turn.record(), at.run_turn(), *at.run_until_at_rest()])
        except AssertionError as error:
            error.add_note(f"{at.script.killed} was killed after {after} changes.")
            raise


@pytest.mark.parametrize("story", STORIES)
def test_a_turn_that_is_killed_at_every_place_can_be_redriven_each_time(story: Story) -> None:
    """Within each step it dies after no change, after one, after two, and so on until the step is through. Each time
    it is stopped and redriven. The promotion is not: one that is stopped before its model is active has ended."""
    at = story.begin()
    turn = at.start_turn()
    at.script.kill_everywhere()
    killed = -1
    while len(at.script.killed) > killed:
        killed = len(at.script.killed)
        at.until_killed()
        at.redrive_what_runs("Turn")
    assert killed > 30, "the turn was hardly killed"
    at.script.kill()
    at.promote_all()
    check(story, at, [turn.record(), *at.run_until_at_rest()])


def check(story: Story, at: Deployment, records: list[TurnRecord]) -> None:
    found = at.check_consistency()
    assert found.trained_on == sorted(story.trained_on)
    assert found.tested_on == sorted(story.tested_on)
    assert found.waiting == sorted(story.waiting)
    assert at.keys("turns/request.json") == []
    check_uploads(story, at, records)
    decided = [record for record in records if record.decision is not DecisionKind.NOTHING]
    assert [record.decision for record in decided][-1:] in ([story.decision], [])
    assert at.active_model() == at.iterations()[0]["TrainedModelArn"]
    formerly = [item["TrainedModelArn"] for item in at.iterations()[1:]]
    assert [value for name, value in at.parameters().items() if name == "previous-model-arn"] == formerly


def check_uploads(story: Story, at: Deployment, records: list[TurnRecord]) -> None:
    """Each is told of with its outcome, and what was rejected is there once, with its report."""
    told: dict[str, set[UploadOutcome]] = {}
    for record in records:
        for result in record.uploads:
            told.setdefault(result.upload.key, set()).add(result.outcome)
    assert told == {key: {outcome} for key, outcome in story.outcomes.items()}
    rejected = Counter(key.split("/")[1] for key in at.keys("rejected/"))
    with_reports = {UploadOutcome.REJECTED, UploadOutcome.PARTLY_ACCEPTED}
    # A report for programs, one for people, and the original or its bad lines.
    assert sorted(rejected.values()) == [3 for outcome in story.outcomes.values() if outcome in with_reports]
    for record in records:
        for upload in record.unprepared:
            assert upload.key in {result.upload.key for other in records[1:] for result in other.uploads}, upload.key
