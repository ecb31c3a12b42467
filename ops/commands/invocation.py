"""What the options before the verb say, and how a verb shows its result."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text

from flywheel.store.record import Record
from flywheel.text.printable import printable
from ops.clients import Clients
from ops.deployment import Deployment, find_deployment
from ops.terminal import result_console, side_console

__all__ = ["Invocation", "JsonOption", "invocation_of", "result_console", "show", "show_all", "side_console"]

JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON, and nothing else.")]


@dataclass(frozen=True)
class Invocation:
    name: str | None = None
    region: str | None = None
    profile: str | None = None

    def clients(self) -> Clients:
        return Clients.connect(region=self.region, profile=self.profile)

    def deployment(self) -> Deployment:
        return find_deployment(self.clients(), name=self.name)


def invocation_of(context: typer.Context) -> Invocation:
    return context.ensure_object(Invocation)


def _print(renderable: RenderableType) -> None:
    # Sentences and reports are left to the terminal to wrap, so that they can be searched and copied. A str is one
    # sentence, whatever it quotes; a report of several lines is a Text.
    shown = printable(renderable) if isinstance(renderable, str) else renderable
    result_console().print(shown, soft_wrap=isinstance(shown, str | Text))


def show(result: Record, *, as_json: bool, table: Callable[[], RenderableType]) -> None:
    if as_json:
        typer.echo(as_ascii_json(result.model_dump(mode="json"), indent=2))
    else:
        _print(table())


def show_all(results: Sequence[Record], *, as_json: bool, table: Callable[[], RenderableType]) -> None:
    if as_json:
        typer.echo(as_ascii_json([result.model_dump(mode="json") for result in results], indent=2))
    else:
        _print(table())


def as_ascii_json(value: object, *, indent: int | None = None) -> str:
    """What is not ASCII is escaped, so that nothing in it can steer a terminal."""
    return json.dumps(value, indent=indent)
