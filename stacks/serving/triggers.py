"""What starts the serve machine by itself: another target, and the schedule, which mends what went wrong."""

from __future__ import annotations

import json

import aws_cdk as cdk
from constructs import Construct

from stacks.constructs.pokes import parameter_edited, rule
from stacks.constructs.role import Permission, ServiceRole
from stacks.flywheel.access import FlywheelAccess
from stacks.flywheel.queues import acknowledge_dead_letters_of_rules, dead_letters
from stacks.names import SERVING_TARGET

EVERY = "rate(15 minutes)"
"""LEAD in lambdas/flywheel/serving/hours.py allows for it."""


class ServingTriggers(Construct):
    """The rules start the machine themselves: it needs no queue, because runs of it may overlap."""

    def __init__(self, scope: Construct, construct_id: str, *, access: FlywheelAccess, machine_arn: str) -> None:
        super().__init__(scope, construct_id)
        role = ServiceRole(
            self,
            "Service",
            service="events.amazonaws.com",
            description="EventBridge starts the serve machine.",
            permissions=[Permission(actions=["states:StartExecution"], resources=[machine_arn])],
            trust_condition={"StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID}},
        )
        self.undelivered = dead_letters(self, "Undelivered", key=access.encryption.key)
        acknowledge_dead_letters_of_rules(self.undelivered)
        changed = rule(
            self,
            "Wish",
            description="What is to be served has changed.",
            target_arn=machine_arn,
            role_arn=role.arn,
            undelivered=self.undelivered,
            message=json.dumps({"started_by": "target"}),
            event_pattern=parameter_edited(access.names.parameter(SERVING_TARGET)),
        )
        schedule = rule(
            self,
            "Schedule",
            description="It is time to look after the endpoint.",
            target_arn=machine_arn,
            role_arn=role.arn,
            undelivered=self.undelivered,
            message=json.dumps({"started_by": "schedule"}),
            schedule_expression=EVERY,
        )
        self.rules = [changed, schedule]
