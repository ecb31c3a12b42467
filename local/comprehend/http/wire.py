"""The AWS JSON 1.1 protocol: one HTTP request in, one answer out, without any network."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from local.comprehend.errors import ComprehendError, service_error
from local.comprehend.requests.contract import TARGET_PREFIX
from local.comprehend.service import Comprehend

CONTENT_TYPE = "application/x-amz-json-1.1"


MAXIMUM_DEPTH = 100
"""Of a request's JSON: no operation's goes deeper than ten."""
_logger = logging.getLogger(__name__)


def handle_http(
    service: Comprehend,
    headers: Mapping[str, str],
    body: bytes,
    account: str,
    region: str,
    *,
    method: str = "POST",
    path: str = "/",
    caller: str | None = None,
) -> tuple[int, dict[str, str], bytes]:
    """Answer ``POST /``: ``(status, headers, body)``.

    ``headers`` names may be in any case; ``account`` and ``region`` are those of the request's signature, ``caller`` is
    the ARN of its principal (None: the account). Errors come back as ``{"__type": ..., "Message": ...}`` with their
    status; a defect of this service is logged, and an InternalServerException to the caller.
    """
    try:
        if (method, path.partition("?")[0] or "/") != ("POST", "/"):
            raise service_error("UnknownOperationException", f"Send POST /, not {method} {path}.", status=404)
        operation = _operation(headers)
        response = service.call(
            operation=operation, request=_request(body), account=account, region=region, caller=caller
        )
    except ComprehendError as error:
        return refusal(error)
    except Exception:
        # Whatever a defect here raises, a client gets the error that AWS gives for its own.
        _logger.exception("A request could not be answered")
        return refusal(service_error("InternalServerException", "An internal error occurred; the log says more."))
    return _answer(200, response)


def refusal(error: ComprehendError) -> tuple[int, dict[str, str], bytes]:
    return _answer(error.status, {"__type": error.code, "Message": error.message})


def _operation(headers: Mapping[str, str]) -> str:
    target = next((value for name, value in headers.items() if name.lower() == "x-amz-target"), "")
    prefix, _, operation = target.partition(".")
    if prefix != TARGET_PREFIX or not operation:
        raise service_error("UnknownOperationException", f"The X-Amz-Target {target!r} names no operation.")
    return operation


def _request(body: bytes) -> dict[str, Any]:
    try:
        request = json.loads(body or b"{}", parse_constant=_no_number)
        # Half a surrogate pair is no text, though JSON can spell it.
        json.dumps(request, ensure_ascii=False).encode()
    except RecursionError as error:
        raise _too_deep() from error
    except ValueError as error:
        raise service_error("SerializationException", f"The request is not JSON: {error}") from error
    if not isinstance(request, dict):
        raise service_error("SerializationException", "The request is not a JSON object.")
    if _deeper_than(request, MAXIMUM_DEPTH):
        raise _too_deep()
    return request


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number in JSON")


def _too_deep() -> ComprehendError:
    return service_error("SerializationException", f"The request is nested more than {MAXIMUM_DEPTH} levels deep.")


def _deeper_than(value: object, levels: int) -> bool:
    within = [value]
    for _ in range(levels):
        within = [
            child
            for parent in within
            for child in (parent.values() if isinstance(parent, dict) else parent if isinstance(parent, list) else ())
        ]
        if not within:
            return False
    return True


def _answer(status: int, content: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
    return status, {"Content-Type": CONTENT_TYPE, "x-amzn-RequestId": str(uuid4())}, json.dumps(content).encode()
