"""`flywheel endpoint`."""

from __future__ import annotations

import typer

from ops.commands.invocation import JsonOption, invocation_of, show
from ops.tables.endpoint import endpoint_view
from ops.verbs import endpoint as api


def endpoint(context: typer.Context, as_json: JsonOption = False) -> None:
    """Show which endpoint is wanted, what there is of it, which model answers, and what it costs."""
    show(api.endpoint(invocation_of(context).any_deployment()), as_json=as_json, table=endpoint_view)
