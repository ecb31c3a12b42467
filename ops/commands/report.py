"""`flywheel report`."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from ops.commands.invocation import JsonOption, LastTurnArgument, invocation_of, show
from ops.tables.terminal import remark
from ops.verbs.report import save_report


def report(
    context: typer.Context,
    turn: LastTurnArgument = None,
    output: Annotated[Path | None, typer.Option(help="Save the page as this file. Default: a temporary one.")] = None,
    no_open: Annotated[bool, typer.Option("--no-open", help="Only save it.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Open a turn's report in the browser: scores of all turns, uploads, what was rejected and why. Prints its path.

    Where models are imported: a promotion's, with where the model comes from, its scores there and its smoke test here.
    """
    saved = save_report(invocation_of(context).any_deployment(), turn, output=output)
    show(saved, as_json=as_json, table=lambda saved: saved.path)
    # With --json a program reads the answer, and what a browser says would get into it.
    if not no_open and not as_json and not webbrowser.open(Path(saved.path).as_uri()):
        remark("No browser was found: open the file yourself.")
