"""What a request must show before the host answers it, and what every answer tells the browser.

The host has its person's AWS credentials and listens on a port that every program and every web page of this machine
can reach. docs/decisions/027-local-host.md says who is kept out by what.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders

from ops.server.answers import refusal

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

ADDRESS = "127.0.0.1"
API = "/api/"
TOKEN_HEADER = "X-Flywheel-Token"  # noqa: S105 - the header's name
MOST_BODY_BYTES = 256 * 1024
"""An answer names at most a document's labels or spans, never its text."""
_READING = {"GET", "HEAD"}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}


def new_token() -> str:
    return secrets.token_urlsafe(32)


@dataclass(frozen=True)
class Door:
    """Where the host listens, and the secret that its pages know."""

    port: int
    token: str = field(default_factory=new_token, repr=False)

    @property
    def host(self) -> str:
        return f"{ADDRESS}:{self.port}"

    @property
    def origin(self) -> str:
        return f"http://{self.host}"

    def address(self, page: str) -> str:
        """With the token in the fragment, which browsers send to nobody."""
        return f"{self.origin}/{page}/#token={self.token}"

    def is_token(self, given: str | None) -> bool:
        return given is not None and secrets.compare_digest(given.encode(), self.token.encode())


class Guard:
    """Lets through what comes from the host's own pages; an ASGI middleware around everything else."""

    def __init__(self, app: ASGIApp, *, door: Door) -> None:
        self._app = app
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            # A web socket would come past the checks: it is closed before it is opened.
            await send({"type": "websocket.close"})
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        answer = self._refusal(scope)
        if answer is not None:
            await answer(scope, receive, send_guarded)
            return
        body = await _body(scope, receive)
        if body is None:
            too_long = refusal(413, "BODY_TOO_LONG", f"A request has at most {MOST_BODY_BYTES:,} bytes.")
            await too_long(scope, receive, send_guarded)
            return
        await self._app(scope, _replay(body, receive), send_guarded)

    def _refusal(self, scope: Scope) -> ASGIApp | None:
        headers = Headers(scope=scope)
        reads, origin = scope["method"] in _READING, headers.get("origin")
        if headers.getlist("host") != [self._door.host]:
            # A name that an attacker's DNS points at this machine would make his page one of this origin.
            return refusal(421, "WRONG_HOST", f"This host is called {self._door.host}, and nothing else.")
        if origin != self._door.origin and not (origin is None and reads):
            return refusal(403, "WRONG_ORIGIN", "Only the host's own pages may ask it.")
        if headers.get("sec-fetch-site", "none") not in {"none", "same-origin"} and not _opens_page(scope, headers):
            return refusal(403, "WRONG_ORIGIN", "Only the host's own pages may ask it.")
        if scope["path"].startswith(API) and not self._door.is_token(headers.get(TOKEN_HEADER)):
            return refusal(
                401, "WRONG_TOKEN", "Open the address that the command printed: this one does not have its secret."
            )
        return None


def _opens_page(scope: Scope, headers: Headers) -> bool:
    """Whether a person follows a link to a page, as in a terminal that is a web page itself."""
    document = (headers.get("sec-fetch-mode"), headers.get("sec-fetch-dest")) == ("navigate", "document")
    return document and not scope["path"].startswith(API)


async def _body(scope: Scope, receive: Receive) -> bytes | None:
    """None if it is too long. What a client says of its length is not believed, only what comes."""
    content = bytearray()
    if scope["method"] in _READING:
        return b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return bytes(content)
        content += message.get("body", b"")
        if len(content) > MOST_BODY_BYTES:
            return None
        if not message.get("more_body"):
            return bytes(content)


def _replay(body: bytes, receive: Receive) -> Receive:
    """As if the body had not been read."""
    given = False

    async def replayed() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed
