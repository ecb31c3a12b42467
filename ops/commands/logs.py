"""`flywheel logs`."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from ops.commands.invocation import as_ascii_json, invocation_of, result_console
from ops.logs import LogEvent, turn_events

_STYLES = {"ERROR": "red", "CRITICAL": "red", "WARNING": "yellow"}


def logs(
    context: typer.Context,
    turn: Annotated[
        str | None,
        typer.Argument(
            metavar="[TURN]", help="Its name (turn-000003) or number (3). Default: the last.", show_default=False
        ),
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the turn has ended.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON for each event.")] = False,
) -> None:
    """Show what a turn's functions and its state machine logged."""
    console = result_console()
    for event in turn_events(invocation_of(context).deployment(), turn, follow=follow):
        if as_json:
            typer.echo(as_ascii_json(event.model_dump(mode="json")))
        else:
            console.print(_line(event), soft_wrap=True)


def register(app: typer.Typer) -> None:
    app.command()(logs)


def _line(event: LogEvent) -> Text:
    at = event.at.astimezone().strftime("%H:%M:%S.%f")[:-3]
    return Text.assemble(
        (at, "dim"), " ", (event.source, "cyan"), " ", (event.message, _STYLES.get(event.level or "", ""))
    )
