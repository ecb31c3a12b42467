"""`flywheel exclude`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ops.commands.invocation import JsonOption, invocation_of, show
from ops.tables.exclude import change_sentence, excluded_view
from ops.verbs import exclude as api


def exclude(
    context: typer.Context,
    uploads: Annotated[
        list[str] | None, typer.Argument(metavar="[UPLOAD]...", help="An upload's id, key or name.", show_default=False)
    ] = None,
    documents: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="A file with the documents, in any form that uploads have, with the labels that they have there. "
            "May be repeated.",
            show_default=False,
        ),
    ] = None,
    reviewer: Annotated[
        str | None,
        typer.Option(
            metavar="ARN|NAME",
            help="All documents that rest on this reviewer's answers; those that are not published are withdrawn.",
            show_default=False,
        ),
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Why they are bad.", show_default=False)] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Take exclusions back.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Keep bad data out of the next datasets and the next generation's seed; without arguments list what is kept out.

    Datasets cannot be changed: what one has stays in it until there is a new generation.
    """
    files = documents or []
    if reviewer and (uploads or files or undo):
        raise typer.BadParameter("--reviewer stands alone, with a --reason")
    if not uploads and not files and not reviewer:
        if reason or undo:
            raise typer.BadParameter("say what: an UPLOAD, `--documents FILE` or `--reviewer NAME`")
        show(api.excluded(invocation_of(context).deployment()), as_json=as_json, table=excluded_view)
        return
    if undo is bool(reason and reason.strip()):
        raise typer.BadParameter("--undo takes no reason" if undo else "say why: `--reason TEXT`")
    deployment = invocation_of(context).deployment()
    if reviewer:
        changed = api.exclude_reviewer(deployment, reviewer, reason=str(reason).strip())
    elif undo:
        changed = api.undo(deployment, uploads or [], files)
    else:
        changed = api.exclude(deployment, uploads or [], files, reason=str(reason).strip())
    show(changed, as_json=as_json, table=change_sentence)
