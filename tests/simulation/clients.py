"""boto3 clients whose requests the world answers: everything of botocore but the way over HTTP.

Parameters are validated as botocore does, errors are the client's own exceptions, paginators and transfers are real.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import EndpointConnectionError, ParamValidationError, ReadTimeoutError
from botocore.handlers import handle_copy_source_param
from botocore.validate import ParamValidator

from tests.simulation.acting import Acting, acting
from tests.simulation.api import REGION, ApiError

if TYPE_CHECKING:
    from collections.abc import Callable

_SESSION = boto3.Session(aws_access_key_id="simulation", aws_secret_access_key="none", region_name=REGION)
_TRANSFERS = TransferConfig(use_threads=False)
_VALIDATOR = ParamValidator()


class Unanswered(Exception):
    """No answer came back; whether the request took effect is not known. `sent` tells a lost request from a lost
    answer, which the caller cannot."""

    def __init__(self, *, sent: bool) -> None:
        super().__init__("lost answer" if sent else "lost request")
        self.sent = sent


def client(service: str, *, as_: Acting | None = None, config: Any = None, **_: Any) -> Any:
    """A client in the name of who acts when it is used, or always of `as_`."""
    attempts = _attempts(config)
    return _current(service, attempts) if as_ is None else _bound(service, lambda: as_, attempts)


@cache
def _current(service: str, attempts: int) -> Any:
    return _bound(service, acting.get, attempts)


def _attempts(config: Any) -> int:
    """Of the SDK, the first included."""
    retries = getattr(config, "retries", None) or {}
    if "total_max_attempts" in retries:
        return int(retries["total_max_attempts"])
    return int(retries.get("max_attempts", 4)) + 1


@cache
def _real(service: str) -> Any:
    made: Any = _SESSION.client(service)  # type: ignore[call-overload]  # one overload for each service
    return made


def model_of(service: str) -> Any:
    """botocore's model of a service."""
    return _real(service).meta.service_model


def _bound(service: str, who: Callable[[], Acting], attempts: int) -> Any:
    real = _real(service)
    # copy.copy asks the new one for attributes before it has any, which botocore's clients do not stand.
    found = object.__new__(type(real))
    found.__dict__.update(real.__dict__)

    def make_api_call(operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        source = parameters.get("CopySource")
        if source is not None:
            # Validated as it is sent; the service takes it as it was given.
            handle_copy_source_param(parameters)
        _validate(service, operation, parameters)
        if source is not None:
            parameters["CopySource"] = source
        if hasattr(parameters.get("Body"), "read"):
            # botocore begins at the start of a file again when it repeats a request.
            parameters = {**parameters, "Body": parameters["Body"].read()}
        now = who()
        try:
            answer = now.world.ask(service, operation, parameters, now, attempts=attempts)
        except ApiError as error:
            metadata = {"HTTPStatusCode": error.status, "RequestId": "simulation"}
            response = {"Error": {"Code": error.code, "Message": error.message}, "ResponseMetadata": metadata}
            raise real.exceptions.from_code(error.code)(response | error.members, operation) from None
        except Unanswered as error:
            url = f"https://{service}.{REGION}.amazonaws.com"
            raise (ReadTimeoutError if error.sent else EndpointConnectionError)(endpoint_url=url) from None
        # What is answered may be kept by the service; whoever asked may change it.
        return {**answer, "ResponseMetadata": {"HTTPStatusCode": 200, "RequestId": "simulation"}}

    found._make_api_call = make_api_call
    # Making one takes longer than many a request.
    found.get_paginator = cache(found.get_paginator)
    if service == "s3":
        _without_threads(found)
    return found


_valid: set[tuple[Any, ...]] = set()
"""Forms of requests that are valid, whatever their texts and numbers are."""


def _validate(service: str, operation: str, parameters: dict[str, Any]) -> None:
    """As botocore does. Raises ParamValidationError."""
    form = (service, operation, *((name, _form(value)) for name, value in parameters.items()))
    if form in _valid:
        return
    problems = _VALIDATOR.validate(parameters, model_of(service).operation_model(operation).input_shape)
    if problems.has_errors():
        raise ParamValidationError(report=problems.generate_report())
    _valid.add(form)


def _form(value: Any) -> Any:
    """What botocore looks at: types, and whether a text is empty."""
    if isinstance(value, dict):
        return tuple((name, _form(member)) for name, member in value.items())
    if isinstance(value, list):
        return tuple(dict.fromkeys(_form(item) for item in value))
    return (type(value), bool(value))


def _without_threads(s3: Any) -> None:
    for name in ("upload_file", "download_fileobj", "copy", "upload_fileobj", "download_file"):
        transfer = getattr(s3, name)

        def with_config(*args: Any, _transfer: Any = transfer, **kwargs: Any) -> Any:
            kwargs.setdefault("Config", _TRANSFERS)
            return _transfer(*args, **kwargs)

        setattr(s3, name, with_config)
