"""The topic that tells people about turns and alarms."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

from stacks.constructs.arn import arn_of
from stacks.constructs.role import on_behalf_of
from stacks.constructs.stack_parameters import NONE

NO_PLAIN_HTTP: dict[str, Any] = {
    "Sid": "NoPlainHttp",
    "Effect": "Deny",
    "Principal": {"AWS": "*"},
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}


class NotificationTopic(Construct):
    """Its policy is written out: the one that `enforce_ssl` makes holds only a Deny and silences the alarms."""

    def __init__(self, scope: Construct, construct_id: str, *, key: kms.IKey | None, email: cdk.CfnParameter) -> None:
        super().__init__(scope, construct_id)
        self.topic = sns.Topic(self, "Topic", master_key=key)
        sns.CfnTopicPolicy(
            self,
            "Policy",
            topics=[self.topic.topic_arn],
            policy_document={
                "Version": "2012-10-17",
                "Statement": [
                    {**NO_PLAIN_HTTP, "Action": "sns:Publish", "Resource": self.topic.topic_arn},
                    {
                        "Sid": "Alarms",
                        "Effect": "Allow",
                        "Principal": {"Service": "cloudwatch.amazonaws.com"},
                        "Action": "sns:Publish",
                        "Resource": self.topic.topic_arn,
                        "Condition": on_behalf_of(arn_of("cloudwatch", "alarm:*")),
                    },
                ],
            },
        )
        given = cdk.CfnCondition(
            self,
            "EmailGiven",
            expression=cdk.Fn.condition_not(
                # Empty is what it was by default before it was NONE.
                cdk.Fn.condition_or(*(cdk.Fn.condition_equals(email.value_as_string, none) for none in (NONE, "")))
            ),
        )
        subscription = sns.CfnSubscription(
            self, "Email", topic_arn=self.topic.topic_arn, protocol="email", endpoint=email.value_as_string
        )
        subscription.cfn_options.condition = given
