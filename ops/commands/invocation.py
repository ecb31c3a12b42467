"""What the options before the verb say, what several verbs take, and how a verb shows its result."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, TypeVar

import typer
from rich.console import RenderableType
from rich.text import Text

from flywheel.store.record import Record
from flywheel.text.printable import printable
from ops.deployment.clients import Clients
from ops.deployment.errors import OperatorError
from ops.deployment.published import AnyDeployment, Deployment, ImportDeployment, find_any_deployment, find_deployment
from ops.tables.terminal import result_console
from ops.verbs.turns import DEFAULT_TIMEOUT_SECONDS

ResultT = TypeVar("ResultT", bound=Record | Sequence[Record])

JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON, and nothing else.")]
LastTurnArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="[TURN]",
        help="Its name (turn-000003) or number (3). Default: the last. Where models are imported: a promotion's.",
        show_default=False,
    ),
]
EnvironmentOption = Annotated[
    str | None,
    typer.Option("--env", metavar="NAME", help="Whose templates, if cdk.json names environments.", show_default=False),
]
TimeoutOption = Annotated[float, typer.Option(min=0, help="How long --wait waits.")]
PollOption = Annotated[float, typer.Option(min=0.1, help="How often --wait looks.")]
DEFAULT_TIMEOUT_MINUTES = DEFAULT_TIMEOUT_SECONDS / 60


@dataclass(frozen=True)
class Invocation:
    name: str | None = None
    region: str | None = None
    profile: str | None = None

    def clients(self) -> Clients:
        return Clients.connect(region=self.region, profile=self.profile)

    def deployment(self) -> Deployment:
        """For verbs that need a flywheel. Raises ImportsModelsError."""
        return find_deployment(self.clients(), name=self.name)

    def any_deployment(self) -> AnyDeployment:
        """For verbs that work where models are imported, too."""
        return find_any_deployment(self.clients(), name=self.name)

    def import_deployment(self) -> ImportDeployment:
        """For the verb that only works there. Raises OperatorError."""
        found = self.any_deployment()
        if not isinstance(found, ImportDeployment):
            raise OperatorError(
                f"{found.name!r} trains its models and imports none: `flywheel rollback --to` makes any of them active."
            )
        return found


def invocation_of(context: typer.Context) -> Invocation:
    return context.ensure_object(Invocation)


def show(result: ResultT, *, as_json: bool, table: Callable[[ResultT], RenderableType]) -> None:
    if as_json:
        dumped: object
        if isinstance(result, Record):
            dumped = result.model_dump(mode="json")
        else:
            dumped = [record.model_dump(mode="json") for record in result]
        typer.echo(as_ascii_json(dumped, indent=2))
        return
    # Sentences and reports are left to the terminal to wrap, so that they can be searched and copied. A str is one
    # sentence, whatever it quotes; a report of several lines is a Text.
    shown = table(result)
    shown = printable(shown) if isinstance(shown, str) else shown
    result_console().print(shown, soft_wrap=isinstance(shown, str | Text))


def show_line(record: Record) -> None:
    """As JSON, for verbs that show results as they come."""
    typer.echo(as_ascii_json(record.model_dump(mode="json")))


def as_ascii_json(value: object, *, indent: int | None = None) -> str:
    """What is not ASCII is escaped, so that nothing in it can steer a terminal."""
    return json.dumps(value, indent=indent)
