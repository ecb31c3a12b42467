"""`flywheel console`."""

from __future__ import annotations

import typer

from ops.commands.invocation import invocation_of
from ops.commands.local_host import NoOpenOption, PortOption, show_page


def console(context: typer.Context, no_open: NoOpenOption = False, port: PortOption = 0) -> None:
    """Show all flywheels in the browser, until Ctrl-C: turns, models, promotions, endpoint, uploads, what waits."""
    from ops.server.console_routes import console_routes

    invocation = invocation_of(context)
    show_page(console_routes(invocation.clients(), name=invocation.name), "console", no_open=no_open, port=port)
