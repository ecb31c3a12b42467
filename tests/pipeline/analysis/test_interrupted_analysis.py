"""Analysis jobs whose parts fail, and whose functions are killed or late anywhere."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import pytest

from flywheel.records.analyses import AnalysisOutcome, input_folder
from local.comprehend.faults import Fault
from tests.pipeline.analyses import (
    again,
    analysed,
    as_lines,
    comprehend_jobs,
    csv_rows_of,
    ended,
    executions_of,
    limit_parts,
    outputs,
    rows_of,
    send,
    texts,
    with_model,
)
from tests.pipeline.deployed import Deployment

PARTS = 2
"""The kills are a few tests, so that processes can share them."""


def test_a_part_that_fails_is_told_of_and_tried_again_by_the_next_execution() -> None:
    at = with_model(analysis={"documents_per_part": 2})
    at.faults.add(Fault(resource="job", message="The weather was bad.", times=1))
    summary = analysed(at, "job", {"a.txt": as_lines(texts(6))})
    assert summary.outcome is AnalysisOutcome.FAILED
    assert "1 of 3 parts could not be classified: The weather was bad." in summary.reason
    assert outputs(at, "job") == ["summary.json"]
    assert len(comprehend_jobs(at)) == 3
    assert again(at, "job").outcome is AnalysisOutcome.SUCCEEDED
    assert [row["text"] for row in rows_of(at, "job")] == texts(6)
    assert len(comprehend_jobs(at)) == 4


def test_a_job_that_does_not_show_yet_has_not_failed_and_is_not_paid_for_twice(at: Deployment) -> None:
    send(at, {"a.txt": as_lines(texts(5))}, job="job")
    held = at.run_before("ClassifyPart", machine="Analyze")
    at.let_pass(timedelta(minutes=2))
    with at.comprehend_with(created_things_found_after_seconds=60):
        at.script.lose_answers()
        at.go_on(held)
        assert ended(at, "job").outcome is AnalysisOutcome.SUCCEEDED
    assert len(at.invoked("classify_part")) > 1
    assert len(comprehend_jobs(at)) == 1


DROP = {"a.txt": as_lines(texts(5)) + b"\n\xff\n" + as_lines(texts(3, start=70)), "b.txt": b"sports news"}


def of_small_parts() -> Deployment:
    at = with_model(analysis={"documents_per_part": 3})
    limit_parts(at, size=200)
    return at


def check_whole(at: Deployment, job: str) -> None:
    summary = ended(at, job)
    assert summary.outcome is AnalysisOutcome.SUCCEEDED
    rows = rows_of(at, job)
    assert [(row["file"], row["line"], row.get("error")) for row in rows] == [
        *(("a.txt", line, {6: "EMPTY", 7: "NOT_UTF8"}.get(line)) for line in range(1, 11)),
        ("b.txt", 1, None),
    ]
    assert len(csv_rows_of(at, job)) == len(rows)
    assert outputs(at, job) == ["predictions.csv", "predictions.jsonl", "summary.json"]
    folder = input_folder(job)
    assert {key.removeprefix(folder): at.bucket.read_bytes(key) for key in at.keys(folder)} == DROP
    assert len(comprehend_jobs(at, job)) == summary.parts > 3, "a part was paid for twice"


def test_a_job_that_is_killed_at_every_place_can_be_redriven_each_time() -> None:
    at = of_small_parts()
    job = send(at, DROP)
    begins = at.run_before("BeginAnalysis", machine="Analyze")
    at.script.kill_everywhere()
    at.go_on(begins)
    killed = -1
    while len(at.script.killed) > killed:
        killed = len(at.script.killed)
        at.until_killed()
        at.redrive_what_runs("Analyze")
    assert killed > 20, "the job was hardly killed"
    at.script.kill()
    check_whole(at, job)


@pytest.mark.parametrize("part", range(PARTS))
def test_another_execution_goes_on_after_a_kill_at_any_place(part: int) -> None:
    at = of_small_parts()
    for after in itertools.count(part, PARTS):
        job = send(at, DROP)
        at.script.kill(after=after)
        at.until_killed()
        if not at.script.killed:
            assert after > 20, "the job was hardly killed"
            return
        at.stop("Analyze")
        at.settle()
        again(at, job)
        check_whole(at, job)


def overtaken(function: str, *, before: int, options: Any, status: str) -> bool:
    """A function is held up before this request, until a run of later files has ended. False if it has fewer."""
    at = with_model()
    at.script.hold(function, before=before)
    send(at, {"a.txt": as_lines(texts(2))}, options=options, job="job")
    at.until_quiet(lambda: bool(at.script.held))
    if not at.script.held:
        return False
    at.let_pass(timedelta(seconds=5))
    send(at, {"b.txt": as_lines(texts(2, start=50))}, options={}, job="job")
    at.step_until(lambda: [one.status for one in executions_of(at, "job")][1:] == ["SUCCEEDED"])
    at.script.held[0].let_go()
    summary = ended(at, "job")
    assert executions_of(at, "job")[0].status == status
    assert (summary.outcome, summary.documents) == (AnalysisOutcome.SUCCEEDED, 4)
    assert len(rows_of(at, "job")) == len(csv_rows_of(at, "job")) == 4
    return True


@pytest.mark.parametrize(
    ("function", "options", "status"),
    [
        # Of a run that failed before it began, so that nothing says which files it was of.
        ("report_analysis", [], "FAILED"),
        ("join_analysis", {}, "SUCCEEDED"),
    ],
)
def test_what_is_late_leaves_what_was_said_of_files_that_came_meanwhile(
    function: str, options: Any, status: str
) -> None:
    numbers = itertools.count()
    held_up = sum(
        1
        for _ in itertools.takewhile(
            lambda before: overtaken(function, before=before, options=options, status=status), numbers
        )
    )
    assert held_up > 3, "it was hardly held up"
