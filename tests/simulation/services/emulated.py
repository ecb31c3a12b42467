"""The emulator's services in this process, reached by boto3 without a network: the code that serves the local cloud."""

from __future__ import annotations

import contextvars
import io
import logging
from collections.abc import Coroutine, Iterator, Mapping
from functools import cache
from typing import Any
from urllib.parse import unquote, urlsplit

import boto3
from botocore import UNSIGNED
from botocore.awsrequest import AWSPreparedRequest, AWSResponse, HeadersDict
from botocore.config import Config

from local.cloud.emulator.ministack import app
from local.cloud.emulator.s3 import objects
from tests.simulation.api import ACCOUNT, REGION


@cache
def emulated(service: str) -> Any:
    """A boto3 client that is answered by the emulator; one for each service in this process."""
    _teach()
    session = boto3.Session(aws_access_key_id=ACCOUNT, aws_secret_access_key="test", region_name=REGION)
    client: Any = session.client(
        service,  # type: ignore[call-overload]  # one overload for each service
        endpoint_url=f"http://{service}.in-process",
        config=Config(
            # Who asks is known without a signature.
            signature_version=UNSIGNED,
            retries={"total_max_attempts": 1},
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )
    client.meta.events.register("before-send", _send)
    return client


@cache
def _teach() -> None:
    objects.teach()
    logging.getLogger("s3").setLevel(logging.WARNING)


def _send(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
    return contextvars.copy_context().run(_completed, _serve(request))


def _completed(serving: Coroutine[Any, Any, AWSResponse]) -> AWSResponse:
    """Run it here and now: what these services do for one request never waits, so it needs no event loop."""
    try:
        serving.send(None)
    except StopIteration as answered:
        response: AWSResponse = answered.value
        return response
    raise RuntimeError("The emulator waited for something while it answered a request.")


async def _serve(request: AWSPreparedRequest) -> AWSResponse:
    url = urlsplit(request.url)
    headers = {"host": url.netloc, **{name.lower(): value for name, value in _texts(dict(request.headers)).items()}}
    scope = {
        "type": "http",
        "method": request.method,
        "scheme": "http",
        "path": unquote(url.path),
        "raw_path": url.path.encode(),
        "query_string": url.query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 0),
    }
    status, answered, content = 0, HeadersDict(), bytearray()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body_of(request), "more_body": False}

    async def send(event: dict[str, Any]) -> None:
        nonlocal status, answered
        if event["type"] == "http.response.start":
            status = event["status"]
            answered = HeadersDict({name.decode(): value.decode() for name, value in event["headers"]})
        else:
            content.extend(event.get("body", b""))

    await app.app(scope, receive, send)
    return AWSResponse(request.url, status, answered, _Content(bytes(content)))  # type: ignore[arg-type]  # what AWSResponse reads of a raw answer


def body_of(request: AWSPreparedRequest) -> bytes:
    body: Any = request.body
    read = body.read() if hasattr(body, "read") else body or b""
    return read.encode() if isinstance(read, str) else bytes(read)


def _texts(headers: Mapping[str, Any]) -> dict[str, str]:
    return {name: value.decode() if isinstance(value, bytes) else str(value) for name, value in headers.items()}


class _Content(io.BytesIO):
    """What botocore reads an answer from: urllib3's response has a `stream`."""

    def stream(self, amount: int = 1 << 16, **_: Any) -> Iterator[bytes]:
        while block := self.read(amount):
            yield block
