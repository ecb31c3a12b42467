"""Requests to the local host without a network, as its own pages make them unless told otherwise."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ops.server.security import TOKEN_HEADER, Door
from ops.server.site import site

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

DOOR = Door(port=8765, token="a-secret")


@dataclass(frozen=True)
class Answered:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """Of a refusal."""
        code: str = self.json["code"]
        return code


class Asked:
    """The host with these routes."""

    def __init__(self, routes: Iterable[BaseRoute] = (), *, door: Door = DOOR) -> None:
        self.door = door
        self._app = site(door, routes)

    def get(self, path: str, **options: Any) -> Answered:
        return self.ask("GET", path, **options)

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: Mapping[str, str | None] | None = None,
        raw: Iterable[bytes] | None = None,
    ) -> Answered:
        """`headers` replace a page's own, None leaves one out; `raw` are pieces of a body instead of JSON."""
        own = {"host": self.door.host, "sec-fetch-site": "same-origin", TOKEN_HEADER.lower(): self.door.token}
        if method not in {"GET", "HEAD"}:
            own["origin"] = self.door.origin
        sent = {name: value for name, value in {**own, **(headers or {})}.items() if value is not None}
        pieces = [json.dumps(body).encode()] if body is not None else [b""]
        return asyncio.run(self._ask(method, path, sent, list(raw) if raw is not None else pieces))

    async def _ask(self, method: str, path: str, headers: Mapping[str, str], pieces: list[bytes]) -> Answered:
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", self.door.port),
        }
        answer: dict[str, Any] = {}
        content = bytearray()

        async def receive() -> dict[str, Any]:
            if not pieces:
                # The client is still there, and says nothing more.
                await asyncio.Event().wait()
            return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                answer.update(message)
            else:
                content.extend(message.get("body", b""))

        await self._app(scope, receive, send)
        told = {name.decode().lower(): value.decode() for name, value in answer["headers"]}
        return Answered(status=answer["status"], headers=told, body=bytes(content))
