"""What starts a promotion: a turn's or a person's request, an edit of desired-model-arn, the end of the one before."""

from __future__ import annotations

import json

from aws_cdk import aws_comprehend as comprehend
from constructs import Construct

from stacks.constructs.function import FlywheelFunction, Functions
from stacks.constructs.pokes import permission_to_work_off, rule, rules_on_ends, work_off
from stacks.constructs.role import Permission
from stacks.flywheel.access import FlywheelAccess
from stacks.flywheel.queues import START_TIMEOUT, Queues
from stacks.turn.parameters import TurnParameters


class PromotionTriggers(Construct):
    """start_promotion with its queue, and the rules of EventBridge."""

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
        report_promotion: FlywheelFunction,
        parameters: TurnParameters,
    ) -> None:
        super().__init__(scope, construct_id)
        self.start_promotion = FlywheelFunction(
            self,
            "StartPromotion",
            wing="promotions",
            name="start_promotion",
            functions=functions,
            description="Starts a promotion if there is something to promote, one at a time.",
            timeout=START_TIMEOUT,
            encrypted=["s3", "sns", "sqs"],
            environment=[
                "FLYWHEEL_NAME",
                "FLYWHEEL_ARN",
                "INTAKE_BUCKET",
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
                access.flywheel("DescribeFlywheel"),
                access.models("DescribeDocumentClassifier"),
                access.publish(),
                access.parameters("active-model-arn", "desired-model-arn", actions=("GetParameter",)),
                permission_to_work_off(queues.promotions),
            ],
        )
        self.start_promotion.wait_for(flywheel)
        work_off(self, "Pokes", function=self.start_promotion, queue=queues.promotions)
        desired = rule(
            self,
            "DesiredModel",
            description="Somebody edited desired-model-arn.",
            target_arn=queues.promotions.queue_arn,
            undelivered=queues.undelivered,
            event_pattern={
                "source": ["aws.ssm"],
                "detail-type": ["Parameter Store Change"],
                "detail": {
                    "name": [f"{access.settings.parameter_prefix}/desired-model-arn"],
                    "operation": ["Create", "Update"],
                },
            },
        )
        schedule = rule(
            self,
            "Schedule",
            description="It is time to look for a missed edit of desired-model-arn, or a promotion that failed.",
            target_arn=queues.promotions.queue_arn,
            undelivered=queues.undelivered,
            schedule_expression=parameters.turn_schedule.value_as_string,
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
        self.pokes = [desired, schedule, ended]
        """The rules that send to the promotion queue."""
        self.rules = [*self.pokes, stopped]
