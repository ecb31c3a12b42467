"""The role that Comprehend takes on to read datasets and to write the data lake."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.constructs.arn import arn_of
from stacks.constructs.role import Condition, Permission, ServiceRole
from stacks.flywheel.encryption_key import EncryptionKey

VPC_ACTIONS = (
    "ec2:CreateNetworkInterface",
    "ec2:CreateNetworkInterfacePermission",
    "ec2:DeleteNetworkInterface",
    "ec2:DeleteNetworkInterfacePermission",
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
)


def permission_in_vpc() -> Permission:
    return Permission(
        actions=VPC_ACTIONS,
        resources=["*"],
        wildcard_reason="Comprehend's guide demands these network interface actions on every resource.",
    )


def trust_of_comprehend() -> Condition:
    """Comprehend may take on the role for resources of this account and Region.

    That it names a resource at all is documented for endpoints and custom models only, not for flywheels, datasets and
    jobs: a missing one is no reason to refuse.
    """
    source = arn_of("comprehend", "*")
    return {
        "StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID},
        "ArnLikeIfExists": {"aws:SourceArn": source},
    }


class DataAccessRole(Construct):
    """What Comprehend's guide lists for a data access role, on our buckets, key and network only."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        intake: s3.IBucket,
        lake: s3.IBucket,
        encryption: EncryptionKey,
        in_vpc: bool,
    ) -> None:
        super().__init__(scope, construct_id)
        permissions = [
            Permission(actions=["s3:ListBucket"], resources=[intake.bucket_arn, lake.bucket_arn]),
            Permission(
                actions=["s3:GetObject"],
                resources=[intake.arn_for_objects("datasets/*"), intake.arn_for_objects("evaluations/holdouts/*")],
                wildcard_reason="Comprehend reads whatever dataset and hold-out the pipeline makes, never raw uploads.",
            ),
            Permission(
                actions=["s3:PutObject"],
                resources=[intake.arn_for_objects("evaluations/predictions/*")],
                wildcard_reason="Comprehend names the folder of a job's output after the job.",
            ),
            Permission(
                actions=[
                    "s3:GetObject",
                    "s3:PutObject",
                    "s3:DeleteObject",
                    "s3:AbortMultipartUpload",
                    "s3:ListMultipartUploadParts",
                ],
                resources=[lake.arn_for_objects("*")],
                wildcard_reason="The lake is Comprehend's own: its layout is not published.",
            ),
            Permission(actions=["s3:GetBucketLocation"], resources=[lake.bucket_arn]),
            *encryption.permissions(through=["s3"]),
        ]
        if encryption.arn:
            permissions.append(
                # Models and training volumes: Comprehend uses the key itself there, not by way of S3.
                Permission(
                    actions=["kms:CreateGrant", "kms:Decrypt", "kms:GenerateDataKey"], resources=[encryption.arn]
                )
            )
        if in_vpc:
            permissions.append(permission_in_vpc())
        self.role = ServiceRole(
            self,
            "Service",
            service="comprehend.amazonaws.com",
            description="Comprehend reads datasets and writes the data lake of the flywheel.",
            permissions=permissions,
            trust_condition=trust_of_comprehend(),
        )

    @property
    def arn(self) -> str:
        return self.role.arn
