"""`flywheel cost`."""

from __future__ import annotations

import typer

from ops import costs as api
from ops.commands.invocation import JsonOption, invocation_of, show
from ops.tables.costs import costs_view


def cost(context: typer.Context, as_json: JsonOption = False) -> None:
    """Show what the deployed settings cost a month and a turn that trains, and what each figure rests on."""
    found = api.cost(invocation_of(context).deployment())
    show(found, as_json=as_json, table=lambda: costs_view(found))


def register(app: typer.Typer) -> None:
    app.command()(cost)
