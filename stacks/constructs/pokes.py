"""What pokes a starter function: a queue that it reads, and the rules of EventBridge that send to it."""

from __future__ import annotations

from aws_cdk import aws_events as events
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.constructs.function import FlywheelFunction
from stacks.constructs.role import Permission

ENDED = ["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"]
NOT_REPORTED_BY_ITSELF = ["FAILED", "TIMED_OUT", "ABORTED"]
"""An execution that fails reports itself; this repeats it in case that report failed too. Reports are idempotent."""


def rule(
    scope: Construct,
    construct_id: str,
    *,
    description: str,
    target_arn: str,
    undelivered: sqs.IQueue,
    event_pattern: object | None = None,
    schedule_expression: str | None = None,
    message: str | None = None,
    state: str = "ENABLED",
    role_arn: str | None = None,
) -> events.CfnRule:
    """Events that the target does not take within an hour end in `undelivered`. `role_arn` is for a state machine,
    which has no policy of its own."""
    return events.CfnRule(
        scope,
        construct_id,
        description=description,
        state=state,
        event_pattern=event_pattern,
        schedule_expression=schedule_expression,
        targets=[
            events.CfnRule.TargetProperty(
                id="Target",
                arn=target_arn,
                input=message,
                role_arn=role_arn,
                dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=undelivered.queue_arn),
                retry_policy=events.CfnRule.RetryPolicyProperty(
                    maximum_event_age_in_seconds=3600, maximum_retry_attempts=20
                ),
            )
        ],
    )


def rule_for_function(
    scope: Construct,
    construct_id: str,
    *,
    permission_id: str,
    description: str,
    function: FlywheelFunction,
    undelivered: sqs.IQueue,
    event_pattern: object | None = None,
    schedule_expression: str | None = None,
    message: str | None = None,
) -> events.CfnRule:
    """A rule that invokes a function, and the permission that it may."""
    made = rule(
        scope,
        construct_id,
        description=description,
        target_arn=function.arn,
        undelivered=undelivered,
        event_pattern=event_pattern,
        schedule_expression=schedule_expression,
        message=message,
    )
    lambda_.CfnPermission(
        scope,
        permission_id,
        action="lambda:InvokeFunction",
        function_name=function.arn,
        principal="events.amazonaws.com",
        source_arn=made.attr_arn,
    )
    return made


def objects_created(bucket: s3.IBucket, *prefixes: str) -> dict[str, object]:
    """The pattern of EventBridge for objects that come below these prefixes."""
    return {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {
            "bucket": {"name": [bucket.bucket_name]},
            "object": {"key": [{"prefix": prefix} for prefix in prefixes]},
        },
    }


def parameter_edited(name: str) -> dict[str, object]:
    """The pattern for a parameter of Parameter Store that gets another value."""
    return {
        "source": ["aws.ssm"],
        "detail-type": ["Parameter Store Change"],
        "detail": {"name": [name], "operation": ["Create", "Update"]},
    }


def _status_change(*, machine_arn: str, statuses: list[str]) -> dict[str, object]:
    return {
        "source": ["aws.states"],
        "detail-type": ["Step Functions Execution Status Change"],
        "detail": {"stateMachineArn": [machine_arn], "status": statuses},
    }


def rules_on_ends(
    scope: Construct,
    *,
    word: str,
    machine_arn: str,
    pokes: sqs.IQueue,
    report: FlywheelFunction,
    undelivered: sqs.IQueue,
) -> tuple[events.CfnRule, events.CfnRule]:
    """The end of an execution pokes for the next one, and is reported if it could not do so itself.

    `word` begins the rules' names. The first rule sends to `pokes`, the second invokes `report`.
    """
    ended = rule(
        scope,
        f"{word}Ended",
        description=f"A {word.lower()} ended: there may be work for the next one.",
        target_arn=pokes.queue_arn,
        undelivered=undelivered,
        event_pattern=_status_change(machine_arn=machine_arn, statuses=ENDED),
    )
    return ended, rule_on_stops(scope, word=word, machine_arn=machine_arn, report=report, undelivered=undelivered)


def rule_on_stops(
    scope: Construct, *, word: str, machine_arn: str, report: FlywheelFunction, undelivered: sqs.IQueue
) -> events.CfnRule:
    """Invokes `report` for an execution that may not have reported its own end."""
    return rule_for_function(
        scope,
        f"{word}Stopped",
        permission_id="StoppedMayReport",
        description=f"A {word.lower()} ended without success: it must be reported even if it could not do so itself.",
        function=report,
        undelivered=undelivered,
        event_pattern=_status_change(machine_arn=machine_arn, statuses=NOT_REPORTED_BY_ITSELF),
    )


def read_queue(scope: Construct, construct_id: str, *, function: FlywheelFunction, queue: sqs.IQueue) -> None:
    """Two thousand pokes at once are one question: should something start?"""
    lambda_.CfnEventSourceMapping(
        scope,
        construct_id,
        event_source_arn=queue.queue_arn,
        function_name=function.resource.ref,
        batch_size=1000,
        maximum_batching_window_in_seconds=5,
        function_response_types=["ReportBatchItemFailures"],
        scaling_config=lambda_.CfnEventSourceMapping.ScalingConfigProperty(maximum_concurrency=2),
    )


def permission_to_read_queue(queue: sqs.IQueue, *more: str) -> Permission:
    """What Lambda does in the function's name; `more` actions are the function's own."""
    actions = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage", *more]
    return Permission(actions=actions, resources=[queue.queue_arn])
