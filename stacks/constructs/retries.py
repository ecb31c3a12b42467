"""Which errors of a state are worth another try, and how often."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_stepfunctions as sfn

from flywheel.fault_names import LAMBDA_FAULTS, of_sdk_integration

BUSY_ATTEMPTS = 12


def retry_function_faults(state: sfn.TaskStateBase, *, busy_attempts: int = BUSY_ATTEMPTS) -> None:
    """Lambda's own faults, a killed function, and a service's fault that outlasted the SDK's retries; for about an hour
    that Lambda has no room; and ServiceBusy, a step's own error for a quota of things in progress, for about two
    hours unless told otherwise, until somebody else's training has ended."""
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


def retry_parameter_faults(state: sfn.TaskStateBase) -> None:
    """Parameter Store's own faults and throttling."""
    state.add_retry(
        errors=of_sdk_integration("Ssm"),
        interval=cdk.Duration.seconds(2),
        backoff_rate=2,
        max_attempts=6,
        jitter_strategy=sfn.JitterType.FULL,
    )


def retry_event_faults(state: sfn.TaskStateBase) -> None:
    """EventBridge's own faults, and an entry that it did not take."""
    state.add_retry(
        errors=["EventBridge.FailedEntry", *of_sdk_integration("EventBridge"), *of_sdk_integration("Events")],
        interval=cdk.Duration.seconds(2),
        backoff_rate=2,
        max_attempts=6,
        jitter_strategy=sfn.JitterType.FULL,
    )


def retry_execution_faults(state: sfn.TaskStateBase) -> None:
    """Step Functions' own faults and throttling at the start of another machine."""
    state.add_retry(
        errors=of_sdk_integration("StepFunctions"),
        interval=cdk.Duration.seconds(2),
        backoff_rate=2,
        max_attempts=6,
        jitter_strategy=sfn.JitterType.FULL,
    )
