"""Analysis jobs: uploading their files, waiting for them, and getting what was predicted."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flywheel.analysis.inputs import find_input
from flywheel.analysis.start_analysis import execution_input, start
from flywheel.records.analyses import (
    OPTIONS,
    SUMMARY,
    AnalysisOutcome,
    AnalysisSummary,
    InputFormat,
    JobOptions,
    RunFolder,
    execution_name,
    input_folder,
    output_key,
    readable,
)
from flywheel.store.record import Record
from ops.deployment.errors import OperatorError, UnwritableFileError, WaitTimeoutError
from ops.deployment.executions import execution_arn, find_execution, runs
from ops.deployment.local_cloud import local_command
from ops.deployment.polling import looks
from ops.deployment.published import AnyDeployment
from ops.verbs.upload import OnBytes, check_names, check_paths, upload_to

DEFAULT_TIMEOUT_SECONDS = 24 * 3600.0
SUMMARY_SECONDS = 60.0
"""An execution that was stopped gets its summary from an event, which takes seconds; after this none is expected."""
_NAME = re.compile(r"[^/\x00-\x1f]{1,200}")


class PublishedAnalysis(Record):
    """The JSON in the parameter `analysis`."""

    machine_arn: str


class StartedAnalysis(Record):
    job: str
    run: str
    execution_arn: str
    input: str
    """Where its files are, as an S3 URI."""
    output: str


class AnalysisProgress(Record):
    parts: int | None = None
    """None while the input is being split."""
    collected: int = 0

    @property
    def words(self) -> str:
        if self.parts is None:
            return "splitting the input"
        return f"classifying: {self.collected} of {self.parts} parts are done"


class FinishedAnalysis(Record):
    summary: AnalysisSummary
    seconds: float | None
    documents_per_second: float | None
    """From the beginning of the job to its end, Comprehend's own start included."""
    files: tuple[str, ...] = ()
    """What was downloaded."""


def find_analysis(deployment: AnyDeployment) -> PublishedAnalysis:
    """What the Analysis stack publishes. Raises OperatorError if it is not deployed."""
    published = deployment.read_published("analysis", PublishedAnalysis)
    if published is None:
        raise OperatorError(
            f"The stack {deployment.name}-analysis is not deployed in {deployment.region} "
            f"({deployment.prefix}/analysis is not in its Parameter Store): analysis jobs need it. "
            f"Deploy it with `make deploy` (locally: `{local_command('up')}`)."
        )
    return published


def start_job(
    deployment: AnyDeployment,
    paths: Sequence[Path],
    *,
    job: str | None = None,
    input_format: InputFormat = InputFormat.LINES,
    on_bytes: OnBytes | None = None,
) -> StartedAnalysis:
    """Upload the files as a job and start it. Without `job` it is named after the first file and the time.

    Raises the errors of `check_paths`, `check_names` and `find_analysis`, and OperatorError for a name that cannot be
    one or is taken, before anything is uploaded.
    """
    check_paths(paths)
    check_names(paths)
    machine_arn = find_analysis(deployment).machine_arn
    job = job or f"{readable(paths[0].stem)}-{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}"
    if not _NAME.fullmatch(job):
        raise OperatorError(
            f"{job!r} cannot be the name of a job: up to 200 characters, none of them a slash or a control character."
        )
    folder = input_folder(job)
    if next(deployment.intake.keys(folder), None) is not None:
        raise OperatorError(
            f"There are files of a job {job!r} already: choose another name with --job, or do again what is missing of "
            f"it with `flywheel analyze --again {job}`."
        )
    upload_to(deployment, {path: f"{folder}{path.name}" for path in paths}, on_bytes=on_bytes)
    # Written last: it tells the pipeline that all files are there.
    deployment.intake.write(f"{folder}{OPTIONS}", JobOptions(format=input_format))
    run = find_input(deployment.intake, job).run
    # The event of job.json starts the same execution: whoever comes first, there is one.
    start(job, run, stepfunctions=deployment.clients.stepfunctions, machine_arn=machine_arn)
    return _started(deployment, job=job, run=run, machine_arn=machine_arn, execution=execution_name(job, run))


def start_again(deployment: AnyDeployment, job: str) -> StartedAnalysis:
    """Another execution of a job that is there: it does what is missing. Raises OperatorError."""
    machine_arn = find_analysis(deployment).machine_arn
    found = find_input(deployment.intake, job)
    if found.newest is None:
        raise OperatorError(f"There is no analysis job {job!r}: nothing lies below {input_folder(job)}.")
    name = f"{readable(job)[:40]}-again-{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}"
    deployment.clients.stepfunctions.start_execution(stateMachineArn=machine_arn, name=name, input=execution_input(job))
    return _started(deployment, job=job, run=found.run, machine_arn=machine_arn, execution=name)


def wait_for_analysis(
    deployment: AnyDeployment,
    started: StartedAnalysis,
    *,
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
    poll_seconds: float = 5,
    on_progress: Callable[[AnalysisProgress], None] = lambda _: None,
) -> AnalysisSummary:
    """The summary, once the execution has ended. Raises WaitTimeoutError, and OperatorError if it left none."""
    for _ in looks(timeout_seconds=timeout_seconds, poll_seconds=poll_seconds):
        execution = find_execution(deployment.clients, started.execution_arn)
        # Step Functions may not tell of it yet, or not of its redrive.
        if execution is not None and not runs(execution):
            return _summary_of(deployment, started, execution, poll_seconds=poll_seconds)
        on_progress(progress_of(deployment, started))
    raise WaitTimeoutError(
        f"The analysis job {started.job!r}",
        seconds=timeout_seconds,
        where=f"its output will be below {output_key(started.job, '')} of the intake bucket.",
    )


def progress_of(deployment: AnyDeployment, started: StartedAnalysis) -> AnalysisProgress:
    folder = RunFolder(started.job, started.run)
    parts: set[str] = set()
    collected = 0
    if not deployment.intake.exists(folder.parts):
        return AnalysisProgress()
    for key in deployment.intake.keys(f"{folder.prefix}parts/"):
        parts.add(key.removeprefix(f"{folder.prefix}parts/").partition("/")[0])
        collected += key.endswith("/collected.json")
    return AnalysisProgress(parts=len(parts), collected=collected)


def download(deployment: AnyDeployment, summary: AnalysisSummary, folder: Path) -> FinishedAnalysis:
    """The predictions and the summary into `folder`, which is made if need be. Raises UnwritableFileError."""
    keys = [*summary.predictions, output_key(summary.job, SUMMARY)]
    files = []
    for key in keys:
        path = folder / key.rpartition("/")[2]
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as target:
                deployment.intake.download_to(key, target)
        except OSError as error:
            raise UnwritableFileError(path, error.strerror or str(error)) from error
        files.append(str(path))
    return finished(summary).model_copy(update={"files": tuple(files)})


def finished(summary: AnalysisSummary) -> FinishedAnalysis:
    if summary.began_at is None:
        return FinishedAnalysis(summary=summary, seconds=None, documents_per_second=None)
    seconds = (summary.ended_at - summary.began_at).total_seconds()
    return FinishedAnalysis(
        summary=summary,
        seconds=seconds,
        documents_per_second=summary.documents / seconds if seconds > 0 and summary.documents else None,
    )


def _started(deployment: AnyDeployment, *, job: str, run: str, machine_arn: str, execution: str) -> StartedAnalysis:
    return StartedAnalysis(
        job=job,
        run=run,
        execution_arn=execution_arn(machine_arn, execution),
        input=f"s3://{deployment.intake.name}/{input_folder(job)}",
        output=f"s3://{deployment.intake.name}/{output_key(job, '')}",
    )


def _summary_of(
    deployment: AnyDeployment, started: StartedAnalysis, execution: Any, *, poll_seconds: float
) -> AnalysisSummary:
    """Raises OperatorError if there is none after SUMMARY_SECONDS: a stopped execution gets its own from an event."""
    succeeded = execution["status"] == "SUCCEEDED"
    for _ in looks(timeout_seconds=SUMMARY_SECONDS, poll_seconds=min(poll_seconds, 1)):
        summary = deployment.intake.read(output_key(started.job, SUMMARY), AnalysisSummary)
        if summary is not None and summary.run == started.run:
            if succeeded and summary.outcome is AnalysisOutcome.SUCCEEDED:
                return summary
            if not succeeded and summary.ended_at >= execution["startDate"]:
                return summary
    raise OperatorError(
        f"The execution of the analysis job {started.job!r} ended {execution['status']} without a summary of its own: "
        f"files may have come since, whose run tells the end. Look into {started.execution_arn} and the log of "
        "report_analysis."
    )
