"""`flywheel purge`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from flywheel.store.record import Record
from ops.commands.invocation import Invocation, JsonOption, invocation_of, result_console, show, side_console
from ops.deployment import choose_name
from ops.errors import PurgeError
from ops.left_behind import Kept, find_kept
from ops.purge import purge as purge_kept
from ops.tables.purge import kept_view


class PurgeResult(Record):
    kept: Kept
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
    kept = find_kept(clients, _name(invocation), buckets=bucket or ())
    if not as_json:
        result_console().print(kept_view(kept, delete_keys=key))
    removing = not list_only and not kept.nothing and (yes or (not as_json and _confirmed(kept)))
    if removing:
        console = side_console()
        purge_kept(
            clients, kept, delete_keys=key, on_step=lambda what: console.print(f"Removing {what}", soft_wrap=True)
        )
    if as_json or removing:
        result = PurgeResult(kept=kept, removed=removing)
        show(result, as_json=as_json, table=lambda: "Removed. A model takes some minutes to disappear.")


def register(app: typer.Typer) -> None:
    app.command()(purge)


def _name(invocation: Invocation) -> str:
    """Never guessed: after the stacks are gone no parameter says which flywheel is meant."""
    chosen = choose_name(name=invocation.name)
    if chosen is None:
        raise PurgeError("Say which flywheel to purge: `flywheel --name NAME purge`.")
    return chosen[0]


def _confirmed(kept: Kept) -> bool:
    if not sys.stdin.isatty():
        raise PurgeError("Nothing was removed: there is nobody to ask. `--yes` removes without asking.")
    typer.confirm(f"Remove all of this of {kept.name} for good?", abort=True, err=True)
    return True
