"""What starts a turn: uploads, the schedule and the end of the turn before, all through one queue."""

from __future__ import annotations

import json

import aws_cdk as cdk
from aws_cdk import aws_comprehend as comprehend
from aws_cdk import aws_events as events
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from constructs import Construct

from .flywheel_access import FlywheelAccess
from .function import FlywheelFunction, Functions
from .queues import START_TURN_TIMEOUT, Queues
from .role import Permission
from .turn_parameters import TurnParameters

ENDED = ["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"]
NOT_REPORTED_BY_ITSELF = ["FAILED", "TIMED_OUT", "ABORTED"]
"""A turn that fails reports itself; this repeats it in case that report failed too. report_turn is idempotent."""


class Triggers(Construct):
    """start_turn with its queue, and the rules of EventBridge."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        queues: Queues,
        functions: Functions,
        access: FlywheelAccess,
        flywheel: comprehend.CfnFlywheel,
        intake: s3.IBucket,
        machine_arn: str,
        report_turn: FlywheelFunction,
        parameters: TurnParameters,
    ) -> None:
        super().__init__(scope, construct_id)
        self._queues = queues
        self.start_turn = self._start_turn(functions=functions, access=access, machine_arn=machine_arn)
        self.start_turn.wait_for(flywheel)
        on_upload = cdk.CfnCondition(
            self,
            "OnUpload",
            expression=cdk.Fn.condition_equals(parameters.trigger_on_upload.value_as_string, "true"),
        )
        uploads = self._rule(
            "Uploads",
            description="An upload arrived in the intake bucket.",
            target_arn=queues.turns.queue_arn,
            state=cdk.Fn.condition_if(on_upload.logical_id, "ENABLED", "DISABLED").to_string(),
            event_pattern={
                "source": ["aws.s3"],
                "detail-type": ["Object Created"],
                "detail": {
                    "bucket": {"name": [intake.bucket_name]},
                    "object": {"key": [{"prefix": "train/"}, {"prefix": "test/"}]},
                },
            },
        )
        schedule = self._rule(
            "Schedule",
            description="It is time to look for work.",
            target_arn=queues.turns.queue_arn,
            schedule_expression=parameters.turn_schedule.value_as_string,
            message=json.dumps({"poke": "schedule"}),
        )
        ended = self._rule(
            "TurnEnded",
            description="A turn ended: there may be work for the next one.",
            target_arn=queues.turns.queue_arn,
            event_pattern=_status_change(machine_arn=machine_arn, statuses=ENDED),
        )
        stopped = self._rule(
            "TurnStopped",
            description="A turn ended without success: it must be reported even if it could not do so itself.",
            target_arn=report_turn.arn,
            event_pattern=_status_change(machine_arn=machine_arn, statuses=NOT_REPORTED_BY_ITSELF),
        )
        lambda_.CfnPermission(
            self,
            "StoppedMayReport",
            action="lambda:InvokeFunction",
            function_name=report_turn.arn,
            principal="events.amazonaws.com",
            source_arn=stopped.attr_arn,
        )
        to_turns = [uploads, schedule, ended]
        queues.let_rules_send(
            rules={
                queues.turns: [rule.attr_arn for rule in to_turns],
                queues.undelivered: [rule.attr_arn for rule in [*to_turns, stopped]],
                queues.turn_dead_letters: [],
            }
        )

    def _start_turn(self, *, functions: Functions, access: FlywheelAccess, machine_arn: str) -> FlywheelFunction:
        queue_arn = self._queues.turns.queue_arn
        function = FlywheelFunction(
            self,
            "StartTurn",
            name="start_turn",
            functions=functions,
            description="Starts a turn if it would do something, one at a time.",
            timeout=START_TURN_TIMEOUT,
            encrypted=["s3", "sqs"],
            environment=[
                "FLYWHEEL_NAME",
                "FLYWHEEL_ARN",
                "INTAKE_BUCKET",
                "TURN_MACHINE_ARN",
                "TURN_QUEUE_URL",
                "QUIET_PERIOD_MINUTES",
                "MINIMUM_HOURS_BETWEEN_ITERATIONS",
            ],
            permissions=[
                Permission(actions=["states:StartExecution"], resources=[machine_arn]),
                access.objects("turns/*", "decisions/*", "promotions/*", actions=("GetObject",)),
                access.objects("turns/current", actions=("PutObject",)),
                access.list_intake(),
                access.flywheel("DescribeFlywheel", "ListFlywheelIterationHistory"),
                Permission(
                    actions=[
                        "sqs:ChangeMessageVisibility",
                        "sqs:DeleteMessage",
                        "sqs:GetQueueAttributes",
                        "sqs:ReceiveMessage",
                        "sqs:SendMessage",
                    ],
                    resources=[queue_arn],
                ),
            ],
        )
        lambda_.CfnEventSourceMapping(
            self,
            "Pokes",
            event_source_arn=queue_arn,
            function_name=function.resource.ref,
            # Two thousand uploads at once are one question: should a turn start?
            batch_size=1000,
            maximum_batching_window_in_seconds=5,
            function_response_types=["ReportBatchItemFailures"],
            scaling_config=lambda_.CfnEventSourceMapping.ScalingConfigProperty(maximum_concurrency=2),
        )
        return function

    def _rule(
        self,
        construct_id: str,
        *,
        description: str,
        target_arn: str,
        event_pattern: object | None = None,
        schedule_expression: str | None = None,
        message: str | None = None,
        state: str = "ENABLED",
    ) -> events.CfnRule:
        return events.CfnRule(
            self,
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
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=self._queues.undelivered.queue_arn),
                    retry_policy=events.CfnRule.RetryPolicyProperty(
                        maximum_event_age_in_seconds=3600, maximum_retry_attempts=20
                    ),
                )
            ],
        )


def _status_change(*, machine_arn: str, statuses: list[str]) -> dict[str, object]:
    return {
        "source": ["aws.states"],
        "detail-type": ["Step Functions Execution Status Change"],
        "detail": {"stateMachineArn": [machine_arn], "status": statuses},
    }
