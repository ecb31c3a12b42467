"""`flywheel models`."""

from __future__ import annotations

import typer

from ops.commands.invocation import JsonOption, invocation_of, show
from ops.deployment.published import ImportDeployment
from ops.tables.models import models_table
from ops.verbs.models import list_models


def models(context: typer.Context, as_json: JsonOption = False) -> None:
    """List every version of the model: score, who made it, when it was active, what became of it."""
    deployment = invocation_of(context).any_deployment()
    metric, imported = deployment.parameters.selection_metric, isinstance(deployment, ImportDeployment)
    show(
        list_models(deployment),
        as_json=as_json,
        table=lambda found: models_table(found, metric=metric, imported=imported),
    )
