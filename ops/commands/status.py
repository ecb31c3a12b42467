"""`flywheel status`."""

from __future__ import annotations

import typer

from ops.commands.invocation import JsonOption, invocation_of, show
from ops.deployment.published import ImportDeployment, require_flywheel
from ops.tables.import_status import import_status_view
from ops.tables.status import status_view
from ops.verbs import status as api
from ops.verbs.import_status import import_status


def status(context: typer.Context, as_json: JsonOption = False) -> None:
    """Show the active model, what runs, what waits and why; of a flywheel its turns and datasets, too."""
    deployment = invocation_of(context).any_deployment()
    if isinstance(deployment, ImportDeployment):
        show(import_status(deployment), as_json=as_json, table=import_status_view)
    else:
        show(api.status(require_flywheel(deployment)), as_json=as_json, table=status_view)
