"""`flywheel open`."""

from __future__ import annotations

import webbrowser
from typing import Annotated

import typer
from rich.text import Text

from ops.commands.invocation import JsonOption, invocation_of, show
from ops.deployment.errors import OperatorError
from ops.tables.terminal import remark
from ops.verbs.open_console import Part, console_pages, shown_by_aws


def open_console(
    context: typer.Context,
    parts: Annotated[
        list[Part] | None, typer.Argument(metavar="[PART]...", help="Default: all four.", show_default=False)
    ] = None,
    no_open: Annotated[bool, typer.Option("--no-open", help="Only print the addresses.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Open dashboard, machine, bucket and flywheel in AWS's console, and print where they are."""
    deployment = invocation_of(context).any_deployment()
    pages = [page for page in console_pages(deployment) if not parts or page.part in parts]
    if not pages:
        raise OperatorError(f"{deployment.name!r} imports its models: it has no {' and no '.join(parts or [])}.")
    width = max(len(page.part) for page in pages)
    lines = "\n".join(f"{page.part:<{width}}  {page.url}" for page in pages)
    show(pages, as_json=as_json, table=lambda _: Text(lines))
    if no_open or as_json:
        return
    if not shown_by_aws(deployment):
        remark("Nothing was opened: AWS's console does not show the local cloud.")
        return
    opened = [webbrowser.open(page.url) for page in pages]
    if not all(opened):
        remark("No browser was found: open them yourself.")
