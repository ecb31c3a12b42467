"""The alarms about imports and their promotions."""

from __future__ import annotations

from aws_cdk import aws_sns as sns
from constructs import Construct

from stacks.constructs.function import FlywheelFunction
from stacks.constructs.watch import alarms, dead_letters, errors
from stacks.flywheel.queues import PromotionQueues
from stacks.promotions.alarms import of_promotions


class ImportAlarms(Construct):
    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        topic: sns.ITopic,
        queues: PromotionQueues,
        promote_machine_arn: str,
        start_promotion: FlywheelFunction,
        receive_announcement: FlywheelFunction,
        flywheel_name: str,
    ) -> None:
        super().__init__(scope, construct_id)
        alarms(
            self,
            topic=topic,
            watches={
                "PromotionDeadLetters": dead_letters(
                    queues.promotion_dead_letters, "start_promotion could not handle pokes: its log says why."
                ),
                "UndeliveredEvents": dead_letters(
                    queues.undelivered, "Events reached neither a queue nor the function that takes them."
                ),
                "StartPromotionErrors": errors(start_promotion, "start_promotion fails: no promotion may be starting."),
                "AnnouncementErrors": errors(
                    receive_announcement, "An announcement of the source cannot be used: the function's log says why."
                ),
                **of_promotions(promote_machine_arn, flywheel_name=flywheel_name),
            },
        )
