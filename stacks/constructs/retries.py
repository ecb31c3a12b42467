"""Which errors of a state are worth another try, how often, and what is left of those that are not."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_stepfunctions as sfn

from flywheel.faults.fault_names import LAMBDA_FAULTS, of_sdk_integration

BUSY_ATTEMPTS = 12
"""Of about two hours, until somebody else's training has ended."""
FAILURE = {
    "Error": "{% $states.errorOutput.Error %}",
    "Cause": "{% $exists($states.errorOutput.Cause) ? $states.errorOutput.Cause : '' %}",
}
"""What a caught error hands to the state that deals with failures."""


def retry_function_faults(state: sfn.TaskStateBase, *, busy_attempts: int) -> None:
    """Lambda's own faults, a killed function, and a service's fault that outlasted the SDK's retries; for about an hour
    that Lambda has no room; and ServiceBusy, a step's own error for what others are at, `busy_attempts` times."""
    state.add_retry(
        errors=[
            *(f"Lambda.{name}" for name in LAMBDA_FAULTS),
            "Lambda.Unknown",
            "Runtime.ExitError",
            "Sandbox.Timedout",
            "ServiceFault",
        ],
        interval=cdk.Duration.seconds(2),
        backoff_rate=2,
        max_attempts=6,
        max_delay=cdk.Duration.minutes(1),
        jitter_strategy=sfn.JitterType.FULL,
    )
    state.add_retry(
        # A new account has a concurrency of 10, and each of the others may take up to 15 minutes.
        errors=["Lambda.TooManyRequestsException"],
        interval=cdk.Duration.seconds(10),
        backoff_rate=2,
        max_attempts=12,
        max_delay=cdk.Duration.minutes(10),
        jitter_strategy=sfn.JitterType.FULL,
    )
    if busy_attempts:
        state.add_retry(
            errors=["ServiceBusy"],
            interval=cdk.Duration.seconds(60),
            backoff_rate=1.5,
            max_attempts=busy_attempts,
            max_delay=cdk.Duration.minutes(15),
        )


def retry_comprehend_faults(state: sfn.TaskStateBase) -> None:
    """Throttling and faults of a direct call."""
    state.add_retry(
        errors=of_sdk_integration("Comprehend"),
        interval=cdk.Duration.seconds(5),
        backoff_rate=2,
        max_attempts=10,
        max_delay=cdk.Duration.minutes(5),
        jitter_strategy=sfn.JitterType.FULL,
    )


def retry_until_found(state: sfn.TaskStateBase) -> None:
    """What was created a moment ago is not found yet. After some five minutes it is an error: it is not there."""
    state.add_retry(
        errors=["Comprehend.ResourceNotFoundException", "Comprehend.JobNotFoundException"],
        interval=cdk.Duration.seconds(5),
        backoff_rate=1.5,
        max_attempts=12,
        max_delay=cdk.Duration.seconds(40),
    )


def retry_unreadable_items(state: sfn.DistributedMap) -> None:
    """The list of a distributed map's items could not be read from S3."""
    state.add_retry(
        errors=["States.ItemReaderFailed"], interval=cdk.Duration.seconds(10), backoff_rate=2, max_attempts=3
    )


def retry_service_faults(state: sfn.TaskStateBase, *services: str, also: Sequence[str] = ()) -> None:
    """Faults and throttling of a service that answers at once, by the names that Step Functions gives it."""
    state.add_retry(
        errors=[*also, *(error for service in services for error in of_sdk_integration(service))],
        interval=cdk.Duration.seconds(2),
        backoff_rate=2,
        max_attempts=6,
        jitter_strategy=sfn.JitterType.FULL,
    )
