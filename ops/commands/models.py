"""`flywheel models` and `flywheel rollback`."""

from __future__ import annotations

from typing import Annotated

import typer

from flywheel.records.promotions import Promotion
from ops import models as api
from ops.commands.invocation import JsonOption, invocation_of, show, show_all
from ops.commands.wait_option import (
    DEFAULT_POLL_SECONDS,
    DEFAULT_TIMEOUT_MINUTES,
    PollOption,
    TimeoutOption,
    waiting_display,
)
from ops.promotions import wait_for_promotion
from ops.rollback import rollback as ask_for
from ops.tables.models import models_table
from ops.tables.promotions import promotion_words, rollback_sentence


def models(context: typer.Context, as_json: JsonOption = False) -> None:
    """List every version of the model: score, the turn that made it, when it was active, what became of it."""
    deployment = invocation_of(context).deployment()
    found = api.list_models(deployment)
    show_all(found, as_json=as_json, table=lambda: models_table(found, metric=deployment.selection_metric))


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
    deployment = invocation_of(context).deployment()
    asked = ask_for(deployment, to=to, reason=reason)
    if wait and asked.request is not None:
        with waiting_display("The promotion is asked for") as say:
            ended = wait_for_promotion(
                deployment,
                asked.request.id,
                timeout_seconds=timeout_minutes * 60,
                poll_seconds=poll_seconds,
                on_progress=lambda now: say(progress_words(now)),
            )
        asked = asked.model_copy(update={"promotion": ended})
    show(asked, as_json=as_json, table=lambda: rollback_sentence(asked))
    if asked.promotion is not None and not asked.promotion.status.made_active:
        raise typer.Exit(1)


def register(app: typer.Typer) -> None:
    app.command()(models)
    app.command()(rollback)


def progress_words(promotion: Promotion | None) -> str:
    return promotion_words(promotion) if promotion else "The promotion is asked for"
