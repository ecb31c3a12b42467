"""A managed policy with exactly the permissions it is given."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.constructs.role import Permission, acknowledge_wildcards


class ManagedPolicy(Construct):
    """For people's roles and groups, which are the organisation's to make."""

    def __init__(
        self, scope: Construct, construct_id: str, *, description: str, permissions: Sequence[Permission]
    ) -> None:
        super().__init__(scope, construct_id)
        policy = iam.CfnManagedPolicy(
            self,
            "Policy",
            description=description,
            policy_document={
                "Version": "2012-10-17",
                "Statement": [permission.statement() for permission in permissions],
            },
        )
        acknowledge_wildcards(policy, permissions=permissions)
        self.arn = policy.ref
