"""`python -m local run`: one walk with files of the user's own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from flywheel.turn_records import TurnOutcome, TurnRecord
from flywheel.upload_records import UploadOutcome
from local.cloud import LocalCloud, LocalCloudError, OnConsole
from local.derived_settings import derive_settings
from local.story import turns_table
from local.walk import Walk, as_json

NAME = "walk"


def register(app: typer.Typer) -> None:
    app.command()(run)


def run(
    train: Annotated[list[Path], typer.Option(help="A training file; may be repeated.")],
    test: Annotated[list[Path] | None, typer.Option(help="A test file; may be repeated.")] = None,
    labels: Annotated[
        str | None, typer.Option(help="The labels, separated by commas. Default: those in the files.")
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
    """Deploy a flywheel into a local cloud of its own, give it the files, and show what it decides."""
    console = Console()
    settings = derive_settings(
        [*train, *(test or [])],
        labels=labels.split(",") if labels else None,
        mode=mode,
        label_delimiter=label_delimiter,
    )
    console.print(
        f"{settings.mode} with {len(settings.labels)} labels: {', '.join(settings.labels[:20])}", markup=False
    )
    with LocalCloud(instance="run", progress=OnConsole(console)) as cloud:
        walk = Walk.deploy(
            cloud,
            name=NAME,
            parameters=_parameters(parameter or []),
            context={
                "name": NAME,
                "labels": json.dumps(settings.labels),
                "mode": settings.mode,
                "label_delimiter": settings.label_delimiter,
            },
        )
        with console.status("The turn") as status:
            record = walk.turn(train=train, test=test or [], on_step=lambda step: status.update(f"The turn: {step}"))
            status.update("The promotion")
            record = walk.after_promotion(record)
        result = {"active_model_arn": walk.active_model_arn(), "turns": [as_json(record)]}
    console.print(turns_table([record]))
    _tell_problems(console, record)
    if json_path is not None:
        json_path.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    if record.outcome is not TurnOutcome.SUCCEEDED:
        raise LocalCloudError(f"The turn ended {record.outcome}: {record.cause or record.error}")


def _parameters(given: list[str]) -> dict[str, str]:
    pairs: dict[str, Any] = {}
    for item in given:
        name, sign, value = item.partition("=")
        if not sign or not name:
            raise typer.BadParameter(f"--parameter takes NAME=VALUE, but was given {item!r}.")
        pairs[name] = value
    return pairs


def _tell_problems(console: Console, record: TurnRecord) -> None:
    for upload in record.uploads:
        if upload.outcome is not UploadOutcome.ACCEPTED:
            console.print(f"{upload.upload.key}: {upload.outcome}. {upload.reason}", markup=False)
        for example in upload.examples[:5]:
            where = f"line {example.line}: " if example.line else ""
            console.print(f"  {where}{example.message} {example.fix}", markup=False)
    for waiting in record.waiting:
        console.print(f"{waiting.documents} {waiting.split} documents wait. {waiting.reason}", markup=False)
