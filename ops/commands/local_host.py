"""What `flywheel review` and `flywheel console` take, and how they serve their page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from ops.deployment.errors import OperatorError
from ops.tables.terminal import remark

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

NoOpenOption = Annotated[bool, typer.Option("--no-open", help="Only print the address.")]
PortOption = Annotated[
    int, typer.Option(min=0, max=65535, help="On which port of this machine. 0: any that is free.", show_default="any")
]


def show_page(routes: Iterable[BaseRoute], page: str, *, no_open: bool, port: int) -> None:
    """Until Ctrl-C. The address is the only line on standard output, for programs that wait for it."""

    # Only here: every other verb starts faster without a server.
    from ops.server.host import serve

    def announce(address: str) -> None:
        typer.echo(address)
        remark("Only this address opens it: it has a secret. It works until Ctrl-C.")

    try:
        serve(routes, page, announce=announce, open_browser=not no_open, port=port)
    except OSError as error:
        raise OperatorError(
            f"Port {port} cannot be used ({error.strerror}): leave --port out, or name another."
        ) from error
