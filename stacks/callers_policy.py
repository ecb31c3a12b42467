"""The managed policy for people and systems that call the real-time API."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_iam as iam
from constructs import Construct

from .role import Permission


class CallersPolicy(Construct):
    """Attach it to roles or groups: call the API, find it in Parameter Store, nothing else."""

    def __init__(
        self, scope: Construct, construct_id: str, *, method_arns: Sequence[str], parameter_arns: Sequence[str]
    ) -> None:
        super().__init__(scope, construct_id)
        permissions = [
            Permission(actions=["execute-api:Invoke"], resources=method_arns),
            Permission(actions=["ssm:GetParameter", "ssm:GetParameters"], resources=parameter_arns),
        ]
        policy = iam.CfnManagedPolicy(
            self,
            "Policy",
            description="Classify texts through the flywheel's real-time API.",
            policy_document={
                "Version": "2012-10-17",
                "Statement": [permission.statement() for permission in permissions],
            },
        )
        self.arn = policy.ref
