"""`flywheel review` and `flywheel review publish`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from ops.commands.invocation import invocation_of
from ops.commands.local_host import NoOpenOption, PortOption, show_page
from ops.commands.review_publish import review_publish


class Action(StrEnum):
    PUBLISH = "publish"


def review(
    context: typer.Context,
    action: Annotated[
        Action | None,
        typer.Argument(
            metavar="[publish]",
            help="Make uploads of all that reviewers agreed on, without waiting until there is enough for a dataset.",
            show_default=False,
        ),
    ] = None,
    no_open: NoOpenOption = False,
    port: PortOption = 0,
    as_json: Annotated[bool, typer.Option("--json", help="With publish: print the result as JSON.")] = False,
) -> None:
    """Review in the browser what the model was not sure of, until Ctrl-C; the answers train the next model."""
    if action is Action.PUBLISH:
        review_publish(context, as_json=as_json)
        return
    if as_json:
        raise typer.BadParameter("`--json` goes with `publish`: the page is for people")
    from ops.server.review_routes import review_routes

    show_page(review_routes(invocation_of(context).deployment()), "review", no_open=no_open, port=port)
