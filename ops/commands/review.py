"""`flywheel review`."""

from __future__ import annotations

import typer

from ops.commands.invocation import invocation_of
from ops.commands.local_host import NoOpenOption, PortOption, show_page


def review(context: typer.Context, no_open: NoOpenOption = False, port: PortOption = 0) -> None:
    """Review in the browser what the model was not sure of, until Ctrl-C; the answers train the next model."""
    from ops.server.review_routes import review_routes

    show_page(review_routes(invocation_of(context).deployment()), "review", no_open=no_open, port=port)
