"""The key that covers buckets, lake, model, training volume, topic, queues and logs, unless AWS-owned keys do."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from stacks.constructs.arn import arn_of
from stacks.constructs.role import Condition, Permission, on_behalf_of
from stacks.settings import Encryption, EncryptionMode


class EncryptionKey(Construct):
    """`key` is None with AWS-owned keys.

    An existing key's policy belongs to its owner: it must let IAM policies of the account decide, and hold the
    statements of `_let_services_use` for CloudWatch Logs, EventBridge and CloudWatch alarms.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, encryption: Encryption, made_before: str | None = None
    ) -> None:
        """`made_before` is the ARN of the new key, in a stack that comes after the one that made it."""
        super().__init__(scope, construct_id)
        self.key: kms.IKey | None = None
        known = encryption.key_arn or made_before
        if known:
            self.key = kms.Key.from_key_arn(self, "Existing", known)
        elif encryption.mode is EncryptionMode.NEW:
            key = kms.Key(
                self,
                "Key",
                description=f"{cdk.Stack.of(self).stack_name}: documents, models, messages and logs",
                enable_key_rotation=True,
                removal_policy=cdk.RemovalPolicy.RETAIN,
            )
            self._let_services_use(key)
            self.key = key

    @property
    def arn(self) -> str | None:
        return self.key.key_arn if self.key else None

    def permissions(self, *, through: Sequence[str]) -> list[Permission]:
        """What a role needs to read and write encrypted data by way of services such as "s3", "sqs", "sns"."""
        if self.key is None or not through:
            return []
        region, suffix = cdk.Aws.REGION, cdk.Aws.URL_SUFFIX
        return [
            Permission(
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=[self.key.key_arn],
                condition={"StringEquals": {"kms:ViaService": [f"{service}.{region}.{suffix}" for service in through]}},
            )
        ]

    def job_permissions(self) -> list[Permission]:
        """What a role needs to start a Comprehend job whose volume and output are under the key: the service acts with
        the caller's permission, not by way of S3."""
        if self.key is None:
            return []
        return [
            Permission(actions=["kms:CreateGrant", "kms:Decrypt", "kms:GenerateDataKey"], resources=[self.key.key_arn])
        ]

    def let_import(self, trusted: cdk.CfnParameter, *, if_any: cdk.CfnCondition, models: str) -> None:
        """Lets the principals that the parameter lists use a new key for importing models, unless it lists none
        (developer guide, "Sharing a custom model"). An existing key's owner has to do that (docs/security.md).

        `models` is a pattern of ARNs and not one version: which versions will be shared is not known when this is
        deployed. What lets an account import a version is that version's own policy. Nothing may be added to the key's
        policy after this.
        """
        key = self.key.node.default_child if self.key else None
        if not isinstance(key, kms.CfnKey):
            return
        principals = {"AWS": cdk.Fn.split(",", trusted.value_as_string)}
        uses = {
            "ImportersUse": (["kms:Decrypt", "kms:GenerateDataKey"], {"ArnLike": {"aws:SourceArn": models}}),
            "ImportersGrant": (
                "kms:CreateGrant",
                {"StringLike": {"kms:EncryptionContext:aws:comprehend:arn": models}},
            ),
        }
        # After all others: the construct's own policy takes no condition of CloudFormation.
        others = cdk.Stack.of(self).resolve(key.key_policy)["Statement"]
        for place, (sid, (actions, condition)) in enumerate(uses.items(), start=len(others)):
            statement = {
                "Sid": sid,
                "Effect": "Allow",
                "Principal": principals,
                "Action": actions,
                "Resource": "*",
                "Condition": condition,
            }
            key.add_property_override(
                f"KeyPolicy.Statement.{place}",
                {"Fn::If": [if_any.logical_id, statement, {"Ref": "AWS::NoValue"}]},
            )

    def _let_services_use(self, key: kms.Key) -> None:
        key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="CloudWatchLogs",
                principals=[iam.ServicePrincipal(f"logs.{cdk.Aws.REGION}.amazonaws.com")],
                actions=["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
                resources=["*"],
                conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": arn_of("logs", "log-group:*")}},
            )
        )
        senders: dict[str, tuple[str, Condition]] = {
            # EventBridge is not known to name account and rule where it uses a key, and would drop the events without
            # a word. Which rules may send is for the policies of the queues to say.
            "EventsToQueues": ("events", {}),
            "AlarmsToTopic": ("cloudwatch", on_behalf_of(arn_of("cloudwatch", "alarm:*"))),
        }
        for sid, (service, condition) in senders.items():
            key.add_to_resource_policy(
                iam.PolicyStatement(
                    sid=sid,
                    principals=[iam.ServicePrincipal(f"{service}.amazonaws.com")],
                    actions=["kms:Decrypt", "kms:GenerateDataKey"],
                    resources=["*"],
                    conditions=dict(condition),
                )
            )
