"""`flywheel forget`."""

from __future__ import annotations

from typing import Annotated

import typer

from ops.commands.invocation import JsonOption, invocation_of, show
from ops.tables.forget import forgotten_sentence
from ops.verbs import forget as api


def forget(
    context: typer.Context,
    text: Annotated[
        str, typer.Argument(metavar="TEXT|ID", help="The text itself, or the id of a prediction or of a review item.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Delete a text from the review queue and from kept predictions, and keep it out of later datasets."""
    show(api.forget(invocation_of(context).deployment(), text), as_json=as_json, table=forgotten_sentence)
