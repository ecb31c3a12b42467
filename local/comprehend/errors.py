"""The errors of the Comprehend API, as the caller sees them."""

from __future__ import annotations

# botocore's model of this service names the errors but not their statuses. These are the documented ones that are not
# 400, as far as the error's name does not say it.
_HTTP_STATUS = {
    "ResourceNotFoundException": 404,
    "ResourceUnavailableException": 404,
    "JobNotFoundException": 404,
    "TooManyRequestsException": 429,
}
# What any AWS service answers before its own code is reached; no operation models these.
UNMODELLED_ERRORS = frozenset(
    "ThrottlingException AccessDeniedException SerializationException UnknownOperationException "
    "ServiceUnavailableException ValidationException UnrecognizedClientException".split()
)


class ComprehendError(Exception):
    """An error answer of the API: ``code`` as in ``err.response["Error"]["Code"]``, ``status`` the HTTP status."""

    def __init__(self, code: str, message: str, status: int) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


class UnmodelledError(RuntimeError):
    """A defect of this service: an operation answered an error that the API's model does not list for it."""

    def __init__(self, *, operation: str, code: str) -> None:
        super().__init__(f"{operation} raised {code}, which its model does not list; correct the operation.")


def service_error(code: str, message: str, *, status: int | None = None) -> ComprehendError:
    """The error with this code and the HTTP status that the API gives it, unless said.

    A code outside the list is the caller's mistake, unless its name says otherwise: an SDK repeats what is above 499.
    """
    usual = 500 if code.startswith("Internal") else 503 if code.startswith("ServiceUnavailable") else 400
    return ComprehendError(code, message, status or _HTTP_STATUS.get(code, usual))


def invalid_request(message: str) -> ComprehendError:
    return service_error("InvalidRequestException", message)


def not_found(message: str) -> ComprehendError:
    return service_error("ResourceNotFoundException", f"RESOURCE_NOT_FOUND: {message}")


def in_use(message: str) -> ComprehendError:
    return service_error("ResourceInUseException", message)


def unavailable(message: str) -> ComprehendError:
    return service_error("ResourceUnavailableException", message)


def limit_exceeded(message: str) -> ComprehendError:
    return service_error("ResourceLimitExceededException", message)
