"""`python -m local run`: one walk with files of the user's own."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from flywheel.records.turns import TurnOutcome, TurnRecord
from flywheel.records.uploads import UploadOutcome
from flywheel.text.printable import printable
from local import held_out
from local.cloud import LocalCloud, LocalCloudError, OnConsole
from local.cloud.errors import CdkFailed
from local.cloud.places import LOCAL_FOLDER
from local.command_line import pairs_of
from local.comprehend.settings import Settings
from local.derived_settings import context_of, derive_settings, parameters_of, words_of
from local.story import turns_table
from local.walk import Walk, as_json
from ops.deployment.errors import OperatorError
from ops.verbs.file_labels import FileLabels, Kind
from ops.verbs.report import save_report

NAME = "walk"
REPORT = LOCAL_FOLDER / "run-report.html"
_CDK_NOISE = re.compile(r"\s*(?:at |node:|\}|\{|\[\d|Subprocess exited|.*: Subprocess exited|$)")
_CDK_FAILURE = re.compile(r"❌|failed:|^- |cannot be deployed|_FAILED")


def register(app: typer.Typer) -> None:
    app.command()(run)


def run(
    train: Annotated[
        list[Path],
        typer.Option(help="A training file, or a folder whose files belong together; may be repeated."),
    ],
    test: Annotated[list[Path] | None, typer.Option(help="A test file or folder; may be repeated.")] = None,
    kind: Annotated[
        Kind, typer.Option(help="What the models do: tell the classes of documents, or find entities in them.")
    ] = Kind.CLASSES,
    labels: Annotated[
        str | None,
        typer.Option(help="The labels or entity types, separated by commas. Default: those in the files."),
    ] = None,
    mode: Annotated[str | None, typer.Option(help="MULTI_CLASS or MULTI_LABEL. Default: what the files hold.")] = None,
    label_delimiter: Annotated[
        str, typer.Option(help="What joins the labels of a document in MULTI_LABEL mode.")
    ] = "|",
    parameter: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="A parameter of the stack; may be repeated.")
    ] = None,
    json_path: Annotated[Path | None, typer.Option("--json", help="Where to write the result as JSON.")] = None,
) -> None:
    """Deploy a flywheel into a local cloud of its own, give it the files, and show what it decides.

    The model answers some of the test documents live and in an analysis job; the report of the turn is saved.
    Exit status 1 if nothing was trained.
    """
    console = Console()
    result: dict[str, Any] = {"outcome": "FAILED", "cause": None, "active_model_arn": None, "turns": []}
    try:
        settings = derive_settings(
            [*train, *(test or [])],
            labels=labels.split(",") if labels else None,
            mode=mode,
            label_delimiter=label_delimiter,
            kind=kind,
            confirm=typer.confirm if sys.stdin.isatty() else None,
        )
        record = _walk(
            settings, label_delimiter, pairs_of("--parameter", parameter), train, test or [], console, result
        )
        outcome, wrong = outcome_of(record)
        result.update(outcome=outcome, cause=record.cause or record.error, left_out=left_out(record))
        if wrong:
            raise LocalCloudError(wrong)
    except (LocalCloudError, OperatorError) as error:
        result["cause"] = result["cause"] or in_short(error)
        raise LocalCloudError(in_short(error)) from error
    finally:
        if json_path is not None:
            json_path.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def _walk(
    settings: FileLabels,
    label_delimiter: str,
    parameters: dict[str, str],
    train: list[Path],
    test: list[Path],
    console: Console,
    result: dict[str, Any],
) -> TurnRecord:
    """One turn with the files; what came of it goes into ``result`` and onto the console."""
    console.print(printable(words_of(settings)), markup=False)
    warning = warning_of(parameters, kind=Kind.CLASSES if settings.mode else Kind.ENTITIES)
    if warning:
        console.print(printable(warning), style="yellow", markup=False)
    with LocalCloud(instance="run", progress=OnConsole(console)) as cloud:
        walk = Walk.deploy(
            cloud,
            name=NAME,
            parameters=parameters_of(parameters),
            context=context_of(settings, name=NAME, label_delimiter=label_delimiter),
        )
        with console.status("The turn") as status:
            record = walk.turn(train=train, test=test, on_step=lambda step: status.update(f"The turn: {step}"))
            status.update("The promotion")
            record = walk.after_promotion(record)
        active = walk.active_model_arn()
        result.update(active_model_arn=active, turns=[as_json(record)])
        console.print(turns_table([record]))
        _tell_problems(console, record)
        if active is not None:
            documents = held_out.read_documents(test or train, settings, label_delimiter=label_delimiter)
            held_out.answer_live(console, cloud, walk, documents)
            held_out.answer_job(console, walk, documents)
        report = save_report(walk.deployment, record.turn, output=REPORT)
    console.print(f"The report: {report.path}", soft_wrap=True)
    result.update(report=report.path)
    return record


def outcome_of(record: TurnRecord) -> tuple[str, str]:
    """In a word, and in a sentence if it is not what the files were given for."""
    if record.outcome is not TurnOutcome.SUCCEEDED:
        return record.outcome.value, f"The turn ended {record.outcome}: {record.cause or record.error}"
    if record.candidate is None:
        return "NOTHING_TRAINED", f"Nothing was trained. {' '.join(record.reasons)}".strip()
    return record.outcome.value, ""


def left_out(record: TurnRecord) -> dict[str, int]:
    """Documents that were uploaded and not trained on or tested with, by why; bad lines are counted as lines."""
    counts = record.counts
    return {
        "bad_lines": counts.bad_lines,
        "duplicates": counts.duplicates,
        "leaked": sum(record.leaked.values()),
        "waiting": sum(waiting.documents for waiting in record.waiting),
    }


def warning_of(parameters: Mapping[str, str], *, kind: Kind) -> str | None:
    """A sentence on a minimum that Comprehend itself would not take."""
    given = parameters.get("MinimumDocumentsPerLabel", "")
    least, of_what = Settings().minimum_documents_multi_class, "training documents for each label"
    if kind is Kind.ENTITIES:
        least, of_what = Settings().minimum_annotations, "annotations of each type"
    if not given.isdecimal() or int(given) >= least:
        return None
    return (
        f"MinimumDocumentsPerLabel is {given}, and Comprehend documents at least {least} {of_what} of a dataset: what "
        "trains here may be refused on AWS."
    )


def in_short(error: Exception) -> str:
    """What went wrong, without what the CDK CLI wrote around it."""
    if not isinstance(error, CdkFailed):
        return str(error)
    first, *said = str(error).splitlines()
    told = [line.strip() for line in said if not _CDK_NOISE.match(line)]
    marked = [line for line in told if _CDK_FAILURE.search(line)]
    return "\n".join([first.partition(".")[0] + ":", *(marked or told[-5:]), f"The whole log: {_log_of(first)}"])


def _log_of(sentence: str) -> str:
    return sentence.partition(" is in ")[2].partition(";")[0]


def _tell_problems(console: Console, record: TurnRecord) -> None:
    for upload in record.uploads:
        if upload.outcome is not UploadOutcome.ACCEPTED:
            console.print(printable(f"{upload.upload.key}: {upload.outcome}. {upload.reason}"), markup=False)
        for example in upload.examples[:5]:
            where = f"line {example.line}: " if example.line else ""
            console.print(printable(f"  {where}{example.message} {example.fix}"), markup=False)
    for waiting in record.waiting:
        console.print(printable(f"{waiting.documents} {waiting.split} documents wait. {waiting.reason}"), markup=False)
    dropped = left_out(record)
    if dropped["duplicates"]:
        console.print(
            f"{dropped['duplicates']} documents were dropped: an earlier one has the same labels and text. "
            "--parameter RepeatedDocuments=KEEP keeps those that a training file repeats."
        )
    if dropped["leaked"]:
        console.print(f"{dropped['leaked']} documents were dropped: they stand in the training and in the test data.")
