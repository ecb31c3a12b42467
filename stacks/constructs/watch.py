"""What a metric has to do to call a person, and the alarms that do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from flywheel.measurement import NAMESPACE
from stacks.constructs.function import FlywheelFunction


@dataclass(frozen=True, kw_only=True)
class Watch:
    """A metric, and when it calls a person: as a rule at the first number above zero within five minutes."""

    description: str
    namespace: str
    metric: str
    dimension: tuple[str, str]
    statistic: Literal["Maximum", "Minimum", "Sum"] = "Maximum"
    comparison: str = "GreaterThanThreshold"
    threshold: float = 0
    period: int = 300
    evaluation_periods: float = 1
    missing: Literal["breaching", "ignore", "notBreaching"] = "notBreaching"
    """`ignore` keeps the state until the next number: turns may be days apart."""
    condition: cdk.CfnCondition | None = None
    """Leaves the alarm out where it is false."""


def alarms(scope: Construct, *, topic: sns.ITopic, watches: Mapping[str, Watch]) -> None:
    """One for each watch, by its construct's id."""
    for construct_id, watch in watches.items():
        alarm = cloudwatch.CfnAlarm(
            scope,
            construct_id,
            alarm_description=watch.description,
            namespace=watch.namespace,
            metric_name=watch.metric,
            dimensions=[cloudwatch.CfnAlarm.DimensionProperty(name=watch.dimension[0], value=watch.dimension[1])],
            statistic=watch.statistic,
            period=watch.period,
            evaluation_periods=watch.evaluation_periods,
            threshold=watch.threshold,
            comparison_operator=watch.comparison,
            treat_missing_data=watch.missing,
            alarm_actions=[topic.topic_arn],
        )
        if watch.condition is not None:
            alarm.cfn_options.condition = watch.condition


def own(metric: str, flywheel_name: str, description: str) -> Watch:
    """Of a metric that the functions write."""
    return Watch(
        description=description,
        namespace=NAMESPACE,
        metric=metric,
        dimension=("Flywheel", flywheel_name),
        missing="ignore",
    )


def dead_letters(queue: sqs.IQueue, description: str) -> Watch:
    return Watch(
        description=description,
        namespace="AWS/SQS",
        metric="ApproximateNumberOfMessagesVisible",
        dimension=("QueueName", queue.queue_name),
    )


def errors(function: FlywheelFunction, description: str) -> Watch:
    return Watch(
        description=description,
        namespace="AWS/Lambda",
        metric="Errors",
        dimension=("FunctionName", function.resource.ref),
        statistic="Sum",
    )


def executions(outcome: str, machine_arn: str, description: str) -> Watch:
    return Watch(
        description=description,
        namespace="AWS/States",
        metric=f"Executions{outcome}",
        dimension=("StateMachineArn", machine_arn),
        statistic="Sum",
    )
