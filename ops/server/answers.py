"""Answers as JSON: what a handler returns, or what went wrong as `{"code", "message"}`."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from boto3.exceptions import Boto3Error
from botocore.exceptions import ClientError
from pydantic import BaseModel, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from flywheel.faults.errors import ServiceBusy, ServiceFault
from flywheel.faults.service_faults import passes
from flywheel.store.record import Record
from ops.deployment.errors import OperatorError
from ops.deployment.service_errors import ANY_FAILURE, failure, is_access_denied

BodyT = TypeVar("BodyT", bound=BaseModel)


class Refused(Exception):
    """What the client is told instead of an answer."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


@dataclass(frozen=True)
class Call:
    """A request, as a handler sees it."""

    path: Mapping[str, str] = field(default_factory=dict)
    """The parts of the path that vary."""
    body: bytes = b""

    def read(self, kind: type[BodyT]) -> BodyT:
        """Raises Refused, which names the members that are wrong."""
        try:
            return kind.model_validate_json(self.body or b"{}")
        except ValidationError as error:
            wrong = "; ".join(
                f"{'.'.join(map(str, problem['loc'])) or 'the body'}: {problem['msg']}" for problem in error.errors()
            )
            raise Refused(400, "INVALID_REQUEST", f"The request cannot be used: {wrong}.") from error


Handler = Callable[[Call], object]


def json_route(handler: Handler, *, policy: str | None) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint that calls `handler` in a thread and answers what it returns: a Record, several, or plain JSON.

    `policy` is the output with the managed policy that allows what the handler does, named where AWS refuses it; None
    if no policy of a flywheel does.
    """

    async def endpoint(request: Request) -> Response:
        call = Call(path=request.path_params, body=await request.body())
        return await run_in_threadpool(_answer, handler, call, policy)

    return endpoint


def answer(value: object, *, status: int = 200) -> Response:
    """What is not ASCII is escaped: a lone surrogate cannot be said otherwise."""
    return Response(json.dumps(as_json(value)), status, media_type="application/json")


def refusal(status: int, code: str, message: str) -> Response:
    return answer({"code": code, "message": message}, status=status)


def as_json(value: object) -> Any:
    """Records, also those within lists and objects, as plain JSON."""
    if isinstance(value, Record):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return {key: as_json(member) for key, member in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [as_json(member) for member in value]
    return value


def _answer(handler: Handler, call: Call, policy: str | None) -> Response:
    try:
        return answer(handler(call))
    except Refused as refused:
        return refusal(refused.status, refused.code, str(refused))
    except ANY_FAILURE as error:
        return refusal(*_told(error, policy))


def _told(error: Exception, policy: str | None) -> tuple[int, str, str]:
    sentence, _ = failure(error)
    client_error = error.__cause__ if isinstance(error, Boto3Error) else error
    if isinstance(client_error, ClientError) and is_access_denied(client_error):
        return 403, "NOT_ALLOWED", f"{sentence.rstrip()} {_allowed_by(policy)}"
    if passes(error) or isinstance(error, ServiceBusy | ServiceFault):
        return 503, "UNAVAILABLE", f"{sentence} Try again in a moment."
    if isinstance(error, OperatorError):
        return 409, "REFUSED", sentence
    return 502, "FAILED", sentence


def _allowed_by(policy: str | None) -> str:
    if policy is None:
        return "No managed policy of a flywheel allows it: docs/reference.md lists the permissions that it takes."
    return f"The managed policy {policy}, an output of the flywheel's stack, allows it: have it attached."
