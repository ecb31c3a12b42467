"""Tells temporary errors of AWS's services from lasting ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import ClientError, HTTPClientError, IncompleteReadError
from botocore.exceptions import ConnectionError as SdkConnectionError

from flywheel.faults.errors import ServiceFault
from flywheel.faults.fault_names import FAULTS, PASSING, THROTTLES

_NO_ANSWER = (SdkConnectionError, HTTPClientError, IncompleteReadError)
"""The request or its answer got lost."""


def error_code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def error_message(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Message", ""))


def is_throttle(error: ClientError) -> bool:
    return error_code(error) in THROTTLES or _status(error) == 429


def is_fault(error: ClientError) -> bool:
    """Whether the service had a fault of its own, which may be over in a moment."""
    return not is_throttle(error) and (error_code(error) in FAULTS or _status(error) >= 500)


def passes(error: BaseException) -> bool:
    """Whether the error is temporary, and so worth a retry."""
    # Imported only after an error, because most functions do not need it.
    from boto3.exceptions import Boto3Error

    if isinstance(error, Boto3Error):
        # boto3's transfers make several requests, and wrap the error of the one that failed.
        behind = getattr(error, "last_exception", None) or error.__cause__ or error.__context__
        return behind is not None and passes(behind)
    if isinstance(error, ClientError):
        return error_code(error) in PASSING or is_throttle(error) or is_fault(error)
    return isinstance(error, _NO_ANSWER)


@contextmanager
def faults_named() -> Iterator[None]:
    """Raise temporary errors as ServiceFault.

    Step Functions sees a function's error under the name of its class. boto3 has classes only for errors in a service's
    model: other throttles and faults are ClientError, from which a Retry cannot tell whether they are temporary.
    """
    try:
        yield
    except Exception as error:
        if not passes(error):
            raise
        raise ServiceFault(str(error)) from error


def _status(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
