"""The stand-alone HTTP server."""

from __future__ import annotations

import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from local.comprehend.administration import PATH_PREFIX, handle_administration
from local.comprehend.errors import ComprehendError, service_error
from local.comprehend.service import Comprehend
from local.comprehend.wire import handle_http, refusal

DEFAULT_ACCOUNT = "000000000000"
DEFAULT_REGION = "us-east-1"

MOST_BODY_BYTES = 64 * 1024**2
BODY_SECONDS = 10.0
"""How long a body may take that is shorter than its Content-Length says."""
_CREDENTIAL = re.compile(r"Credential=(?P<key>[^/]+)/\d{8}/(?P<region>[^/]+)/")


def account_and_region(authorization: str) -> tuple[str, str]:
    """Who calls, by the credential scope of a SigV4 Authorization header.

    An access key of twelve digits is the account (the custom of AWS emulators); any other is the default account.
    Signatures are not checked.
    """
    found = _CREDENTIAL.search(authorization)
    if found is None:
        return DEFAULT_ACCOUNT, DEFAULT_REGION
    key = found["key"]
    return (key if re.fullmatch(r"\d{12}", key) else DEFAULT_ACCOUNT), found["region"]


def server(service: Comprehend, *, port: int) -> ThreadingHTTPServer:
    """A server on the loopback address; ``port`` 0 takes a free one. Call ``serve_forever`` on it."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # One packet an answer: two would wait for each other (Nagle and delayed acknowledgement).
        wbufsize = -1
        disable_nagle_algorithm = True

        def answer(self) -> None:
            try:
                body = _body(self)
            except ComprehendError as error:
                # What follows on this connection cannot be told from the rest of this request.
                self.close_connection = True
                self.send(*refusal(error))
                return
            if self.path.startswith(PATH_PREFIX):
                self.send(*handle_administration(service, self.command, self.path, body))
                return
            account, region = account_and_region(self.headers.get("Authorization", ""))
            self.send(
                *handle_http(service, dict(self.headers), body, account, region, method=self.command, path=self.path)
            )

        def send(self, status: int, headers: dict[str, str], content: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            if self.close_connection:
                self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class names it so)
            """Silent: the call log says more."""

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = answer  # noqa: N815 (http.server calls by these names)

    return _Server(("127.0.0.1", port), Handler)


def _body(request: BaseHTTPRequestHandler) -> bytes:
    """Raises SerializationException for a body that is not as long as is said."""
    said = request.headers.get("Content-Length") or "0"
    if "Transfer-Encoding" in request.headers or not (said.isascii() and said.isdigit()):
        raise service_error("SerializationException", "Say with Content-Length how many bytes the body has.")
    length = int(said)
    if length > MOST_BODY_BYTES:
        raise service_error("SerializationException", f"The body has more than {MOST_BODY_BYTES:,} bytes.")
    request.connection.settimeout(BODY_SECONDS)
    try:
        body = request.rfile.read(length)
    except TimeoutError:
        body = b""
    request.connection.settimeout(None)
    if len(body) < length:
        raise service_error("SerializationException", f"The body has fewer bytes than its Content-Length {length}.")
    return body


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
