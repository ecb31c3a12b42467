"""`flywheel approve`, `flywheel decline` and `flywheel rollback`."""

from __future__ import annotations

from typing import Annotated

import typer

from flywheel.records.promotions import PromotionStatus
from ops.commands.invocation import DEFAULT_TIMEOUT_MINUTES, JsonOption, PollOption, TimeoutOption, invocation_of, show
from ops.commands.progress import waiting_display
from ops.deployment.published import AnyDeployment
from ops.tables.promotions import answered_sentence, promotion_words, rollback_sentence
from ops.verbs import approve as answers
from ops.verbs import rollback as api
from ops.verbs.approve import Answer, Answered
from ops.verbs.promotions import wait_for_promotion
from ops.verbs.rollback import Rollback
from ops.verbs.turns import DEFAULT_POLL_SECONDS

TurnArgument = Annotated[
    str, typer.Argument(metavar="TURN", help="The turn (turn-000003 or 3), or the promotion (promotion-000002).")
]
FollowOption = Annotated[bool, typer.Option("--wait", help="Follow the promotion until it has ended.")]


def approve(
    context: typer.Context,
    turn: TurnArgument,
    reason: Annotated[str, typer.Option(help="Why; the record of the promotion keeps it.")] = "",
    wait: FollowOption = False,
    timeout_minutes: TimeoutOption = DEFAULT_TIMEOUT_MINUTES,
    poll_seconds: PollOption = DEFAULT_POLL_SECONDS,
    as_json: JsonOption = False,
) -> None:
    """Let a turn's model become the active one, where PromotionMode is APPROVAL.

    Exit status 3 if nobody was asked, 4 if that has ended already, 5 if it was answered a moment ago.
    """
    deployment = invocation_of(context).any_deployment()
    answered = answers.approve(deployment, turn, reason=reason)
    _show(deployment, answered, wait=wait, timeout_minutes=timeout_minutes, poll_seconds=poll_seconds, as_json=as_json)


def decline(
    context: typer.Context,
    turn: TurnArgument,
    reason: Annotated[str, typer.Option(help="Why; the record of the promotion keeps it.")],
    wait: FollowOption = False,
    timeout_minutes: TimeoutOption = DEFAULT_TIMEOUT_MINUTES,
    poll_seconds: PollOption = DEFAULT_POLL_SECONDS,
    as_json: JsonOption = False,
) -> None:
    """Keep a turn's model from becoming the active one, where PromotionMode is APPROVAL.

    Exit status 3 if nobody was asked, 4 if that has ended already, 5 if it was answered a moment ago.
    """
    deployment = invocation_of(context).any_deployment()
    answered = answers.decline(deployment, turn, reason=reason)
    _show(deployment, answered, wait=wait, timeout_minutes=timeout_minutes, poll_seconds=poll_seconds, as_json=as_json)


def rollback(
    context: typer.Context,
    to: Annotated[
        str | None,
        typer.Option(
            help="A version (its name, or an unmistakable beginning or end of it), an ARN, or the turn that made it "
            "(turn-000003). Default: the model that was active before.",
            show_default=False,
        ),
    ] = None,
    reason: Annotated[str, typer.Option(help="Why; the record of the promotion keeps it.")] = "",
    wait: Annotated[bool, typer.Option(help="Follow the promotion until it has ended.")] = True,
    timeout_minutes: TimeoutOption = DEFAULT_TIMEOUT_MINUTES,
    poll_seconds: PollOption = DEFAULT_POLL_SECONDS,
    as_json: JsonOption = False,
) -> None:
    """Make an earlier model the active one again, or any other: through the promote machine, needing no approval.

    It ends what waits for approval. Exit status 1 if the model does not become active.
    """
    deployment = invocation_of(context).any_deployment()
    asked = api.rollback(deployment, to=to, reason=reason)
    follow(deployment, asked, wait=wait, timeout_minutes=timeout_minutes, poll_seconds=poll_seconds, as_json=as_json)


def follow(
    deployment: AnyDeployment,
    asked: Rollback,
    *,
    wait: bool,
    timeout_minutes: float,
    poll_seconds: float,
    as_json: bool,
) -> None:
    """Shows what was asked for and, if `wait`, what came of it: exit status 1 if the model does not become active."""
    if wait and asked.request is not None:
        with waiting_display("The promotion is asked for") as say:
            ended = wait_for_promotion(
                deployment,
                asked.request.id,
                timeout_seconds=timeout_minutes * 60,
                poll_seconds=poll_seconds,
                on_progress=lambda now: say(promotion_words(now) if now else "The promotion is asked for"),
            )
        asked = asked.model_copy(update={"promotion": ended})
    show(asked, as_json=as_json, table=rollback_sentence)
    if asked.promotion is not None and not asked.promotion.status.made_active:
        raise typer.Exit(1)


def _show(
    deployment: AnyDeployment,
    answered: Answered,
    *,
    wait: bool,
    timeout_minutes: float,
    poll_seconds: float,
    as_json: bool,
) -> None:
    """Shows the answer and, if `wait`, what came of it: exit status 1 if the promotion ended otherwise."""
    if wait:
        words = f"{answered.whose} is {answered.answer}"
        with waiting_display(words) as say:
            ended = wait_for_promotion(
                deployment,
                answered.promotion.request_id,
                failures=answered.failures,
                timeout_seconds=timeout_minutes * 60,
                poll_seconds=poll_seconds,
                # Until it has ended nothing but Step Functions knows that it does not wait any more.
                on_progress=lambda _: say(f"{words}, the promotion goes on"),
            )
        answered = answered.model_copy(update={"promotion": ended})
    show(answered, as_json=as_json, table=answered_sentence)
    status = answered.promotion.status
    as_answered = status.made_active if answered.answer is Answer.APPROVED else status is PromotionStatus.DECLINED
    if wait and not as_answered:
        raise typer.Exit(1)
