"""The command line `flywheel`: its verbs, the options before the verb, and every error as a sentence."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from flywheel.errors import FlywheelError
from ops.commands import pauses, purge, reports, status, turns, uploads
from ops.commands.invocation import Invocation, side_console
from ops.errors import OperatorError
from ops.service_errors import ServiceError, sentence_of


class SentenceGroup(TyperGroup):
    """What goes wrong for a user is one sentence on standard error and exit status 1; a defect keeps its trace."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (OperatorError, FlywheelError) as error:
            sentence = str(error)
        except ServiceError as error:
            sentence = sentence_of(error)
        side_console().print(sentence, style="red", soft_wrap=True)
        raise typer.Exit(1)


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
    """Operate an Amazon Comprehend flywheel: see what it does, give it files, start, pause and resume it."""
    context.obj = Invocation(name=name, region=region, profile=profile)


for group in (status, uploads, turns, reports, pauses, purge):
    group.register(app)
