"""People's review: the function that publishes their answers, and when it looks for some."""

from __future__ import annotations

import json

from aws_cdk import aws_sqs as sqs
from constructs import Construct

from flywheel.records.review import ANSWERED, REVIEW
from stacks.constructs.function import LONGEST, ONE_PROCESSOR_MIB, FlywheelFunction, Functions
from stacks.constructs.pokes import objects_created, rule_for_function
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
        answers = rule_for_function(
            self,
            "Answers",
            permission_id="AnswersMayPublish",
            description="Reviewers agreed on an item.",
            function=self.publish_answers,
            undelivered=undelivered,
            event_pattern=objects_created(access.intake, ANSWERED),
            message=json.dumps({"poke": "answer"}),
        )
        schedule = rule_for_function(
            self,
            "Schedule",
            permission_id="ScheduleMayPublish",
            description="It is time to look whether answers wait for long.",
            function=self.publish_answers,
            undelivered=undelivered,
            schedule_expression=parameters.turn_schedule.value_as_string,
            message=json.dumps({"poke": "schedule"}),
        )
        self.rules = [answers, schedule]
