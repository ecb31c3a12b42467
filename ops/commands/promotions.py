"""`flywheel approve` and `flywheel decline`."""

from __future__ import annotations

from typing import Annotated

import typer

from flywheel.records.promotions import PromotionStatus
from ops import approve as api
from ops.approve import Answer, Answered
from ops.commands.invocation import JsonOption, invocation_of, show
from ops.commands.wait_option import (
    DEFAULT_POLL_SECONDS,
    DEFAULT_TIMEOUT_MINUTES,
    PollOption,
    TimeoutOption,
    waiting_display,
)
from ops.deployment import Deployment
from ops.promotions import wait_for_promotion
from ops.tables.promotions import answered_sentence

TurnArgument = Annotated[
    str, typer.Argument(metavar="TURN", help="The turn (turn-000003 or 3), or the promotion (promotion-000002).")
]
WaitOption = Annotated[bool, typer.Option("--wait", help="Follow the promotion until it has ended.")]


def approve(
    context: typer.Context,
    turn: TurnArgument,
    reason: Annotated[str, typer.Option(help="Why; it goes to the promote machine with the answer.")] = "",
    wait: WaitOption = False,
    timeout_minutes: TimeoutOption = DEFAULT_TIMEOUT_MINUTES,
    poll_seconds: PollOption = DEFAULT_POLL_SECONDS,
    as_json: JsonOption = False,
) -> None:
    """Let a turn's model become the active one, where PromotionMode is APPROVAL.

    Exit status 3 if nobody was asked, 4 if that has ended already, 5 if it was answered a moment ago.
    """
    deployment = invocation_of(context).deployment()
    answered = api.approve(deployment, turn, reason=reason)
    _show(deployment, answered, wait=wait, timeout_minutes=timeout_minutes, poll_seconds=poll_seconds, as_json=as_json)


def decline(
    context: typer.Context,
    turn: TurnArgument,
    reason: Annotated[str, typer.Option(help="Why; the record of the promotion keeps it.")],
    wait: WaitOption = False,
    timeout_minutes: TimeoutOption = DEFAULT_TIMEOUT_MINUTES,
    poll_seconds: PollOption = DEFAULT_POLL_SECONDS,
    as_json: JsonOption = False,
) -> None:
    """Keep a turn's model from becoming the active one, where PromotionMode is APPROVAL.

    Exit status 3 if nobody was asked, 4 if that has ended already, 5 if it was answered a moment ago.
    """
    deployment = invocation_of(context).deployment()
    answered = api.decline(deployment, turn, reason=reason)
    _show(deployment, answered, wait=wait, timeout_minutes=timeout_minutes, poll_seconds=poll_seconds, as_json=as_json)


def register(app: typer.Typer) -> None:
    app.command()(approve)
    app.command()(decline)


def _show(
    deployment: Deployment,
    answered: Answered,
    *,
    wait: bool,
    timeout_minutes: float,
    poll_seconds: float,
    as_json: bool,
) -> None:
    """Exit status 1 if the promotion ended otherwise than it was answered."""
    result = answered
    if wait:
        with waiting_display(f"{answered.whose} is {answered.answer}") as say:
            ended = wait_for_promotion(
                deployment,
                answered.promotion.request_id,
                failures=answered.failures,
                timeout_seconds=timeout_minutes * 60,
                poll_seconds=poll_seconds,
                # Until it has ended nothing but Step Functions knows that it does not wait any more.
                on_progress=lambda _: say(f"{answered.whose} is {answered.answer}, the promotion goes on"),
            )
        result = answered.model_copy(update={"promotion": ended})
    show(result, as_json=as_json, table=lambda: answered_sentence(result))
    if wait and not _as_answered(result):
        raise typer.Exit(1)


def _as_answered(answered: Answered) -> bool:
    status = answered.promotion.status
    return status.made_active if answered.answer is Answer.APPROVED else status is PromotionStatus.DECLINED
