"""What AWS's services call "not now": throttling, and faults on their own side.

One list for functions, state machines and tests; it holds names only, as the stacks read it too. Sources: what the SDK
itself repeats (`botocore.retries.standard`), the pages "Common errors" and "Error responses" of the services in use,
and their API models.
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
"""The service takes no more for the moment."""
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
        "OperationAborted",
        "TooManyUpdates",
    }
)
"""Somebody else was changing the same thing at the same moment: the answer is to ask again."""
PASSING = THROTTLES | FAULTS | CONFLICTS
"""Worth another try after a while."""

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
"""Of Invoke: faults of Lambda itself, a function that is being made or changed, a network that has no room.
TooManyRequestsException, which lasts as long as other executions do, is apart."""

INVALID = frozenset({"InvalidRequestException", "ValidationException"})
"""The request has a bad value. The reference names the first; the second is what AWS's services answer before their own
code is reached, and what others have recorded of Comprehend."""


def of_sdk_integration(prefix: str) -> list[str]:
    """The names of PASSING as a state machine sees them when it calls a service itself, such as `Comprehend`.

    Step Functions calls with the SDK for Java: it adds "Exception" to names that lack it, and gives an error that the
    service's model does not name the service's general one.
    """
    spellings = {spelling for name in PASSING for spelling in (name, f"{name.removesuffix('Exception')}Exception")}
    plain = sorted(spelling for spelling in spellings if spelling.isalnum())
    return [f"{prefix}.{name}" for name in (f"{prefix}Exception", "SdkClientException", *plain)]
