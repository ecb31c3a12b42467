"""`flywheel analyze`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flywheel.records.analyses import AnalysisOutcome, InputFormat
from ops.commands.invocation import JsonOption, PollOption, TimeoutOption, invocation_of, show
from ops.commands.progress import upload_display, waiting_display
from ops.tables.analyze import finished_table, started_sentence
from ops.tables.terminal import remark
from ops.verbs import analyze as api
from ops.verbs.turns import DEFAULT_POLL_SECONDS
from ops.verbs.upload import check_names, check_paths


def analyze(
    context: typer.Context,
    files: Annotated[
        list[Path] | None, typer.Argument(help="Files with documents, UTF-8 text.", show_default=False)
    ] = None,
    input_format: Annotated[
        InputFormat, typer.Option("--format", help="Whether each line or each file is a document.")
    ] = InputFormat.LINES,
    job: Annotated[
        str | None, typer.Option(help="The job's name. Default: the first file's, and the time.", show_default=False)
    ] = None,
    again: Annotated[
        str | None,
        typer.Option(metavar="JOB", help="Instead of files: do again what is missing of a job.", show_default=False),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(help="Folder for what is predicted. Default: one named after the job.", show_default=False),
    ] = None,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Only start the job.")] = False,
    timeout_minutes: TimeoutOption = api.DEFAULT_TIMEOUT_SECONDS / 60,
    poll_seconds: PollOption = DEFAULT_POLL_SECONDS,
    as_json: JsonOption = False,
) -> None:
    """Classify whole files with the active model, as a batch. Exit status 1 if the job does not succeed."""
    if bool(files) is bool(again):
        raise typer.BadParameter("name files, or a job with --again")
    files = files or []
    check_paths(files)
    check_names(files)
    deployment = invocation_of(context).any_deployment()
    if again is not None:
        started = api.start_again(deployment, again)
    else:
        with upload_display(files) as advance:
            started = api.start_job(deployment, files, job=job, input_format=input_format, on_bytes=advance)
    if no_wait:
        show(started, as_json=as_json, table=started_sentence)
        return
    with waiting_display(f"{started.job}: starting") as tell:
        summary = api.wait_for_analysis(
            deployment,
            started,
            timeout_seconds=timeout_minutes * 60,
            poll_seconds=poll_seconds,
            on_progress=lambda progress: tell(f"{started.job}: {progress.words}"),
        )
    finished = api.finished(summary)
    if summary.predictions:
        finished = api.download(deployment, summary, output or Path(f"analysis-{started.job}"))
        for file in finished.files:
            remark(f"Saved {file}")
    show(finished, as_json=as_json, table=finished_table)
    if summary.outcome is not AnalysisOutcome.SUCCEEDED:
        raise typer.Exit(1)
