"""The AWS JSON 1.1 protocol: one HTTP request in, one answer out, without any network."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from local.comprehend.contract import TARGET_PREFIX
from local.comprehend.errors import ComprehendError, service_error
from local.comprehend.service import Comprehend

CONTENT_TYPE = "application/x-amz-json-1.1"


def handle_http(
    service: Comprehend, headers: Mapping[str, str], body: bytes, account: str, region: str
) -> tuple[int, dict[str, str], bytes]:
    """Answer ``POST /``: ``(status, headers, body)``.

    ``headers`` names may be in any case; ``account`` and ``region`` are those of the request's signature. Errors come
    back as ``{"__type": ..., "Message": ...}`` with their status.
    """
    try:
        operation = _operation(headers)
        response = service.call(operation=operation, request=_request(body), account=account, region=region)
    except ComprehendError as error:
        return _answer(error.status, {"__type": error.code, "Message": error.message})
    return _answer(200, response)


def _operation(headers: Mapping[str, str]) -> str:
    target = next((value for name, value in headers.items() if name.lower() == "x-amz-target"), "")
    prefix, _, operation = target.partition(".")
    if prefix != TARGET_PREFIX or not operation:
        raise service_error("UnknownOperationException", f"The X-Amz-Target {target!r} names no operation.")
    return operation


def _request(body: bytes) -> dict[str, Any]:
    try:
        request = json.loads(body or b"{}")
    except ValueError as error:
        raise service_error("SerializationException", f"The request is not JSON: {error}") from error
    if not isinstance(request, dict):
        raise service_error("SerializationException", "The request is not a JSON object.")
    return request


def _answer(status: int, content: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
    return status, {"Content-Type": CONTENT_TYPE, "x-amzn-RequestId": str(uuid4())}, json.dumps(content).encode()
