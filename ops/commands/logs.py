"""`flywheel logs`."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from ops.commands.invocation import LastTurnArgument, invocation_of, show_line
from ops.tables.terminal import result_console
from ops.verbs.logs import LogEvent, events_of

_STYLES = {"ERROR": "red", "CRITICAL": "red", "WARNING": "yellow"}


def logs(
    context: typer.Context,
    turn: LastTurnArgument = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the turn has ended.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON for each event.")] = False,
) -> None:
    """Show what a turn's functions and its state machine logged; a promotion's, where models are imported."""
    console = result_console()
    for event in events_of(invocation_of(context).any_deployment(), turn, follow=follow):
        if as_json:
            show_line(event)
        else:
            console.print(_line(event), soft_wrap=True)


def _line(event: LogEvent) -> Text:
    at = event.at.astimezone().strftime("%H:%M:%S.%f")[:-3]
    style = _STYLES.get(event.level or "", "")
    return Text.assemble((at, "dim"), " ", (event.source, "cyan"), " ", (event.message, style))
