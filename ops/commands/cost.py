"""`flywheel cost`."""

from __future__ import annotations

from typing import Annotated

import typer

from ops.commands.invocation import EnvironmentOption, JsonOption, invocation_of, show
from ops.deployment.synthesised import read_synthesised
from ops.tables.cost import costs_view
from ops.verbs import cost as api


def cost(
    context: typer.Context,
    settings: Annotated[
        bool, typer.Option("--settings", help="Of the settings here, as `make synth` left them; needs no AWS.")
    ] = False,
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            metavar="STACK:NAME=VALUE", help="With --settings: a parameter; may be repeated.", show_default=False
        ),
    ] = None,
    env: EnvironmentOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what a flywheel costs a month and a turn that trains, and what each figure rests on."""
    if (parameter or env) and not settings:
        raise typer.BadParameter("`--parameter` and `--env` go with `--settings`: a deployment has its own already")
    if settings:
        found = api.planned_cost(read_synthesised(parameters=parameter or (), environment=env))
    else:
        found = api.cost(invocation_of(context).any_deployment())
    show(found, as_json=as_json, table=costs_view)
