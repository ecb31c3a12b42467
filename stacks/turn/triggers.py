"""What starts a turn: uploads, the schedule and the end of the turn before, all through one queue."""

from __future__ import annotations

import json

import aws_cdk as cdk
from aws_cdk import aws_comprehend as comprehend
from constructs import Construct

from stacks.constructs.function import FlywheelFunction, Functions
from stacks.constructs.pokes import permission_to_work_off, rule, rules_on_ends, work_off
from stacks.constructs.role import Permission
from stacks.flywheel.access import FlywheelAccess
from stacks.flywheel.queues import START_TIMEOUT, Queues
from stacks.turn.parameters import TurnParameters


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
        uploads = rule(
            self,
            "Uploads",
            description="An upload arrived in the intake bucket.",
            target_arn=queues.turns.queue_arn,
            undelivered=queues.undelivered,
            state=cdk.Fn.condition_if(on_upload.logical_id, "ENABLED", "DISABLED").to_string(),
            event_pattern={
                "source": ["aws.s3"],
                "detail-type": ["Object Created"],
                "detail": {
                    "bucket": {"name": [access.intake.bucket_name]},
                    "object": {"key": [{"prefix": "train/"}, {"prefix": "test/"}]},
                },
            },
        )
        schedule = rule(
            self,
            "Schedule",
            description="It is time to look for work.",
            target_arn=queues.turns.queue_arn,
            undelivered=queues.undelivered,
            schedule_expression=parameters.turn_schedule.value_as_string,
            message=json.dumps({"poke": "schedule"}),
        )
        ended, stopped = rules_on_ends(
            self,
            word="Turn",
            machine_arn=machine_arn,
            pokes=queues.turns,
            report=report_turn,
            undelivered=queues.undelivered,
        )
        self.pokes = [uploads, schedule, ended]
        """The rules that send to the turn queue."""
        self.rules = [*self.pokes, stopped]

    def _start_turn(self, *, functions: Functions, access: FlywheelAccess, machine_arn: str) -> FlywheelFunction:
        function = FlywheelFunction(
            self,
            "StartTurn",
            wing="turn",
            name="start_turn",
            functions=functions,
            description="Starts a turn if it would do something, one at a time.",
            timeout=START_TIMEOUT,
            encrypted=["s3", "sqs"],
            environment=[
                "FLYWHEEL_NAME",
                "FLYWHEEL_ARN",
                "INTAKE_BUCKET",
                "PARAMETER_PREFIX",
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
                access.parameters("active-model-arn", actions=("GetParameter",)),
                permission_to_work_off(self._queues.turns, "sqs:SendMessage"),
            ],
        )
        work_off(self, "Pokes", function=function, queue=self._queues.turns)
        return function
