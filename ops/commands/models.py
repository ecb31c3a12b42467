"""`flywheel models`."""

from __future__ import annotations

import typer

from ops.commands.invocation import JsonOption, invocation_of, show
from ops.tables.models import models_table
from ops.verbs.models import list_models


def models(context: typer.Context, as_json: JsonOption = False) -> None:
    """List every version of the model: score, the turn that made it, when it was active, what became of it."""
    deployment = invocation_of(context).deployment()
    metric = deployment.parameters.selection_metric
    show(list_models(deployment), as_json=as_json, table=lambda found: models_table(found, metric=metric))
