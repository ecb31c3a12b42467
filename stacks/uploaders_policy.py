"""The managed policy for people and systems that upload."""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from .encryption_key import EncryptionKey
from .role import Permission, acknowledge_wildcards


class UploadersPolicy(Construct):
    """Attach it to roles or groups: drop files, read the reports about rejected ones, nothing else."""

    def __init__(self, scope: Construct, construct_id: str, *, intake: s3.IBucket, encryption: EncryptionKey) -> None:
        super().__init__(scope, construct_id)
        permissions = [
            Permission(
                actions=["s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"],
                resources=[intake.arn_for_objects("train/*"), intake.arn_for_objects("test/*")],
                wildcard_reason="Uploads have any name.",
            ),
            Permission(
                actions=["s3:GetObject"],
                resources=[intake.arn_for_objects("rejected/*")],
                wildcard_reason="Reports are named after the uploads they are about.",
            ),
            Permission(
                actions=["s3:ListBucket"],
                resources=[intake.bucket_arn],
                condition={"StringLike": {"s3:prefix": ["rejected/*", "train/*", "test/*"]}},
            ),
            *encryption.permissions(through=["s3"]),
        ]
        policy = iam.CfnManagedPolicy(
            self,
            "Policy",
            description="Upload documents to the flywheel and read the reports about rejected uploads.",
            policy_document={
                "Version": "2012-10-17",
                "Statement": [permission.statement() for permission in permissions],
            },
        )
        acknowledge_wildcards(policy, permissions=permissions)
        self.arn = policy.ref
