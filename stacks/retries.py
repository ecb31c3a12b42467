"""Which errors of a state are worth another try, and how often."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_stepfunctions as sfn

BUSY_ATTEMPTS = 12


def retry_function_faults(state: sfn.TaskStateBase, *, busy_attempts: int = BUSY_ATTEMPTS) -> None:
    """Lambda's own faults, a killed function, Comprehend's faults that outlasted the SDK's retries; and ServiceBusy, a
    step's own error for a quota of things in progress, for about two hours unless told otherwise, until somebody else's
    training has ended."""
    state.add_retry(
        errors=[
            "Lambda.ServiceException",
            "Lambda.AWSLambdaException",
            "Lambda.SdkClientException",
            "Lambda.TooManyRequestsException",
            "Lambda.Unknown",
            "Runtime.ExitError",
            "Sandbox.Timedout",
            "ThrottlingException",
            "TooManyRequestsException",
            "InternalServerException",
        ],
        interval=cdk.Duration.seconds(2),
        backoff_rate=2,
        max_attempts=6,
        max_delay=cdk.Duration.minutes(1),
        jitter_strategy=sfn.JitterType.FULL,
    )
    state.add_retry(
        errors=["ServiceBusy"],
        interval=cdk.Duration.seconds(60),
        backoff_rate=1.5,
        max_attempts=busy_attempts,
        max_delay=cdk.Duration.minutes(15),
    )


def retry_comprehend_faults(state: sfn.TaskStateBase) -> None:
    """Throttling and faults of a direct call. A throttle that Comprehend's API model does not name arrives under the
    service's general exception."""
    state.add_retry(
        errors=[
            "Comprehend.TooManyRequestsException",
            "Comprehend.ThrottlingException",
            "Comprehend.ComprehendException",
            "Comprehend.InternalServerException",
            "Comprehend.SdkClientException",
        ],
        interval=cdk.Duration.seconds(5),
        backoff_rate=2,
        max_attempts=10,
        max_delay=cdk.Duration.minutes(5),
        jitter_strategy=sfn.JitterType.FULL,
    )


def retry_unreadable_items(state: sfn.DistributedMap) -> None:
    """The list of a distributed map's items could not be read from S3."""
    state.add_retry(
        errors=["States.ItemReaderFailed"], interval=cdk.Duration.seconds(10), backoff_rate=2, max_attempts=3
    )


def retry_parameter_faults(state: sfn.TaskStateBase) -> None:
    """Parameter Store's own faults and throttling."""
    state.add_retry(
        errors=["Ssm.InternalServerErrorException", "Ssm.ThrottlingException", "Ssm.SdkClientException"],
        interval=cdk.Duration.seconds(2),
        backoff_rate=2,
        max_attempts=6,
        jitter_strategy=sfn.JitterType.FULL,
    )


def retry_event_faults(state: sfn.TaskStateBase) -> None:
    """EventBridge's own faults, and an entry that it did not take."""
    state.add_retry(
        errors=["EventBridge.FailedEntry", "Events.InternalException", "Events.SdkClientException"],
        interval=cdk.Duration.seconds(2),
        backoff_rate=2,
        max_attempts=6,
        jitter_strategy=sfn.JitterType.FULL,
    )
