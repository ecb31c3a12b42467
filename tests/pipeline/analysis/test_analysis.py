"""Analysis jobs on the synthesised machine: whatever was dropped ends in the output, in its order."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from flywheel.analysis.pokes import delayed_poke
from flywheel.analysis.start_analysis import jobs_to_look_at
from flywheel.records.analyses import AnalysisOutcome, input_folder
from local.comprehend.faults import Fault
from tests.pipeline.analyses import (
    ANALYSIS,
    again,
    analysed,
    comprehend_jobs,
    csv_rows_of,
    ended,
    executions_of,
    limit_parts,
    outputs,
    rows_of,
    send,
    with_model,
)
from tests.pipeline.deployed import Deployment
from tests.pipeline.documents import LABELS, documents

BUSINESS, SPORTS = LABELS
LINES = "ONE_DOC_PER_LINE"
FILES = "ONE_DOC_PER_FILE"
TOO_LONG = b"x" * 10_000_001
PARTS = 2
"""The kills are a few tests, so that processes can share them."""


def texts(count: int, *, start: int = 0) -> list[str]:
    return [text for _, text in documents(*LABELS, start=start, count=count)][:count]


def as_lines(found: list[str], end: str = "\n") -> bytes:
    return "".join(f"{text}{end}" for text in found).encode()


@pytest.fixture
def at() -> Deployment:
    return with_model()


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_are_answered_in_their_order(at: Deployment, end: str) -> None:
    first, second = texts(5), texts(4, start=50)
    summary = analysed(at, "job", {"b.txt": as_lines(second, end), "a.txt": as_lines(first, end)})
    rows = rows_of(at, "job")
    assert [(row["file"], row["line"], row["text"]) for row in rows] == [
        *(("a.txt", number, text) for number, text in enumerate(first, start=1)),
        *(("b.txt", number, text) for number, text in enumerate(second, start=1)),
    ]
    for row in rows:
        expected = BUSINESS if "business" in row["text"] else SPORTS
        assert row["labels"] == [expected]
        assert row["score"] == row["scores"][0]["score"]
        assert row["low_confidence"] is (row["score"] < 0.7)
    assert summary.outcome is AnalysisOutcome.SUCCEEDED
    assert (summary.documents, summary.files, summary.parts) == (9, 2, 1)
    assert summary.labels == Counter(row["labels"][0] for row in rows)
    assert summary.low_confidence == sum(row["low_confidence"] for row in rows)
    assert summary.models == (at.active_model(),)


def test_the_csv_says_the_same(at: Deployment) -> None:
    analysed(at, "job", {"a, b.txt": as_lines(['business "news", told', "", "sports news"])})
    for row, as_csv in zip(rows_of(at, "job"), csv_rows_of(at, "job"), strict=True):
        assert as_csv == {
            "file": row["file"],
            "line": str(row["line"]),
            "text": row["text"],
            "labels": "|".join(row.get("labels", [])),
            "score": str(row.get("score", "")),
            "low_confidence": json.dumps(row["low_confidence"]) if "score" in row else "",
            "error": row.get("error", ""),
            "message": row.get("message", ""),
        }


def test_each_file_is_a_document(at: Deployment) -> None:
    found = {f"{number:02d}.txt": text.replace(" ", "\n", 1).encode() for number, text in enumerate(texts(7))}
    files = {**found, "deep/in a/folder.txt": b"\xef\xbb\xbfsports news\r\nof today\n"}
    summary = analysed(at, "job", files, options={"format": FILES})
    rows = rows_of(at, "job")
    assert [row["file"] for row in rows] == [*found, "deep/in a/folder.txt"]
    assert {row["line"] for row in rows} == {None}
    assert rows[0]["text"] == texts(1)[0]
    assert rows[-1]["text"] == "sports news of today"
    assert (summary.documents, summary.files) == (8, 8)


def test_what_cannot_be_classified_is_in_the_output_with_the_reason(at: Deployment) -> None:
    good = texts(2)
    lines = [good[0].encode(), b"", b"   \t ", b"caf\xe9", TOO_LONG, good[1].encode()]
    summary = analysed(at, "job", {"a.txt": b"\n".join(lines), "empty.txt": b""})
    rows = rows_of(at, "job")
    assert [row.get("error") for row in rows] == [None, "EMPTY", "EMPTY", "NOT_UTF8", "TOO_LONG", None, "EMPTY_FILE"]
    assert [row["line"] for row in rows] == [1, 2, 3, 4, 5, 6, 1]
    assert rows[3]["text"] == "caf\N{REPLACEMENT CHARACTER}"
    assert "UTF-8" in rows[3]["message"]
    assert "10,000,000 bytes" in rows[4]["message"]
    assert [row["text"] for row in (rows[0], rows[5])] == good
    assert summary.errors == {"EMPTY": 2, "EMPTY_FILE": 1, "NOT_UTF8": 1, "TOO_LONG": 1}
    assert summary.documents == 2
    assert summary.outcome is AnalysisOutcome.SUCCEEDED


def test_files_that_cannot_be_classified(at: Deployment) -> None:
    contents = {"1": b"sports news", "2": b"", "3": b" \n ", "4": b"\xff\xfe", "5": TOO_LONG}
    analysed(at, "job", contents, options={"format": FILES})
    errors = [row.get("error") for row in rows_of(at, "job")]
    assert errors == [None, "EMPTY_FILE", "EMPTY", "NOT_UTF8", "TOO_LONG"]


def test_a_job_of_nothing_but_bad_lines_asks_nobody(at: Deployment) -> None:
    summary = analysed(at, "job", {"a.txt": b"\n\n"})
    assert [row["error"] for row in rows_of(at, "job")] == ["EMPTY", "EMPTY"]
    assert (summary.outcome, summary.documents, summary.error_lines) == (AnalysisOutcome.SUCCEEDED, 0, 2)
    assert comprehend_jobs(at) == []


def test_a_large_job_is_split_and_joined_in_order_by_one_model() -> None:
    """Files are cut inside lines, and parts end inside files and units."""
    at = with_model(analysis={"documents_per_part": 3})
    limit_parts(at, size=200)
    found = {"a.txt": texts(11), "b.txt": texts(1, start=30), "c.txt": texts(13, start=60)}
    summary = analysed(at, "job", {name: as_lines(lines) for name, lines in found.items()})
    assert [(row["file"], row["line"], row["text"]) for row in rows_of(at, "job")] == [
        (name, number, text) for name, lines in found.items() for number, text in enumerate(lines, start=1)
    ]
    jobs = comprehend_jobs(at)
    assert summary.parts > 5
    assert len(jobs) == summary.parts
    assert all("FlywheelArn" not in asked for asked in jobs)
    assert {asked["DocumentClassifierArn"] for asked in jobs} == set(summary.models)


def test_a_job_of_one_part_is_asked_of_the_flywheel(at: Deployment) -> None:
    analysed(at, "job", {"a.txt": b"sports news"})
    (asked,) = comprehend_jobs(at)
    assert asked["FlywheelArn"] == at.flywheel_arn


def test_a_byte_order_mark_is_no_text(at: Deployment) -> None:
    analysed(at, "job", {"a.txt": b"\xef\xbb\xbfsports news\n\xef\xbb\xbf business news"})
    assert [row["text"] for row in rows_of(at, "job")] == ["sports news", "\ufeff business news"]


def test_a_late_execution_that_fails_takes_nothing_back(at: Deployment) -> None:
    send(at, {"a.txt": b"sports news"}, job="job")
    at.run_before("PlanAnalysis", machine="Analyze")
    done = again(at, "job")
    assert done.outcome is AnalysisOutcome.SUCCEEDED
    at.stop("Analyze")
    assert ended(at, "job") == done
    assert executions_of(at, "job")[0].status == "ABORTED"
    assert again(at, "job") == done


def test_a_multi_label_job_names_every_label() -> None:
    at = Deployment(labels=("COMEDY", "DRAMA"), multi_label=True, analysis=ANALYSIS)
    rows = documents("COMEDY", "DRAMA", "COMEDY|DRAMA", count=20)
    at.upload("test/test.csv", documents("COMEDY", "DRAMA", "COMEDY|DRAMA", count=5, words="judge: "))
    at.upload("train/train.csv", rows)
    at.run_turn()
    summary = analysed(at, "job", {"a.txt": as_lines([text for _, text in rows[:6]])})
    assert {tuple(sorted(row["labels"])) for row in rows_of(at, "job")} >= {("COMEDY",), ("COMEDY", "DRAMA")}
    assert "COMEDY|DRAMA" in {"|".join(sorted(row["labels"].split("|"))) for row in csv_rows_of(at, "job")}
    assert sum(summary.labels.values()) > summary.documents == 6


def test_the_model_of_a_former_generation_serves_until_it_is_beaten(at: Deployment) -> None:
    former, model = at.flywheel_arn, at.active_model()
    at.replace_flywheel()
    assert analysed(at, "job", {"a.txt": b"sports news"}).models == (model,)
    assert comprehend_jobs(at)[0]["FlywheelArn"] == former


def test_without_a_model_the_job_fails_with_what_to_do() -> None:
    at = Deployment(analysis=ANALYSIS)
    summary = analysed(at, "job", {"a.txt": b"sports news"})
    assert summary.outcome is AnalysisOutcome.FAILED
    assert "No model is active yet" in summary.reason
    assert outputs(at, "job") == ["summary.json"]


@pytest.mark.parametrize(
    ("options", "problem"),
    [({"format": "ONE_DOC_PER_PAGE"}, "ONE_DOC_PER_FILE"), ({"formats": LINES}, "formats"), ([], "job.json")],
)
def test_options_that_cannot_be_read(at: Deployment, options: Any, problem: str) -> None:
    summary = analysed(at, "job", {"a.txt": b"sports news"}, options=options)
    assert summary.outcome is AnalysisOutcome.FAILED
    assert problem in summary.reason


def test_an_empty_drop_fails_with_what_to_do(at: Deployment) -> None:
    summary = analysed(at, "job", {"folder/": b""}, options={})
    assert summary.outcome is AnalysisOutcome.FAILED
    assert "There is no file" in summary.reason


def test_a_drop_is_complete_when_it_rested_or_says_so() -> None:
    at = with_model(analysis={"quiet_period_minutes": 5})
    send(at, {"a.txt": b"sports news"}, job="rests")
    at.let_pass(timedelta(minutes=4))
    assert executions_of(at, "rests") == []
    at.let_pass(timedelta(minutes=2))
    assert len(executions_of(at, "rests")) == 1
    send(at, {"a.txt": b"sports news"}, options={}, job="says so")
    at.let_pass(timedelta(minutes=1))
    assert len(executions_of(at, "says so")) == 1
    send(at, {}, options={}, job="says so")
    at.let_pass(timedelta(minutes=1))
    assert len(executions_of(at, "says so")) == 2
    at.invoke("start_analysis", {"Records": [{"messageId": "a", "body": delayed_poke("a job that is not there")}]})
    assert len(at.executions("Analyze")) == 3


def test_a_drop_that_nobody_was_told_of_is_found(at: Deployment) -> None:
    at.script.events_take = 2
    analysed(at, "told", {"a.txt": b"sports news"})
    at.script.loses_events_of = ""
    send(at, {"a.txt": b"sports news"}, job="missed")
    at.settle()
    at.script.loses_events_of = None
    assert outputs(at, "missed") == []
    assert jobs_to_look_at(at.bucket) == ["missed"]
    at.invoke("start_analysis", {"Records": [{"messageId": "a", "body": json.dumps({"poke": "schedule"})}]})
    assert ended(at, "missed").outcome is AnalysisOutcome.SUCCEEDED
    assert len(at.executions("Analyze")) == 2


@pytest.mark.parametrize("stopped", [False, True])
def test_a_file_that_comes_during_a_run_leaves_the_output_to_the_run_of_all(at: Deployment, stopped: bool) -> None:
    send(at, {"a.txt": b"sports news"}, job="job")
    late = at.run_before("JoinAnalysis", machine="Analyze")
    at.let_pass(timedelta(seconds=5))
    summary = analysed(at, "job", {"b.txt": b"business news"})
    assert summary.files == 2
    output = rows_of(at, "job")
    if stopped:
        at.stop("Analyze")
    else:
        at.go_on(late)
    assert ended(at, "job") == summary
    assert [one.status for one in executions_of(at, "job")] == ["ABORTED" if stopped else "SUCCEEDED", "SUCCEEDED"]
    assert rows_of(at, "job") == output
    assert len(output) == 2


def test_a_run_that_is_stopped_before_it_began_leaves_the_summary_of_later_files(at: Deployment) -> None:
    send(at, {"a.txt": b"sports news"}, job="job")
    at.run_before("BeginAnalysis", machine="Analyze")
    at.let_pass(timedelta(seconds=5))
    summary = analysed(at, "job", {"b.txt": b"business news"})
    at.stop("Analyze")
    assert ended(at, "job") == summary
    assert [one.status for one in executions_of(at, "job")] == ["ABORTED", "SUCCEEDED"]


def test_input_that_is_removed_during_a_run_is_answered_all_the_same(at: Deployment) -> None:
    send(at, {"a.txt": b"sports news", "b.txt": b"business news"}, job="job")
    held = at.run_before("PlanAnalysis", machine="Analyze")
    at.s3.delete_object(Bucket=at.app.intake, Key=f"{input_folder('job')}a.txt")
    at.go_on(held)
    assert ended(at, "job").outcome is AnalysisOutcome.SUCCEEDED
    assert len(rows_of(at, "job")) == 2


def test_options_that_are_removed_during_a_run_do_not_make_it_another_job(at: Deployment) -> None:
    send(at, {"a.txt": b"sports news"}, options={}, job="job")
    held = at.run_before("JoinAnalysis", machine="Analyze")
    at.s3.delete_object(Bucket=at.app.intake, Key=f"{input_folder('job')}job.json")
    at.go_on(held)
    assert ended(at, "job").outcome is AnalysisOutcome.SUCCEEDED


@pytest.mark.parametrize("input_format", [LINES, FILES])
def test_input_that_is_deleted_for_good_is_named(at: Deployment, input_format: str) -> None:
    send(at, {"a.txt": b"sports news", "b.txt": b"business news"}, options={"format": input_format}, job="job")
    held = at.run_before("SplitUnits", machine="Analyze")
    key = f"{input_folder('job')}a.txt"
    version = at.s3.head_object(Bucket=at.app.intake, Key=key)["VersionId"]
    at.s3.delete_object(Bucket=at.app.intake, Key=key, VersionId=version)
    at.go_on(held)
    summary = ended(at, "job")
    assert summary.outcome is AnalysisOutcome.FAILED
    assert f"The version of {key} that the job began with was deleted for good" in summary.reason


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
