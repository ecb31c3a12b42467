"""Analysis jobs on the synthesised machine: whatever was dropped ends in the output, in its order."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from flywheel.records.analyses import AnalysisOutcome
from tests.pipeline.analyses import (
    ANALYSIS,
    FILES,
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
from tests.pipeline.documents import LABELS, documents

BUSINESS, SPORTS = LABELS
TOO_LONG = b"x" * 10_000_001


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
