"""A local Comprehend behind HTTP, without the emulator: what the clients of the contract tests speak to."""

from __future__ import annotations

import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from local.comprehend.http.administration import PATH_PREFIX, handle_administration
from local.comprehend.http.wire import handle_http
from local.comprehend.service import Comprehend

_CREDENTIAL = re.compile(r"Credential=(?P<account>[^/]+)/\d{8}/(?P<region>[^/]+)/")


def server(service: Comprehend, *, port: int) -> ThreadingHTTPServer:
    """A server on the loopback address; ``port`` 0 takes a free one. Call ``serve_forever`` on it.

    The access key of a request's signature is the account; signatures are not checked.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # One packet an answer: two would wait for each other (Nagle and delayed acknowledgement).
        wbufsize = -1
        disable_nagle_algorithm = True

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or "0"))
            if self.path.startswith(PATH_PREFIX):
                self.send(*handle_administration(service, self.command, self.path, body))
                return
            signed = _CREDENTIAL.search(self.headers.get("Authorization", ""))
            account, region = signed.group("account", "region") if signed else ("000000000000", "us-east-1")
            headers = dict(self.headers)
            self.send(*handle_http(service, headers, body, account, region, method=self.command, path=self.path))

        def send(self, status: int, headers: dict[str, str], content: bytes) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class names it so)
            """Silent: the call log says more."""

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = answer  # noqa: N815 (http.server calls by these names)

    return _Server(("127.0.0.1", port), Handler)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
