"""The command line `flywheel`: its verbs, the options before the verb, and every error as a sentence."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from flywheel.errors import FlywheelError
from flywheel.printable import printable
from ops.commands import (
    analyses,
    approvals,
    classifying,
    costs,
    endpoint,
    models,
    pauses,
    purge,
    reports,
    status,
    turns,
    uploads,
)
from ops.commands.invocation import Invocation, side_console
from ops.errors import OperatorError
from ops.service_errors import ServiceError, sentence_of


class SentenceGroup(TyperGroup):
    """What goes wrong for a user is one sentence on standard error and an exit status; a defect keeps its trace."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except OperatorError as error:
            sentence, exit_status = str(error), error.exit_status
        except FlywheelError as error:
            sentence, exit_status = str(error), OperatorError.exit_status
        except ServiceError as error:
            sentence, exit_status = sentence_of(error), OperatorError.exit_status
        side_console().print(printable(sentence), style="red", soft_wrap=True)
        raise typer.Exit(exit_status)


app = typer.Typer(
    name="flywheel",
    cls=SentenceGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def flywheel(
    context: typer.Context,
    name: Annotated[
        str | None,
        typer.Option(
            help="Which flywheel. Default: FLYWHEEL_NAME, else the one in this folder's cdk.json, else the only one."
        ),
    ] = None,
    region: Annotated[str | None, typer.Option(help="AWS Region. Default: as for every AWS client.")] = None,
    profile: Annotated[str | None, typer.Option(help="AWS profile. Default: as for every AWS client.")] = None,
) -> None:
    """Operate an Amazon Comprehend flywheel: see what it does, give it files, start and pause it, approve and undo."""
    context.obj = Invocation(name=name, region=region, profile=profile)


for group in (
    status,
    uploads,
    turns,
    reports,
    approvals,
    models,
    endpoint,
    classifying,
    analyses,
    pauses,
    costs,
    purge,
):
    group.register(app)
