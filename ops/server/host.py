"""Starts the host on a port of its own and ends it with Ctrl-C."""

from __future__ import annotations

import asyncio
import socket
import webbrowser
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

import uvicorn

from ops.server.security import ADDRESS, Door
from ops.server.site import site

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

_SECONDS_TO_END = 2
"""What still runs then is a read, or a write that S3 takes whole or not at all."""


class _Server(uvicorn.Server):
    """Says when it answers: only then is a browser of use."""

    def __init__(self, config: uvicorn.Config, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._when_started = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        await asyncio.to_thread(self._when_started)


def serve(
    routes: Iterable[BaseRoute],
    page: str,
    *,
    announce: Callable[[str], None],
    open_browser: bool,
    port: int = 0,
) -> None:
    """Answers until Ctrl-C or a termination. `announce` is told the page's address, once it can be opened; port 0 is
    any free one. Raises OSError if the port is taken."""
    with listening(port) as listener:
        door = Door(port=listener.getsockname()[1])
        address = door.address(page)

        def started() -> None:
            announce(address)
            if open_browser:
                webbrowser.open(address)

        config = uvicorn.Config(
            site(door, routes),
            # No access log: it would be noise in the person's terminal, and paths name items.
            access_log=False,
            log_level="warning",
            lifespan="off",
            ws="none",
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_graceful_shutdown=_SECONDS_TO_END,
        )
        # uvicorn ends in order at the signal and then raises it again, for who started it.
        with suppress(KeyboardInterrupt):
            _Server(config, started).run(sockets=[listener])


def listening(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.bind((ADDRESS, port))
    except OSError:
        listener.close()
        raise
    return listener
