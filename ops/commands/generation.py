"""`flywheel generation new`."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ops.commands.invocation import Invocation, JsonOption, invocation_of, show
from ops.commands.progress import waiting_display
from ops.deployment.errors import OperatorError
from ops.tables.generation import plan_view
from ops.tables.terminal import asks_a_person, remark, result_console
from ops.verbs import generation as api


class Action(StrEnum):
    NEW = "new"


def generation(
    context: typer.Context,
    _action: Annotated[Action, typer.Argument(metavar="new", help="Make a new generation.", show_default=False)],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be done.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask, nor about changes of permissions.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Make a new flywheel beside the old one, seeded with all that was accepted and is not excluded.

    Shows what will be seeded in how many datasets and what that costs, asks, then counts the setting `generation` in
    cdk.json up and runs `make deploy`. The model that is active serves on until one of the new generation is better.
    """
    invocation = invocation_of(context)
    deployment = invocation.deployment()
    folder = Path.cwd()
    with waiting_display("Looking at what was accepted"):
        plan = api.plan_generation(deployment, folder)
    if as_json:
        show(plan, as_json=True, table=plan_view)
    else:
        result_console().print(plan_view(plan))
    if dry_run or (as_json and not yes):
        return
    if not yes:
        confirm = asks_a_person()
        if confirm is None:
            raise OperatorError("Nothing was changed: there is nobody to ask. `--yes` does it without asking.")
        if not confirm(f"Deploy generation {plan.generation} of {plan.name}?"):
            raise OperatorError("Nothing was changed.")
    api.deploy_generation(deployment, plan, folder, environment=_environment(invocation, yes=yes))
    remark(
        f"Generation {plan.generation} of {plan.name} is deployed. Its next turn seeds it: `flywheel turn --now` does "
        "it at once. Commit cdk.json."
    )


def _environment(invocation: Invocation, *, yes: bool) -> dict[str, str]:
    """For `make deploy`: the same account and Region, and no question that nobody would answer."""
    given = {
        "AWS_REGION": invocation.region,
        "AWS_DEFAULT_REGION": invocation.region,
        "AWS_PROFILE": invocation.profile,
        "ARGS": "--require-approval never" if yes and "ARGS" not in os.environ else None,
    }
    return {name: value for name, value in given.items() if value}
