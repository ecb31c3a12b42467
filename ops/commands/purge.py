"""`flywheel purge`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from flywheel.store.record import Record
from ops.commands.invocation import Invocation, JsonOption, invocation_of, show
from ops.deployment.errors import OperatorError
from ops.deployment.published import choose_name
from ops.tables.purge import left_behind_view
from ops.tables.terminal import remark, result_console
from ops.verbs import purge as api
from ops.verbs.left_behind import LeftBehind, find_left_behind


class PurgeResult(Record):
    kept: LeftBehind
    removed: bool


def purge(
    context: typer.Context,
    bucket: Annotated[
        list[str] | None,
        typer.Option(help="A bucket to remove as well, if CloudFormation has forgotten it; may be repeated."),
    ] = None,
    key: Annotated[bool, typer.Option("--key", help="Schedule the stack's own KMS key for deletion, too.")] = False,
    list_only: Annotated[bool, typer.Option("--list", help="List what is there and remove nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Remove for good what is kept when the stacks are destroyed: buckets, models, old flywheels.

    Refused as long as the stacks are deployed. The list is shown first; --json removes nothing without --yes.
    """
    invocation = invocation_of(context)
    clients = invocation.clients()
    left = find_left_behind(clients, _name(invocation), buckets=bucket or ())
    if not as_json:
        result_console().print(left_behind_view(left, delete_keys=key))
    removing = not list_only and not left.nothing and (yes or (not as_json and _confirmed(left)))
    if removing:
        api.purge(clients, left, delete_keys=key, on_step=lambda what: remark(f"Removing {what}"))
    if as_json or removing:
        result = PurgeResult(kept=left, removed=removing)
        show(result, as_json=as_json, table=lambda _: "Removed. A model takes some minutes to disappear.")


def _name(invocation: Invocation) -> str:
    """Never guessed: after the stacks are gone no parameter says which flywheel is meant."""
    chosen = choose_name(name=invocation.name)
    if chosen is None:
        raise OperatorError("Say which flywheel to purge: `flywheel --name NAME purge`.")
    return chosen[0]


def _confirmed(left: LeftBehind) -> bool:
    if not sys.stdin.isatty():
        raise OperatorError("Nothing was removed: there is nobody to ask. `--yes` removes without asking.")
    typer.confirm(f"Remove all of this of {left.name} for good?", abort=True, err=True)
    return True
