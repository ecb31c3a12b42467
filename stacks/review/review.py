"""People's review: the function that publishes their answers, and when it looks for some."""

from __future__ import annotations

import json

from aws_cdk import aws_events as events
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from flywheel.records.review import ANSWERED, REVIEW
from stacks.constructs.function import LONGEST, ONE_PROCESSOR_MIB, FlywheelFunction, Functions
from stacks.constructs.pokes import objects_created, rule
from stacks.flywheel.access import FLYWHEEL, WRITE, FlywheelAccess
from stacks.flywheel.parameters import FlywheelParameters

UPLOADS = ("train/review/*", "test/review/*")


class Review(Construct):
    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        functions: Functions,
        access: FlywheelAccess,
        undelivered: sqs.IQueue,
        parameters: FlywheelParameters,
    ) -> None:
        super().__init__(scope, construct_id)
        self.publish_answers = FlywheelFunction(
            self,
            "publish_answers",
            wing="review",
            functions=functions,
            description="Makes uploads of what reviewers answered, when there is enough of it.",
            timeout=LONGEST,
            memory_mib=ONE_PROCESSOR_MIB,
            environment=[
                *FLYWHEEL,
                "REVIEWERS_PER_ITEM",
                "REVIEW_TEST_PERCENT",
                "REVIEW_PUBLISH_DAYS",
                "MINIMUM_DOCUMENTS_PER_LABEL",
            ],
            permissions=[
                access.objects(f"{REVIEW}*", actions=(*WRITE, "DeleteObjectVersion")),
                access.objects(*UPLOADS, actions=("PutObject",)),
                access.objects("exclusions/documents/*", actions=("PutObject", "DeleteObject")),
                access.list_intake(versions=True),
                access.flywheel("DescribeFlywheel"),
            ],
        )
        answers = self._rule(
            "Answers",
            undelivered=undelivered,
            description="Reviewers agreed on an item.",
            event_pattern=objects_created(access.intake, ANSWERED),
            message=json.dumps({"poke": "answer"}),
        )
        schedule = self._rule(
            "Schedule",
            undelivered=undelivered,
            description="It is time to look whether answers wait for long.",
            schedule_expression=parameters.turn_schedule.value_as_string,
            message=json.dumps({"poke": "schedule"}),
        )
        self.rules = [answers, schedule]

    def _rule(
        self,
        construct_id: str,
        *,
        undelivered: sqs.IQueue,
        description: str,
        message: str,
        event_pattern: object | None = None,
        schedule_expression: str | None = None,
    ) -> events.CfnRule:
        made = rule(
            self,
            construct_id,
            description=description,
            target_arn=self.publish_answers.arn,
            undelivered=undelivered,
            event_pattern=event_pattern,
            schedule_expression=schedule_expression,
            message=message,
        )
        lambda_.CfnPermission(
            self,
            f"{construct_id}MayPublish",
            action="lambda:InvokeFunction",
            function_name=self.publish_answers.arn,
            principal="events.amazonaws.com",
            source_arn=made.attr_arn,
        )
        return made
