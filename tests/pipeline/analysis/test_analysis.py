"""Analysis jobs, step by step in this process: whatever was dropped ends in the output, in its order."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from datetime import timedelta
from functools import cache
from typing import Any

import pytest

from flywheel.analysis.begin_analysis import JobLimits
from flywheel.analysis.classify_part import classify_part
from flywheel.analysis.start_analysis import jobs_to_look_at
from flywheel.records.analyses import SUMMARY, AnalysisOutcome, AnalysisSummary, output_key
from local.comprehend.faults import Fault
from tests.pipeline.analysis_driver import Analyses
from tests.pipeline.deployment import settled
from tests.pipeline.in_process_cloud import Killed, switched
from tests.pipeline.turn_driver import LABELS, ROLE, Deployment, documents

BUSINESS, SPORTS = LABELS
LINES = "ONE_DOC_PER_LINE"
FILES = "ONE_DOC_PER_FILE"


def texts(count: int, *, start: int = 0) -> list[str]:
    return [text for _, text in documents(*LABELS, start=start, count=count)][:count]


def as_lines(found: list[str], end: str = "\n") -> bytes:
    return "".join(f"{text}{end}" for text in found).encode()


def trained(**more: Any) -> Deployment:
    at = Deployment(**more)
    at.upload("test/test.csv", documents(*at.labels, count=6, words="judge: "))
    at.upload("train/train.csv", documents(*at.labels, count=20))
    at.run_turn()
    assert at.parameters()["active-model-arn"]
    return at


@cache
def shared() -> Deployment:
    """One with an active model, for tests that change no more than their own jobs."""
    return trained()


@pytest.fixture
def analyses() -> Analyses:
    at = shared()
    at.kills.reset()
    return Analyses(at=at)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_are_answered_in_their_order(analyses: Analyses, end: str) -> None:
    first, second = texts(5), texts(4, start=50)
    job = analyses.drop({"b.txt": as_lines(second, end), "a.txt": as_lines(first, end)})
    summary = analyses.run(job)
    rows = analyses.rows(job)
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
    assert summary.models == (analyses.at.active_model(),)


def test_the_csv_says_the_same(analyses: Analyses) -> None:
    job = analyses.drop({"a, b.txt": as_lines(['business "news", told', "", "sports news"])})
    analyses.run(job)
    for row, as_csv in zip(analyses.rows(job), analyses.csv_rows(job), strict=True):
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


def test_each_file_is_a_document(analyses: Analyses) -> None:
    found = {f"{number:02d}.txt": text.replace(" ", "\n", 1).encode() for number, text in enumerate(texts(7))}
    job = analyses.drop(
        {**found, "deep/in a/folder.txt": b"\xef\xbb\xbfsports news\r\nof today\n"}, options={"format": FILES}
    )
    summary = analyses.run(job)
    rows = analyses.rows(job)
    assert [row["file"] for row in rows] == [*found, "deep/in a/folder.txt"]
    assert {row["line"] for row in rows} == {None}
    assert rows[0]["text"] == texts(1)[0]
    assert rows[-1]["text"] == "sports news of today"
    assert (summary.documents, summary.files) == (8, 8)


def test_what_cannot_be_classified_is_in_the_output_with_the_reason(analyses: Analyses) -> None:
    analyses.limits = JobLimits(document_bytes=100)
    good = texts(2)
    lines = [good[0].encode(), b"", b"   \t ", b"caf\xe9", b"x" * 101, good[1].encode()]
    job = analyses.drop({"a.txt": b"\n".join(lines), "empty.txt": b""})
    summary = analyses.run(job)
    rows = analyses.rows(job)
    assert [row.get("error") for row in rows] == [None, "EMPTY", "EMPTY", "NOT_UTF8", "TOO_LONG", None, "EMPTY_FILE"]
    assert [row["line"] for row in rows] == [1, 2, 3, 4, 5, 6, 1]
    assert rows[3]["text"] == "caf\N{REPLACEMENT CHARACTER}"
    assert "UTF-8" in rows[3]["message"]
    assert "100 bytes" in rows[4]["message"]
    assert [row["text"] for row in (rows[0], rows[5])] == good
    assert summary.errors == {"EMPTY": 2, "EMPTY_FILE": 1, "NOT_UTF8": 1, "TOO_LONG": 1}
    assert summary.documents == 2
    assert summary.outcome is AnalysisOutcome.SUCCEEDED


def test_files_that_cannot_be_classified(analyses: Analyses) -> None:
    analyses.limits = JobLimits(document_bytes=100)
    contents = {"1": b"sports news", "2": b"", "3": b" \n ", "4": b"\xff\xfe", "5": b"y" * 101}
    job = analyses.drop(contents, options={"format": FILES})
    analyses.run(job)
    errors = [row.get("error") for row in analyses.rows(job)]
    assert errors == [None, "EMPTY_FILE", "EMPTY", "NOT_UTF8", "TOO_LONG"]


def test_a_job_of_nothing_but_bad_lines_asks_nobody(analyses: Analyses) -> None:
    before = len(analyses.comprehend_jobs())
    job = analyses.drop({"a.txt": b"\n\n"})
    summary = analyses.run(job)
    assert [row["error"] for row in analyses.rows(job)] == ["EMPTY", "EMPTY"]
    assert (summary.outcome, summary.documents, summary.error_lines) == (AnalysisOutcome.SUCCEEDED, 0, 2)
    assert len(analyses.comprehend_jobs()) == before


def test_a_large_job_is_split_and_joined_in_order_by_one_model(analyses: Analyses) -> None:
    """Files are cut inside lines, and parts end inside files and units."""
    analyses.limits = JobLimits(part_bytes=200, part_documents=3)
    found = {"a.txt": texts(11), "b.txt": texts(1, start=30), "c.txt": texts(13, start=60)}
    before = len(analyses.comprehend_jobs())
    job = analyses.drop({name: as_lines(lines) for name, lines in found.items()})
    summary = analyses.run(job)
    assert [(row["file"], row["line"], row["text"]) for row in analyses.rows(job)] == [
        (name, number, text) for name, lines in found.items() for number, text in enumerate(lines, start=1)
    ]
    jobs = analyses.comprehend_jobs()[: len(analyses.comprehend_jobs()) - before]
    assert summary.parts > 5
    assert len(jobs) == summary.parts
    assert all("FlywheelArn" not in asked for asked in jobs)
    assert {asked["DocumentClassifierArn"] for asked in jobs} == set(summary.models)


def test_a_job_of_one_part_is_asked_of_the_flywheel(analyses: Analyses) -> None:
    analyses.run(analyses.drop({"a.txt": b"sports news"}))
    newest = max(analyses.comprehend_jobs(), key=lambda asked: asked["SubmitTime"])
    assert newest["FlywheelArn"] == analyses.at.flywheel_arn


def test_a_byte_order_mark_is_no_text(analyses: Analyses) -> None:
    job = analyses.drop({"a.txt": b"\xef\xbb\xbfsports news\n\xef\xbb\xbf business news"})
    analyses.run(job)
    assert [row["text"] for row in analyses.rows(job)] == ["sports news", "\ufeff business news"]


def test_a_late_execution_that_fails_takes_nothing_back(analyses: Analyses) -> None:
    job = analyses.drop({"a.txt": b"sports news"})
    late = analyses.start(job).run_before("_plan")
    done = analyses.run(job)
    assert late.report(AnalysisOutcome.STOPPED, "a person stopped it") is None
    assert analyses.run(job) == done


def test_a_multi_label_job_names_every_label() -> None:
    at = Deployment(labels=("COMEDY", "DRAMA"), multi_label=True)
    rows = documents("COMEDY", "DRAMA", "COMEDY|DRAMA", count=20)
    at.upload("test/test.csv", documents("COMEDY", "DRAMA", "COMEDY|DRAMA", count=5, words="judge: "))
    at.upload("train/train.csv", rows)
    at.run_turn()
    analyses = Analyses(at=at)
    job = analyses.drop({"a.txt": as_lines([text for _, text in rows[:6]])})
    summary = analyses.run(job)
    assert {tuple(sorted(row["labels"])) for row in analyses.rows(job)} >= {("COMEDY",), ("COMEDY", "DRAMA")}
    assert "COMEDY|DRAMA" in {"|".join(sorted(row["labels"].split("|"))) for row in analyses.csv_rows(job)}
    assert sum(summary.labels.values()) > summary.documents == 6


def test_the_model_of_a_former_generation_serves_until_it_is_beaten() -> None:
    at = trained()
    former, model = at.flywheel_arn, at.active_model()
    at.replace_flywheel()
    analyses = Analyses(at=at)
    job = analyses.drop({"a.txt": b"sports news"})
    assert analyses.run(job).models == (model,)
    assert analyses.comprehend_jobs()[0]["FlywheelArn"] == former


def test_without_a_model_the_job_fails_with_what_to_do() -> None:
    analyses = Analyses(at=Deployment())
    job = analyses.drop({"a.txt": b"sports news"})
    summary = analyses.run(job)
    assert summary.outcome is AnalysisOutcome.FAILED
    assert "No model is active yet" in summary.reason
    assert analyses.outputs(job) == ["summary.json"]


@pytest.mark.parametrize(
    ("options", "problem"),
    [({"format": "ONE_DOC_PER_PAGE"}, "ONE_DOC_PER_FILE"), ({"formats": LINES}, "formats"), ([], "job.json")],
)
def test_options_that_cannot_be_read(analyses: Analyses, options: Any, problem: str) -> None:
    summary = analyses.run(analyses.drop({"a.txt": b"sports news"}, options=options))
    assert summary.outcome is AnalysisOutcome.FAILED
    assert problem in summary.reason


def test_an_empty_drop_fails_with_what_to_do(analyses: Analyses) -> None:
    summary = analyses.run(analyses.drop({"folder/": b""}, options={}))
    assert summary.outcome is AnalysisOutcome.FAILED
    assert "There is no file" in summary.reason


def test_a_drop_is_complete_when_it_rested_or_says_so(analyses: Analyses) -> None:
    analyses.at.cloud.clock.reset()
    analyses.quiet_period = timedelta(minutes=5)
    job = analyses.drop({"a.txt": b"sports news"})
    verdict = analyses.judge(job)
    assert not verdict.start
    assert verdict.again_in is not None
    assert timedelta(minutes=4) < verdict.again_in <= timedelta(minutes=5)
    analyses.at.cloud.clock.advance(timedelta(minutes=6))
    assert analyses.judge(job).start
    analyses.at.cloud.clock.reset()
    job = analyses.drop({"a.txt": b"sports news"}, options={})
    verdict = analyses.judge(job)
    assert verdict.start
    assert verdict.run != analyses.judge(analyses.drop({}, options={}, job=job)).run
    assert not analyses.judge("a job that is not there").start


def test_a_drop_that_nobody_was_told_of_is_found(analyses: Analyses) -> None:
    done, missed = analyses.drop({"a.txt": b"sports news"}), analyses.drop({"a.txt": b"sports news"})
    assert {done, missed} <= set(jobs_to_look_at(analyses.at.intake))

    def found() -> list[str]:
        """Once the job began in a later second than its drop: S3 tells full seconds."""
        analyses.start(done).run_before("_plan")
        return jobs_to_look_at(analyses.at.intake)

    assert missed in settled(found, lambda jobs: done not in jobs)


def test_a_file_that_comes_during_a_run_leaves_the_output_to_the_run_of_all(analyses: Analyses) -> None:
    job = analyses.drop({"a.txt": b"sports news"})
    late = analyses.start(job).run_before("_join")
    analyses.at.cloud.clock.advance(timedelta(seconds=5))
    analyses.drop({"b.txt": b"business news"}, job=job)
    assert analyses.run(job).files == 2
    output = analyses.rows(job)
    assert late.run() is None
    assert late.report(AnalysisOutcome.FAILED, "late") is None
    assert analyses.rows(job) == output
    assert len(output) == 2


def test_input_that_is_removed_during_a_run_is_answered_all_the_same(analyses: Analyses) -> None:
    job = analyses.drop({"a.txt": b"sports news", "b.txt": b"business news"})
    execution = analyses.start(job).run_before("_plan")
    analyses.at.s3.delete_object(Bucket=analyses.at.name, Key=f"analysis/input/{job}/a.txt")
    summary = execution.run()
    assert summary is not None
    assert summary.outcome is AnalysisOutcome.SUCCEEDED
    assert len(analyses.rows(job)) == 2


def test_options_that_are_removed_during_a_run_do_not_make_it_another_job(analyses: Analyses) -> None:
    job = analyses.drop({"a.txt": b"sports news"}, options={})
    execution = analyses.start(job).run_before("_join")
    analyses.at.s3.delete_object(Bucket=analyses.at.name, Key=f"analysis/input/{job}/job.json")
    summary = execution.run()
    assert summary is not None
    assert summary.outcome is AnalysisOutcome.SUCCEEDED


@pytest.mark.parametrize("input_format", [LINES, FILES])
def test_input_that_is_deleted_for_good_is_named(analyses: Analyses, input_format: str) -> None:
    job = analyses.drop({"a.txt": b"sports news", "b.txt": b"business news"}, options={"format": input_format})
    execution = analyses.start(job)
    execution.take_step()
    key = f"analysis/input/{job}/a.txt"
    version = analyses.at.s3.head_object(Bucket=analyses.at.name, Key=key)["VersionId"]
    analyses.at.s3.delete_object(Bucket=analyses.at.name, Key=key, VersionId=version)
    summary = execution.run()
    assert summary is not None
    assert summary.outcome is AnalysisOutcome.FAILED
    assert f"The version of {key} that the job began with was deleted for good" in summary.reason


def test_a_part_that_fails_is_told_of_and_tried_again_by_the_next_execution(analyses: Analyses) -> None:
    analyses.limits = JobLimits(part_documents=2)
    job = analyses.drop({"a.txt": as_lines(texts(6))})
    faults = analyses.at.cloud.comprehend.faults
    faults.add(Fault(resource="job", message="The weather was bad.", times=1))
    try:
        summary = analyses.run(job)
    finally:
        faults.clear()
    assert summary.outcome is AnalysisOutcome.FAILED
    assert "1 of 3 parts could not be classified: The weather was bad." in summary.reason
    assert analyses.outputs(job) == ["summary.json"]
    before = len(analyses.comprehend_jobs())
    again = analyses.run(job)
    assert again.outcome is AnalysisOutcome.SUCCEEDED
    assert [row["text"] for row in analyses.rows(job)] == texts(6)
    assert len(analyses.comprehend_jobs()) == before + 1


KILLED_LIMITS = JobLimits(part_bytes=200, part_documents=3)
DROP = {"a.txt": as_lines(texts(5)) + b"\n\xff\n" + as_lines(texts(3, start=70)), "b.txt": b"sports news"}


def test_a_job_that_does_not_show_yet_has_not_failed_and_is_not_paid_for_twice(analyses: Analyses) -> None:
    job = analyses.drop({"a.txt": as_lines(texts(5))})
    analysis = analyses.start(job).run_before("_plan")
    analysis.take_step()
    item = analysis.steps[0].args[0]  # type: ignore[attr-defined]  # a partial: the part to classify
    at = analyses.at
    at.cloud.clock.advance(timedelta(minutes=2))
    with switched(created_things_found_after_seconds=60):
        asked = {classify_part(item, role_arn=ROLE, intake=at.intake, service=at.service) for _ in range(3)}
    assert len(asked) == 1
    assert analysis.run()
    assert [found["JobId"] for found in analyses.comprehend_jobs() if job in found["InputDataConfig"]["S3Uri"]] == [
        *asked
    ]


def check_whole(analyses: Analyses, job: str, before: dict[str, bytes]) -> None:
    rows = analyses.rows(job)
    assert [(row["file"], row["line"], row.get("error")) for row in rows] == [
        *(("a.txt", line, {6: "EMPTY", 7: "NOT_UTF8"}.get(line)) for line in range(1, 11)),
        ("b.txt", 1, None),
    ]
    assert len(analyses.csv_rows(job)) == len(rows)
    assert analyses.outputs(job) == ["predictions.csv", "predictions.jsonl", "summary.json"]
    assert analyses.input(job) == before


def test_a_job_that_is_killed_at_every_place_can_be_redriven_each_time(analyses: Analyses) -> None:
    at = analyses.at
    analyses.limits = KILLED_LIMITS
    job = analyses.drop(DROP)
    before = analyses.input(job)
    asked_before = len(analyses.comprehend_jobs())
    execution = analyses.start(job)
    kills = survived = step = 0
    summary = None
    while summary is None:
        if execution.steps_taken != step:
            step, survived = execution.steps_taken, 0
        at.kills.reset(after=survived)
        try:
            summary = execution.run()
        except Killed:
            kills += 1
            survived += 1
    at.kills.reset()
    assert kills > 20
    assert summary.outcome is AnalysisOutcome.SUCCEEDED
    check_whole(analyses, job, before)
    assert len(analyses.comprehend_jobs()) - asked_before == summary.parts, "a part was paid for twice"


@pytest.mark.parametrize("part", range(2))
def test_another_execution_goes_on_after_a_kill_at_any_place(analyses: Analyses, part: int) -> None:
    at = analyses.at
    analyses.limits = KILLED_LIMITS
    after = part
    while True:
        job = analyses.drop(DROP)
        before = analyses.input(job)
        asked_before = len(analyses.comprehend_jobs())
        killed = analyses.start(job)
        at.kills.reset(after=after)
        with contextlib.suppress(Killed):
            killed.run()
        struck = at.kills.struck
        at.kills.reset()
        if not struck:
            assert after > 20
            return
        killed.report(AnalysisOutcome.STOPPED, "killed")
        summary = analyses.run(job)
        assert summary.outcome is AnalysisOutcome.SUCCEEDED
        check_whole(analyses, job, before)
        assert len(analyses.comprehend_jobs()) - asked_before == summary.parts, "a part was paid for twice"
        after += 2


def test_a_late_report_leaves_the_summary_of_files_that_came_meanwhile(analyses: Analyses) -> None:
    job = analyses.drop({"a.txt": as_lines(texts(2))})
    failed = analyses.start(job)
    others = Analyses(at=analyses.at.beside(analyses.at.cloud.new_functions()))
    written = []

    def before(params: dict[str, Any], **_: Any) -> None:
        if not written and params["url_path"].endswith("summary.json"):
            written.append(params["url_path"])
            others.drop({"b.txt": as_lines(texts(2, start=50))}, job=job)
            assert others.run(job).documents == 4

    events = analyses.at.functions.clients["s3"].meta.events
    events.register("before-call.s3.PutObject", before)
    try:
        # It failed before it began, so that nothing says which files it was of.
        assert failed.report(AnalysisOutcome.FAILED, "no model") is None
    finally:
        events.unregister("before-call.s3.PutObject", before)
    assert written
    summary = analyses.at.intake.require(output_key(job, SUMMARY), AnalysisSummary)
    assert (summary.outcome, summary.documents) == (AnalysisOutcome.SUCCEEDED, 4)
