"""Sharing models with other accounts: the function that does it, what starts it, and the list that it goes by."""

from __future__ import annotations

import json

import aws_cdk as cdk
from aws_cdk import aws_sqs as sqs
from aws_cdk.aws_lambda import CfnEventInvokeConfig
from constructs import Construct

from flywheel.records.announcements import EVENT_SOURCE, MODEL_SHARED, MODEL_WITHDRAWN
from stacks.constructs.function import FlywheelFunction, Functions
from stacks.constructs.pokes import rule_for_function
from stacks.constructs.role import Permission
from stacks.constructs.stack_parameters import NONE
from stacks.flywheel.access import FLYWHEEL, READ, WRITE, FlywheelAccess
from stacks.flywheel.parameters import FlywheelParameters

TIMEOUT = cdk.Duration.minutes(5)
"""A deployment may have to wait for another run."""
DEPLOYMENT_WAITS = cdk.Duration.minutes(20)
"""For the list to be applied. CloudFormation would wait an hour for an answer that got lost."""


class Sharing(Construct):
    """With TrustedAccounts `none` the function calls nothing of Comprehend but what takes back earlier policies."""

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
        self.wanted = cdk.CfnCondition(
            self,
            "Wanted",
            expression=cdk.Fn.condition_not(cdk.Fn.condition_equals(parameters.trusted_accounts.value_as_string, NONE)),
        )
        """Whether any account is trusted."""
        self.share_model = _share_model(self, functions=functions, access=access)
        schedule = rule_for_function(
            self,
            "Schedule",
            permission_id="ScheduleMayShare",
            description="It is time to share what could not be shared, and to repeat what accounts may have missed.",
            function=self.share_model,
            undelivered=undelivered,
            schedule_expression=parameters.turn_schedule.value_as_string,
            message=json.dumps({"poke": "schedule"}),
        )
        self.rules = [schedule]
        # What waits longer for the function, because Lambda throttles it, or repeats it, must not change the list when
        # the deployment has gone back to the former one.
        in_time = CfnEventInvokeConfig(
            self,
            "InTime",
            function_name=self.share_model.resource.ref,
            qualifier="$LATEST",
            maximum_event_age_in_seconds=int(DEPLOYMENT_WAITS.to_seconds() - TIMEOUT.to_seconds()),
            maximum_retry_attempts=2,
        )
        trusted = cdk.CfnResource(
            self,
            "TrustedAccounts",
            type="Custom::ModelSharing",
            properties={
                "ServiceToken": self.share_model.arn,
                "ServiceTimeout": DEPLOYMENT_WAITS.to_seconds(),
                "TrustedAccounts": cdk.Fn.split(",", parameters.trusted_accounts.value_as_string),
            },
        )
        trusted.add_resource_dependency(in_time)


def _share_model(scope: Construct, *, functions: Functions, access: FlywheelAccess) -> FlywheelFunction:
    return FlywheelFunction(
        scope,
        "share_model",
        wing="sharing",
        functions=functions,
        description="Lets trusted accounts import the promoted model, and tells them of it.",
        timeout=TIMEOUT,
        environment=[*FLYWHEEL, "PARAMETER_PREFIX"],
        # What keeps it busy is another run, which does the same.
        busy_attempts=3,
        permissions=[
            access.objects("sharing/*", actions=(*WRITE, "DeleteObject")),
            access.objects("promotions/*", "decisions/*", actions=READ),
            *access.thresholds("GetObject"),
            access.list_intake(),
            access.flywheel("DescribeFlywheel"),
            access.models(
                access.kind.describe_model, "DescribeResourcePolicy", "PutResourcePolicy", "DeleteResourcePolicy"
            ),
            access.parameters("active-model-arn", actions=("GetParameter",)),
            Permission(
                actions=["events:PutEvents"],
                resources=[f"arn:{cdk.Aws.PARTITION}:events:{cdk.Aws.REGION}:*:event-bus/default"],
                condition={
                    "StringEquals": {
                        "events:source": EVENT_SOURCE,
                        "events:detail-type": [MODEL_SHARED, MODEL_WITHDRAWN],
                    }
                },
                wildcard_reason="The accounts are a parameter's; each lets this one send only if it says so itself.",
            ),
        ],
    )
