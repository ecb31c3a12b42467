"""The errors of the Comprehend API, as the caller sees them."""

from __future__ import annotations

# botocore's model of this service names the errors but not their statuses; these are the documented ones.
HTTP_STATUS: dict[str, int] = {
    "InvalidRequestException": 400,
    "ResourceNotFoundException": 404,
    "ResourceUnavailableException": 404,
    "JobNotFoundException": 404,
    "TooManyRequestsException": 429,
    "InternalServerException": 500,
    "ResourceInUseException": 400,
    "ResourceLimitExceededException": 400,
    "KmsKeyValidationException": 400,
    "TooManyTagsException": 400,
    "TooManyTagKeysException": 400,
    "ConcurrentModificationException": 400,
    "InvalidFilterException": 400,
    "UnsupportedLanguageException": 400,
    "TextSizeLimitExceededException": 400,
    "BatchSizeLimitExceededException": 400,
    # What any AWS service answers before its own code is reached; no operation models these.
    "ThrottlingException": 400,
    "AccessDeniedException": 400,
    "SerializationException": 400,
    "UnknownOperationException": 404,
    "ServiceUnavailableException": 503,
}

UNMODELLED_ERRORS = frozenset(
    {
        "ThrottlingException",
        "AccessDeniedException",
        "SerializationException",
        "UnknownOperationException",
        "ServiceUnavailableException",
    }
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


def service_error(code: str, message: str) -> ComprehendError:
    """The error with this code, with the HTTP status the API gives it (500 for a code it does not know)."""
    return ComprehendError(code, message, HTTP_STATUS.get(code, 500))


def invalid_request(message: str) -> ComprehendError:
    return service_error("InvalidRequestException", message)


def not_found(message: str) -> ComprehendError:
    return service_error("ResourceNotFoundException", message)


def in_use(message: str) -> ComprehendError:
    return service_error("ResourceInUseException", message)


def unavailable(message: str) -> ComprehendError:
    return service_error("ResourceUnavailableException", message)


def limit_exceeded(message: str) -> ComprehendError:
    return service_error("ResourceLimitExceededException", message)
