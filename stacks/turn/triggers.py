"""What starts a turn: uploads, the schedule and the end of the turn before, all through one queue."""

from __future__ import annotations

import functools
import json

import aws_cdk as cdk
from constructs import Construct

from stacks.constructs.function import FlywheelFunction, Functions
from stacks.constructs.pokes import objects_created, permission_to_read_queue, read_queue, rule, rules_on_ends
from stacks.constructs.role import Permission
from stacks.flywheel.access import FLYWHEEL, FlywheelAccess
from stacks.flywheel.parameters import FlywheelParameters
from stacks.flywheel.queues import START_TIMEOUT, Queues


class TurnTriggers(Construct):
    """start_turn with its queue, and the rules of EventBridge."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        queues: Queues,
        functions: Functions,
        access: FlywheelAccess,
        machine_arn: str,
        report_turn: FlywheelFunction,
        parameters: FlywheelParameters,
    ) -> None:
        super().__init__(scope, construct_id)
        self.start_turn = self._start_turn(queues, functions, access=access, machine_arn=machine_arn)
        read_queue(self, "Pokes", function=self.start_turn, queue=queues.turns)
        poke_on = functools.partial(rule, self, target_arn=queues.turns.queue_arn, undelivered=queues.undelivered)
        on_upload = cdk.CfnCondition(
            self,
            "OnUpload",
            expression=cdk.Fn.condition_equals(parameters.trigger_on_upload.value_as_string, "true"),
        )
        uploads = poke_on(
            "Uploads",
            description="An upload arrived in the intake bucket.",
            state=cdk.Fn.condition_if(on_upload.logical_id, "ENABLED", "DISABLED").to_string(),
            event_pattern=objects_created(access.intake, "train/", "test/"),
        )
        schedule = poke_on(
            "Schedule",
            description="It is time to look for work.",
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

    def _start_turn(
        self, queues: Queues, functions: Functions, *, access: FlywheelAccess, machine_arn: str
    ) -> FlywheelFunction:
        return FlywheelFunction(
            self,
            "start_turn",
            wing="turn",
            functions=functions,
            description="Starts a turn if it would do something, one at a time.",
            timeout=START_TIMEOUT,
            encrypted=["s3", "sqs"],
            environment=[
                *FLYWHEEL,
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
                permission_to_read_queue(queues.turns, "sqs:SendMessage"),
            ],
        )
