"""`flywheel review`: the page, and what a person does with the queue without it."""

from __future__ import annotations

import typer

from ops.commands.invocation import invocation_of
from ops.commands.local_host import NoOpenOption, PortOption, show_page
from ops.commands.review_files import export_items, import_answers
from ops.commands.review_publish import review_publish

group = typer.Typer(invoke_without_command=True)


@group.callback()
def review(context: typer.Context, no_open: NoOpenOption = False, port: PortOption = 0) -> None:
    """Review in the browser what the model was not sure of, until Ctrl-C; the answers train the next model."""
    if context.invoked_subcommand is not None:
        return
    from ops.server.review_routes import review_routes

    show_page(review_routes(invocation_of(context).deployment()), "review", no_open=no_open, port=port)


group.command("publish")(review_publish)
group.command("export")(export_items)
group.command("import")(import_answers)
