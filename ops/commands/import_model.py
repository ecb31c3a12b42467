"""`flywheel import`."""

from __future__ import annotations

from typing import Annotated

import typer

from ops.commands.invocation import DEFAULT_TIMEOUT_MINUTES, JsonOption, PollOption, TimeoutOption, invocation_of
from ops.commands.promotions import follow
from ops.verbs import import_model as api
from ops.verbs.turns import DEFAULT_POLL_SECONDS


def import_model(
    context: typer.Context,
    version: Annotated[str, typer.Argument(metavar="VERSION_ARN", help="ARN of a version of the source's model.")],
    reason: Annotated[str, typer.Option(help="Why; the record of the promotion keeps it.")] = "",
    wait: Annotated[bool, typer.Option(help="Follow the promotion until it has ended.")] = True,
    timeout_minutes: TimeoutOption = DEFAULT_TIMEOUT_MINUTES,
    poll_seconds: PollOption = DEFAULT_POLL_SECONDS,
    as_json: JsonOption = False,
) -> None:
    """Import a model version of the source's and make it the active one, needing no approval.

    Announced or not: the source has to share it. Exit status 1 if the model does not become active.
    """
    deployment = invocation_of(context).import_deployment()
    asked = api.import_model(deployment, version, reason=reason)
    follow(deployment, asked, wait=wait, timeout_minutes=timeout_minutes, poll_seconds=poll_seconds, as_json=as_json)
