"""`flywheel share`."""

from __future__ import annotations

from typing import Annotated

import typer

from ops.commands.invocation import JsonOption, invocation_of, show
from ops.tables.share import share_table
from ops.verbs import share as api


def share(
    context: typer.Context,
    check: Annotated[
        str | None,
        typer.Option(metavar="ACCOUNT", help="Only this account, also one that is not trusted.", show_default=False),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show which versions the trusted accounts may import, and why not the others."""
    show(api.share(invocation_of(context).deployment(), account=check), as_json=as_json, table=share_table)
