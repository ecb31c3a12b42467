"""The roles that Comprehend takes on to read documents and to write what it makes of them."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from constructs import Construct

from stacks.constructs.arn import arn_of
from stacks.constructs.encryption_key import EncryptionKey
from stacks.constructs.role import Permission, ServiceRole
from stacks.flywheel.buckets import Buckets
from stacks.settings import FlywheelSettings

_NETWORK = Permission(
    actions=[
        "ec2:CreateNetworkInterface",
        "ec2:CreateNetworkInterfacePermission",
        "ec2:DeleteNetworkInterface",
        "ec2:DeleteNetworkInterfacePermission",
        "ec2:DescribeDhcpOptions",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSubnets",
        "ec2:DescribeVpcs",
    ],
    resources=["*"],
    wildcard_reason="Comprehend's guide demands these network interface actions on every resource.",
)


def comprehend_role(
    scope: Construct,
    construct_id: str,
    *,
    settings: FlywheelSettings,
    encryption: EncryptionKey,
    description: str,
    permissions: Sequence[Permission],
) -> ServiceRole:
    """For resources of this account and Region, on our key and in our network.

    That Comprehend names a resource at all is documented for endpoints and custom models only, not for flywheels,
    datasets and jobs: a missing one is no reason to refuse.
    """
    return ServiceRole(
        Construct(scope, construct_id),
        "Service",
        service="comprehend.amazonaws.com",
        description=description,
        permissions=[
            *permissions,
            *encryption.permissions(through=["s3"]),
            # Models and training volumes: Comprehend uses the key itself there, not by way of S3.
            *encryption.job_permissions(),
            *([_NETWORK] if settings.training_vpc else []),
        ],
        trust_condition={
            "StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID},
            "ArnLikeIfExists": {"aws:SourceArn": arn_of("comprehend", "*")},
        },
    )


def data_access_role(
    scope: Construct, construct_id: str, *, settings: FlywheelSettings, buckets: Buckets, encryption: EncryptionKey
) -> ServiceRole:
    """What Comprehend's guide lists for a data access role, on our buckets only."""
    intake, lake = buckets.intake, buckets.lake
    return comprehend_role(
        scope,
        construct_id,
        settings=settings,
        encryption=encryption,
        description="Comprehend reads datasets and writes the data lake of the flywheel.",
        permissions=[
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
            *_data_of_initial_model(settings),
        ],
    )


def _data_of_initial_model(settings: FlywheelSettings) -> list[Permission]:
    """Comprehend copies them into the lake of a flywheel that is created with the model."""
    if not settings.initial_model_data:
        return []
    places = [uri.removeprefix("s3://").partition("/") for uri in settings.initial_model_data]
    return [
        Permission(
            actions=["s3:ListBucket"],
            resources=sorted({f"arn:{cdk.Aws.PARTITION}:s3:::{bucket}" for bucket, *_ in places}),
        ),
        Permission(
            actions=["s3:GetObject"],
            resources=[f"arn:{cdk.Aws.PARTITION}:s3:::{bucket}/{key}*" for bucket, _, key in places],
            wildcard_reason="initial_model_data names beginnings of keys, as a model's own S3Uri does.",
        ),
    ]
