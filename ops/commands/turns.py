"""`flywheel turns`, `flywheel show` and `flywheel turn`."""

from __future__ import annotations

from typing import Annotated

import typer

from flywheel.records.turns import TurnOutcome
from ops.commands.invocation import DEFAULT_TIMEOUT_MINUTES, JsonOption, PollOption, TimeoutOption, invocation_of, show
from ops.commands.progress import waiting_display
from ops.tables.turns import progress_sentence, turn_view, turns_table
from ops.verbs import turns as api


def turns(
    context: typer.Context,
    last: Annotated[int, typer.Option(min=1, help="How many to look back.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """List the turns that ended, newest first, with what they decided."""
    deployment = invocation_of(context).deployment()
    metric = deployment.parameters.selection_metric
    records = api.past_turns(deployment, last=last)
    show(records, as_json=as_json, table=lambda records: turns_table(records, metric=metric))


def show_turn(
    context: typer.Context,
    turn: Annotated[str, typer.Argument(help="Its name (turn-000003) or number (3).")],
    as_json: JsonOption = False,
) -> None:
    """Show one turn: its uploads, datasets, scores and the reasons of its decision."""
    show(api.show_turn(invocation_of(context).deployment(), turn), as_json=as_json, table=turn_view)


def turn(
    context: typer.Context,
    _now: Annotated[bool, typer.Option("--now", help="As without it.")] = False,
    overrule_minimum: Annotated[
        bool,
        typer.Option(
            "--overrule-minimum",
            help="Make datasets although labels have too few documents. Comprehend may refuse such a dataset.",
        ),
    ] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Follow the turn until it has ended.")] = False,
    timeout_minutes: TimeoutOption = DEFAULT_TIMEOUT_MINUTES,
    poll_seconds: PollOption = api.DEFAULT_POLL_SECONDS,
    as_json: JsonOption = False,
) -> None:
    """Ask for a turn now, whether or not something is new. Exit status 1 if --wait is given and it does not succeed."""
    deployment = invocation_of(context).deployment()
    requested = api.request_turn(deployment, overrule_minimum=overrule_minimum)
    if not wait:
        sentence = "A turn is asked for: `flywheel status` shows how far it is."
        show(requested, as_json=as_json, table=lambda _: sentence)
        return
    with waiting_display("The turn is asked for") as say:
        record = api.wait_for_turn(
            deployment,
            after=requested.after,
            request=requested.request,
            timeout_seconds=timeout_minutes * 60,
            poll_seconds=poll_seconds,
            on_progress=lambda progress: say(progress_sentence(progress)),
        )
    show(api.TurnView(turn=record.turn, record=record), as_json=as_json, table=turn_view)
    if record.outcome is not TurnOutcome.SUCCEEDED:
        raise typer.Exit(1)
