"""`flywheel feedback`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ops.commands.invocation import JsonOption, invocation_of, show
from ops.tables.feedback import feedback_sentences
from ops.verbs import feedback as api


def feedback(
    context: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="predictions.csv or predictions.jsonl of an analysis job, with a column `corrected` (also "
            "`corrected_labels`, `corrected_entities`) that has the right answer where the model is wrong.",
        ),
    ],
    as_json: JsonOption = False,
) -> None:
    """Give the corrected output of an analysis job to reviewers, from whose answers the next model learns."""
    given = api.give_feedback(invocation_of(context).deployment(), file)
    show(given, as_json=as_json, table=feedback_sentences)
    if given.unusable:
        raise typer.Exit(1)
