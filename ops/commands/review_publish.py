"""`flywheel review publish`."""

from __future__ import annotations

import typer

from ops.commands.invocation import JsonOption, invocation_of, show
from ops.tables.figures import count
from ops.verbs import review_publish as api


def review_publish(context: typer.Context, as_json: JsonOption = False) -> None:
    """Make uploads of all that reviewers agreed on, without waiting until there is enough for a dataset."""
    show(api.publish(invocation_of(context).deployment()), as_json=as_json, table=published_sentence)


def published_sentence(published: api.PublishedAnswers) -> str:
    if not published.documents:
        return "No answers wait to be published."
    return f"Published {count(published.documents, 'document')}: {', '.join(published.uploads)}."
