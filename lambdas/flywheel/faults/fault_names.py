"""The names of AWS errors that are worth a retry: throttling, and faults of the service.

Functions, state machines and tests share these lists. Sources: the errors that the SDK itself retries
(`botocore.retries.standard`), the pages "Common errors" and "Error responses" of the services in use, and their API
models.
"""

from __future__ import annotations

THROTTLES = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "ExecutionLimitExceeded",
        "KMS.ThrottlingException",
        "KMSThrottling",
        "KMSThrottlingException",
        "KmsThrottled",
        "KmsThrottlingException",
        "LimitExceededException",
        "OverLimit",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "Throttled",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
"""The service takes no more requests at the moment."""
FAULTS = frozenset(
    {
        "InternalError",
        "InternalException",
        "InternalFailure",
        "InternalServerError",
        "InternalServerException",
        "InternalServiceError",
        "InternalServiceException",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceException",
        "ServiceFailure",
        "ServiceUnavailable",
        "ServiceUnavailableException",
    }
)
"""Something went wrong on the service's side."""
CONFLICTS = frozenset(
    {
        "ConcurrentAccess",
        "ConcurrentModificationException",
        "ConcurrentUpdateException",
        "ConditionalRequestConflict",
        "OperationAborted",
        "TooManyUpdates",
    }
)
"""Another request changed the same resource at the same time."""
PASSING = THROTTLES | FAULTS | CONFLICTS
"""Errors that are worth a retry after a while."""

LAMBDA_FAULTS = (
    "AWSLambdaException",
    "ClientExecutionTimeoutException",
    "EC2ThrottledException",
    "EC2UnexpectedException",
    "ENILimitReachedException",
    "ENINotReadyException",
    "LambdaException",
    "ResourceConflictException",
    "ResourceNotReadyException",
    "SdkClientException",
    "ServiceException",
    "SubnetIPAddressLimitReachedException",
)
"""Errors of Invoke: faults of Lambda itself, a function that is being created or changed, a subnet without free
addresses. TooManyRequestsException is not among them, because it lasts as long as other invocations run."""

INVALID = frozenset({"InvalidRequestException", "ValidationException"})
"""The request has an invalid value. Comprehend's API reference names the first. AWS's services return the second before
their own code is reached, and it has been seen from Comprehend."""


def of_sdk_integration(prefix: str) -> list[str]:
    """The names of PASSING as an SDK integration of Step Functions reports them. `prefix` is such as `Comprehend`.

    Step Functions uses the SDK for Java. That adds "Exception" to names without it, and reports errors that are not in
    the service's model under the service's general exception.
    """
    spellings = {spelling for name in PASSING for spelling in (name, f"{name.removesuffix('Exception')}Exception")}
    plain = sorted(spelling for spelling in spellings if spelling.isalnum())
    return [f"{prefix}.{name}" for name in (f"{prefix}Exception", "SdkClientException", *plain)]
