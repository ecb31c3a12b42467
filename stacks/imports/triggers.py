"""What the account that trains tells: its right to put events on this account's bus, and who takes them."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from flywheel.records.announcements import EVENT_SOURCE, MODEL_SHARED, MODEL_WITHDRAWN
from stacks.constructs.arn import arn_of
from stacks.constructs.function import FlywheelFunction, Functions
from stacks.constructs.pokes import rule_for_function
from stacks.constructs.role import Permission
from stacks.flywheel.access import READ, WRITE, FlywheelAccess
from stacks.flywheel.queues import PromotionQueues
from stacks.imports.parameters import ImportParameters

ANNOUNCEMENTS = [MODEL_SHARED, MODEL_WITHDRAWN]


class ImportTriggers(Construct):
    """receive_announcement, with its rule. The statement on the account's default bus has a name of its own: others'
    stay."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        functions: Functions,
        access: FlywheelAccess,
        queues: PromotionQueues,
        parameters: ImportParameters,
    ) -> None:
        super().__init__(scope, construct_id)
        account = parameters.source_account.value_as_string
        events.CfnEventBusPolicy(
            self,
            "BusPolicy",
            statement_id=access.settings.import_stack_name,
            statement={
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:{cdk.Aws.PARTITION}:iam::{account}:root"},
                "Action": "events:PutEvents",
                "Resource": arn_of("events", "event-bus/default"),
                "Condition": {
                    "StringEquals": {"events:source": EVENT_SOURCE, "events:detail-type": ANNOUNCEMENTS},
                },
            },
        )
        receive = FlywheelFunction(
            self,
            "receive_announcement",
            wing="imports",
            functions=functions,
            description="Takes what the account that trains tells of its models.",
            timeout=cdk.Duration.minutes(1),
            environment=[
                *access.identity,
                "PARAMETER_PREFIX",
                "SOURCE_ACCOUNT",
                "SOURCE_FLYWHEEL_NAME",
                "FOLLOW_WITHDRAWALS",
                "PROMOTION_MODE",
                "PROMOTION_QUEUE_URL",
                "TOPIC_ARN",
            ],
            encrypted=["s3", "sns", "sqs"],
            dead_letters=queues.undelivered,
            permissions=[
                access.objects("imports/models/*", actions=WRITE),
                access.objects("promotions/*", actions=READ),
                access.objects("promotions/requests/*", "promotions/ends/*", actions=("PutObject",)),
                *access.thresholds("PutObject"),
                access.list_intake(),
                access.active_model(),
                access.parameters("active-model-arn", actions=("GetParameter",)),
                access.publish(),
                Permission(actions=["sqs:SendMessage"], resources=[queues.promotions.queue_arn]),
            ],
        )
        self.receive_announcement = receive
        self.announced = self._rule(receive, account=account, undelivered=queues.undelivered, parameters=parameters)

    def _rule(
        self, receive: FlywheelFunction, *, account: str, undelivered: sqs.IQueue, parameters: ImportParameters
    ) -> events.CfnRule:
        return rule_for_function(
            self,
            "Announced",
            permission_id="AnnouncedMayInvoke",
            description="The account that trains shares a model, or takes one back.",
            function=receive,
            undelivered=undelivered,
            event_pattern={
                "account": [account],
                "source": [EVENT_SOURCE],
                "detail-type": ANNOUNCEMENTS,
                "detail": {"flywheel": [parameters.source_flywheel_name.value_as_string]},
            },
        )
