"""`flywheel review export` and `flywheel review import`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from ops.commands.invocation import JsonOption, invocation_of, show
from ops.tables.review_files import exported_view, imported_view
from ops.verbs.review_files import exchange as api
from ops.verbs.review_queue import review_queue

ToolOption = Annotated[api.Tool, typer.Option("--tool", help="Whose format the file has.", show_default=False)]


def export_items(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write.", show_default=False)],
    tool: ToolOption,
    count: Annotated[int, typer.Option(min=1, max=api.MOST_ITEMS, help="So many items are out then, at most.")] = 100,
    interface: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write Label Studio's labeling interface here, too.", show_default=False),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Take items of the review queue out into a file of another annotation tool, for 14 days."""
    if interface is not None and tool is not api.Tool.LABEL_STUDIO:
        raise typer.BadParameter("only Label Studio has an interface: leave --interface out")
    deployment = invocation_of(context).deployment()
    exported = api.export_items(
        review_queue(deployment),
        file,
        tool=tool,
        by=deployment.clients.caller(),
        count=count,
        now=datetime.now(UTC),
        interface=interface,
    )
    show(exported, as_json=as_json, table=exported_view)


def import_answers(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What the tool exported.", show_default=False)],
    tool: ToolOption,
    as_json: JsonOption = False,
) -> None:
    """Take the answers of another annotation tool into the review queue."""
    deployment = invocation_of(context).deployment()
    imported = api.import_answers(
        review_queue(deployment), file, tool=tool, by=deployment.clients.caller(), now=datetime.now(UTC)
    )
    show(imported, as_json=as_json, table=imported_view)
    if imported.refused:
        raise typer.Exit(1)
