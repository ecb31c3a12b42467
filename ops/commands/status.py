"""`flywheel status`."""

from __future__ import annotations

import typer

from ops.commands.invocation import JsonOption, invocation_of, show
from ops.tables.status import status_view
from ops.verbs import status as api


def status(context: typer.Context, as_json: JsonOption = False) -> None:
    """Show the active model, the running turn, what waits and why, and the dataset quota."""
    show(api.status(invocation_of(context).deployment()), as_json=as_json, table=status_view)
