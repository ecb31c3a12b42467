"""The command line `flywheel`: its verbs, the options before the verb, and every error as a sentence."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from typing import Annotated, Any

import typer
from typer._click.exceptions import NoSuchOption
from typer.core import TyperGroup

from flywheel.text.printable import printable
from ops.commands import (
    analyze,
    classify,
    console,
    cost,
    doctor,
    endpoint,
    exclude,
    forget,
    generation,
    import_model,
    logs,
    models,
    open_console,
    pause,
    promotions,
    purge,
    report,
    review,
    share,
    status,
    turns,
    uploads,
)
from ops.commands.invocation import Invocation
from ops.deployment.service_errors import ANY_FAILURE, failure
from ops.tables.terminal import remark

_BEFORE_THE_VERB = {"--name": "NAME", "--region": "REGION", "--profile": "PROFILE"}


class SentenceGroup(TyperGroup):
    """Shows what goes wrong for a user as one sentence on standard error; a defect keeps its trace."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except NoSuchOption as error:
            value = _BEFORE_THE_VERB.get(error.option_name)
            if value is not None:
                verb = error.ctx.info_name if error.ctx else "VERB"
                error.message = f"{error.option_name} goes before the verb: flywheel {error.option_name} {value} {verb}"
            raise
        except ANY_FAILURE as error:
            sentence, exit_status = failure(error)
        remark(printable(sentence), style="red")
        raise typer.Exit(exit_status)


app = typer.Typer(
    name="flywheel",
    cls=SentenceGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _tell_version(wanted: bool) -> None:
    if wanted:
        typer.echo(version("comprehend-flywheel"))
        raise typer.Exit


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
    _version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Operate an Amazon Comprehend flywheel: see what it does, give it files, start and pause it, approve and undo."""
    context.obj = Invocation(name=name, region=region, profile=profile)


VERBS: dict[str, Callable[..., None]] = {
    "doctor": doctor.doctor,
    "status": status.status,
    "validate": uploads.validate,
    "upload": uploads.upload,
    "rejected": uploads.rejected,
    "exclude": exclude.exclude,
    "forget": forget.forget,
    "turns": turns.turns,
    "show": turns.show_turn,
    "turn": turns.turn,
    "report": report.report,
    "logs": logs.logs,
    "console": console.console,
    "open": open_console.open_console,
    "review": review.review,
    "approve": promotions.approve,
    "decline": promotions.decline,
    "models": models.models,
    "rollback": promotions.rollback,
    "import": import_model.import_model,
    "share": share.share,
    "endpoint": endpoint.endpoint,
    "classify": classify.classify,
    "analyze": analyze.analyze,
    "generation": generation.generation,
    "pause": pause.pause,
    "resume": pause.resume,
    "cost": cost.cost,
    "purge": purge.purge,
}
for name, verb in VERBS.items():
    app.command(name)(verb)
