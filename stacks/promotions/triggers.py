"""What starts a promotion: a turn's or a person's request, an edit of desired-model-arn, the end of the one before."""

from __future__ import annotations

import functools
import json

import aws_cdk as cdk
from constructs import Construct

from stacks.constructs.function import FlywheelFunction, Functions
from stacks.constructs.pokes import parameter_edited, permission_to_read_queue, read_queue, rule, rules_on_ends
from stacks.constructs.role import Permission
from stacks.flywheel.access import FlywheelAccess
from stacks.flywheel.queues import START_TIMEOUT, PromotionQueues


class PromotionTriggers(Construct):
    """start_promotion with its queue, and the rules of EventBridge."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        queues: PromotionQueues,
        functions: Functions,
        access: FlywheelAccess,
        machine_arn: str,
        report_promotion: FlywheelFunction,
        schedule: cdk.CfnParameter,
        begins_with_model: bool = False,
    ) -> None:
        super().__init__(scope, construct_id)
        self.start_promotion = self._start_promotion(
            queues, functions=functions, access=access, machine_arn=machine_arn
        )
        read_queue(self, "Pokes", function=self.start_promotion, queue=queues.promotions)
        poke_on = functools.partial(rule, self, target_arn=queues.promotions.queue_arn, undelivered=queues.undelivered)
        desired = poke_on(
            "DesiredModel",
            description="Somebody edited desired-model-arn.",
            event_pattern=parameter_edited(access.names.parameter("desired-model-arn")),
        )
        scheduled = poke_on(
            "Schedule",
            description="It is time to look for a missed edit of desired-model-arn, or a promotion that failed.",
            schedule_expression=schedule.value_as_string,
            message=json.dumps({"poke": "schedule"}),
        )
        ended, stopped = rules_on_ends(
            self,
            word="Promotion",
            machine_arn=machine_arn,
            pokes=queues.promotions,
            report=report_promotion,
            undelivered=queues.undelivered,
        )
        self.pokes = [desired, scheduled, ended]
        if begins_with_model:
            created = poke_on(
                "FlywheelCreated",
                description="The flywheel is there, and has a model already.",
                event_pattern=parameter_edited(access.names.parameter("flywheel-arn")),
                message=json.dumps({"poke": "flywheel created"}),
            )
            self.pokes.append(created)
        """The rules that send to the promotion queue."""
        self.rules = [*self.pokes, stopped]

    def _start_promotion(
        self, queues: PromotionQueues, functions: Functions, *, access: FlywheelAccess, machine_arn: str
    ) -> FlywheelFunction:
        return FlywheelFunction(
            self,
            "start_promotion",
            wing="promotions",
            functions=functions,
            description="Starts a promotion if there is something to promote, one at a time.",
            timeout=START_TIMEOUT,
            encrypted=["s3", "sns", "sqs"],
            environment=[
                *access.identity,
                "PARAMETER_PREFIX",
                "PROMOTION_MACHINE_ARN",
                "TOPIC_ARN",
            ],
            permissions=[
                Permission(
                    actions=["states:StartExecution", "states:SendTaskFailure"],
                    resources=[machine_arn],
                ),
                access.objects("promotions/*", actions=("GetObject",)),
                access.objects(
                    "promotions/current", "promotions/requests/*", "promotions/ends/*", actions=("PutObject",)
                ),
                access.list_intake(),
                access.active_model(),
                access.models(access.kind.describe_model),
                access.publish(),
                access.parameters("active-model-arn", "desired-model-arn", actions=("GetParameter",)),
                permission_to_read_queue(queues.promotions),
            ],
        )
