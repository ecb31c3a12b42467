"""`flywheel pause` and `flywheel resume`."""

from __future__ import annotations

from typing import Annotated

import typer

from ops.commands.invocation import DEFAULT_TIMEOUT_MINUTES, JsonOption, PollOption, TimeoutOption, invocation_of, show
from ops.commands.progress import waiting_display
from ops.tables.pause import pause_sentence, resume_sentence
from ops.verbs import pause as api
from ops.verbs.turns import DEFAULT_POLL_SECONDS


def pause(
    context: typer.Context,
    reason: Annotated[str, typer.Option(help="Why; `flywheel status` shows it.")] = "",
    wait: Annotated[bool, typer.Option("--wait", help="Wait until nothing runs any more.")] = False,
    decline_waiting: Annotated[
        bool,
        typer.Option(
            "--decline-waiting",
            help="With --wait: decline what waits for approval, with the same reason; for when the stacks are to go.",
        ),
    ] = False,
    timeout_minutes: TimeoutOption = DEFAULT_TIMEOUT_MINUTES,
    poll_seconds: PollOption = DEFAULT_POLL_SECONDS,
    as_json: JsonOption = False,
) -> None:
    """Let no further turn start; a running one goes on to its end.

    Promotions go on: approve, decline and rollback work as before, and what waits for approval waits on.
    """
    if decline_waiting and not wait:
        raise typer.BadParameter("`--decline-waiting` needs `--wait`: a turn that runs may ask for approval yet")
    deployment = invocation_of(context).deployment()
    result = api.pause(deployment, reason=reason)
    if wait:
        with waiting_display("Waiting for what runs") as say:
            api.wait_until_idle(
                deployment,
                timeout_seconds=timeout_minutes * 60,
                poll_seconds=poll_seconds,
                decline_waiting=(reason or "the pipeline was paused") if decline_waiting else None,
                on_progress=lambda what: say(f"Waiting for {what}"),
            )
        result = result.model_copy(update={"running": None})
    show(result, as_json=as_json, table=pause_sentence)


def resume(context: typer.Context, as_json: JsonOption = False) -> None:
    """End a pause and let the pipeline look for work at once."""
    show(api.resume(invocation_of(context).deployment()), as_json=as_json, table=resume_sentence)
