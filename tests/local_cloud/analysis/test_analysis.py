"""The Analysis stack beside a flywheel: drops, executions by hand and `flywheel analyze`, seen from outside."""

from __future__ import annotations

import csv
import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from typer.testing import CliRunner

from flywheel.records.analyses import AnalysisOutcome, AnalysisSummary, InputFormat, output_key
from flywheel.records.decisions import DecisionKind
from local.cloud import LocalCloud
from ops import analyze
from ops.errors import OperatorError
from ops.main import app
from tests.local_cloud.pipeline import CONTEXT, LABELS, LONG, NAME, Pipeline, documents
from tests.local_cloud.resources import Synthesise, allow, create_role, messages, until

STACK = f"{NAME}-analysis"
PARAMETERS = {"QuietPeriodMinutes": "0", "PollSeconds": "30", "DocumentsPerPart": "4"}
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def pipeline(cloud: LocalCloud, synthesise: Synthesise) -> Pipeline:
    """With a model, and with parts of four documents."""
    account = cloud.account("100000000008")
    account.comprehend_administration("PUT", "settings", {"job_queue_seconds": 0.1, "job_seconds": 0.1})
    assembly = synthesise(context=CONTEXT)
    pipeline = Pipeline.deploy(account, assembly, TriggerOnUpload="false", MinimumScore="0")
    with pytest.raises(OperatorError, match="is not deployed"):
        analyze.find_analysis(pipeline.deployment)
    account.deploy(assembly, stacks=[STACK], parameters={f"{STACK}:{key}": value for key, value in PARAMETERS.items()})
    with_nothing = drop(pipeline, {"a.txt": b"harbour"}, job="too early")
    early = summary_of(pipeline, with_nothing)
    assert early.outcome is AnalysisOutcome.FAILED
    assert "No model is active yet" in early.reason
    pipeline.upload("train/first.csv", documents(60))
    pipeline.upload("test/first.csv", documents(20))
    assert pipeline.turn_now().decision is DecisionKind.PROMOTE
    pipeline.at_rest()
    return pipeline


def texts(count: int) -> list[str]:
    return [text for _, text in documents(count)][:count]


def drop(pipeline: Pipeline, files: dict[str, bytes], *, job: str | None = None, options: Any = None) -> str:
    job = job or f"job {next(_numbers)}"
    for name, content in files.items():
        pipeline.drop(f"analysis/input/{job}/{name}", content)
    if options is not None:
        pipeline.drop(f"analysis/input/{job}/job.json", json.dumps(options).encode())
    return job


def summary_of(pipeline: Pipeline, job: str, *, files: int = 1) -> AnalysisSummary:
    """Once there is one, of so many files."""

    def find() -> AnalysisSummary | None:
        found = pipeline.deployment.intake.read(output_key(job, "summary.json"), AnalysisSummary)
        return found if found is not None and found.files == files else None

    return until(find, patience=LONG)


def rows(pipeline: Pipeline, job: str) -> list[dict[str, Any]]:
    content = pipeline.deployment.intake.read_bytes(output_key(job, "predictions.jsonl"))
    return [json.loads(line) for line in content.decode().splitlines()]


def comprehend_jobs(pipeline: Pipeline) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for page in pipeline.account.client("comprehend").get_paginator("list_document_classification_jobs").paginate():
        found += page["DocumentClassificationJobPropertiesList"]
    return found


def at_rest(pipeline: Pipeline) -> None:
    """Nothing was refused to a function, and no poke was lost."""
    for step in ("start", "begin", "split", "plan", "join", "report"):
        refusals = [line for line in pipeline.log_lines(f"{step}_analysis") if "AccessDenied" in line]
        assert not refusals, refusals[0]
    for queue in ("JobDeadLetters", "Undelivered"):
        urls = pipeline.account.client("sqs").list_queues()["QueueUrls"]
        url = next(url for url in urls if f"{STACK}-Queues{queue}" in url)
        attributes = pipeline.account.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
        assert attributes["Attributes"]["ApproximateNumberOfMessages"] == "0"


def test_dropped_lines_of_several_parts(pipeline: Pipeline) -> None:
    lines = texts(11)
    before = len(comprehend_jobs(pipeline))
    job = drop(pipeline, {"a.txt": "\n".join(["", *lines]).encode()})
    summary = summary_of(pipeline, job)
    assert summary.outcome is AnalysisOutcome.SUCCEEDED, summary.reason
    found = rows(pipeline, job)
    assert [row["text"] for row in found] == ["", *lines]
    assert [row["line"] for row in found] == list(range(1, 13))
    assert found[0]["error"] == "EMPTY"
    for row in found[1:]:
        assert row["labels"] == ["CALM" if "harbour" in row["text"] else "STORM"]
    assert summary.parts == 3
    assert summary.models == (pipeline.active_model(),)
    assert len(comprehend_jobs(pipeline)) - before == 3
    told = until(lambda: [text for text in _notifications(pipeline) if f"Analysis job {job}:" in text])
    assert "EMPTY: 1 lines" in told[0]
    at_rest(pipeline)


def test_dropped_files_are_a_document_each(pipeline: Pipeline) -> None:
    files = {f"{number}.txt": text.encode() for number, text in enumerate(texts(3))}
    job = drop(pipeline, files, options={"format": "ONE_DOC_PER_FILE"})
    summary = summary_of(pipeline, job, files=3)
    assert summary.format is InputFormat.FILES
    assert [(row["file"], row["text"].encode()) for row in rows(pipeline, job)] == list(files.items())
    newest = max(comprehend_jobs(pipeline), key=lambda asked: asked["SubmitTime"])
    assert newest["FlywheelArn"] == pipeline.deployment.flywheel_arn
    role = newest["DataAccessRoleArn"]
    assert STACK in role


def test_a_file_that_comes_later_is_in_the_output_in_the_end(pipeline: Pipeline) -> None:
    job = drop(pipeline, {"a.txt": b"harbour"})
    summary_of(pipeline, job)
    drop(pipeline, {"b.txt": b"thunder"}, job=job)
    summary_of(pipeline, job, files=2)
    assert [row["file"] for row in rows(pipeline, job)] == ["a.txt", "b.txt"]


def test_a_job_whose_parts_fail_is_told_of_and_done_again(pipeline: Pipeline, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("\n".join(texts(6)))
    with pipeline.fault(resource="job", message="The weather was bad."):
        started = analyze.start_job(pipeline.deployment, [path])
        failed = analyze.wait_for_analysis(pipeline.deployment, started, poll_seconds=0.2)
    assert failed.outcome is AnalysisOutcome.FAILED
    assert "2 of 2 parts could not be classified: The weather was bad" in failed.reason
    assert until(lambda: [text for text in _notifications(pipeline) if f"{started.job}: FAILED" in text])
    started = analyze.start_again(pipeline.deployment, started.job)
    again = analyze.wait_for_analysis(pipeline.deployment, started, poll_seconds=0.2)
    assert again.outcome is AnalysisOutcome.SUCCEEDED
    assert again.documents == 6


def test_an_empty_drop(pipeline: Pipeline) -> None:
    job = drop(pipeline, {}, options={})
    summary = summary_of(pipeline, job, files=0)
    assert summary.outcome is AnalysisOutcome.FAILED
    assert "There is no file" in summary.reason


def test_an_execution_that_is_stopped_leaves_a_summary(pipeline: Pipeline, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("harbour\n")
    pipeline.account.comprehend_administration("PUT", "settings", {"job_seconds": 60})
    try:
        started = analyze.start_job(pipeline.deployment, [path])
        stepfunctions = pipeline.account.client("stepfunctions")
        until(
            lambda: any(job["JobStatus"] == "IN_PROGRESS" for job in comprehend_jobs(pipeline)),
            patience=LONG,
        )
        stepfunctions.stop_execution(executionArn=started.execution_arn, cause="a person stopped it")
        summary = analyze.wait_for_analysis(pipeline.deployment, started, poll_seconds=0.2)
    finally:
        pipeline.account.comprehend_administration("PUT", "settings", {"job_seconds": 0.1})
    assert summary.outcome is AnalysisOutcome.STOPPED


def test_a_file_without_a_job_is_told_of(pipeline: Pipeline) -> None:
    pipeline.drop("analysis/input/loose.txt", b"harbour")
    assert until(lambda: [text for text in _notifications(pipeline) if "analysis/input/loose.txt" in text])


def test_the_command_line(pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in pipeline.account.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "reviews.txt"
    lines = texts(9)
    path.write_text("\n".join(lines) + "\n \n")
    runner = CliRunner()
    call = ["--name", NAME, "analyze", str(path), "--job", "reviews", "--output", "out", "--poll-seconds", "0.2"]
    done = runner.invoke(app, [*call, "--json"])
    assert done.exit_code == 0, done.output
    answer = json.loads(done.stdout)
    assert answer["summary"]["documents"] == 9
    assert answer["summary"]["errors"] == {"EMPTY": 1}
    assert answer["documents_per_second"] > 0
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == [
        "predictions.csv",
        "predictions.jsonl",
        "summary.json",
    ]
    with (tmp_path / "out" / "predictions.csv").open(newline="") as file:
        assert [row["text"] for row in csv.DictReader(file)] == [*lines, " "]
    refused = runner.invoke(app, call)
    assert refused.exit_code == OperatorError.exit_status
    assert "already" in refused.stderr
    table = runner.invoke(app, ["--name", NAME, "analyze", "--again", "reviews", "--poll-seconds", "0.2"])
    assert table.exit_code == 0, table.output
    assert all(label in table.stdout for label in LABELS)
    assert "documents/s" in table.stdout
    started = runner.invoke(app, ["--name", NAME, "analyze", str(path), "--no-wait", "--json"])
    assert json.loads(started.stdout)["execution_arn"]
    summary_of(pipeline, json.loads(started.stdout)["job"])


def test_the_output_is_not_for_everybody(pipeline: Pipeline) -> None:
    """A role that may upload training data may not read what was predicted, nor start a job."""
    account, bucket = pipeline.account, pipeline.deployment.intake.name
    role = create_role(
        account,
        allow("s3:PutObject", on=f"arn:aws:s3:::{bucket}/train/*"),
        trusted={"AWS": f"arn:aws:iam::{account.account}:root"},
    )
    machine = analyze.find_analysis(pipeline.deployment).machine_arn
    job = summary_of(pipeline, drop(pipeline, {"a.txt": b"harbour"})).job
    s3 = account.client("s3", role_arn=role)
    refusals: tuple[Callable[[], Any], ...] = (
        lambda: account.client("stepfunctions", role_arn=role).start_execution(stateMachineArn=machine, input="{}"),
        lambda: s3.put_object(Bucket=bucket, Key="analysis/input/theirs/a.txt", Body=b"harbour"),
        lambda: s3.get_object(Bucket=bucket, Key=output_key(job, "predictions.csv")),
    )
    for refused in refusals:
        with pytest.raises(ClientError) as error:
            refused()
        assert "AccessDenied" in error.value.response["Error"]["Code"]
    s3.put_object(Bucket=bucket, Key="train/theirs.csv", Body=b"CALM,harbour")


def _notifications(pipeline: Pipeline) -> list[str]:
    while heard := messages(pipeline.account, pipeline.inbox):
        pipeline.heard += [f"{message['Subject']}\n{message['Message']}" for message in heard]
    return pipeline.heard
