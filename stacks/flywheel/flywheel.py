"""The flywheel itself."""

from __future__ import annotations

import hashlib
import json

import aws_cdk as cdk
from aws_cdk import aws_comprehend as comprehend
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.constructs.arn import arn_of
from stacks.constructs.model_kind import model_kind
from stacks.flywheel.data_access_role import DataAccessRole
from stacks.flywheel.encryption_key import EncryptionKey
from stacks.settings import FlywheelSettings

LAKE_PREFIX = "flywheels/"
"""Comprehend appends the flywheel's name and its creation time, so generations share the prefix. The slash at the end
is what CloudFormation's read handler gives back; without it every drift detection reports a difference."""


HASH_LENGTH = 8


def flywheel_name(*, settings: FlywheelSettings) -> str:
    """The physical name: it changes with exactly what only a new flywheel can take.

    CloudFormation creates the new flywheel before it removes the old one, so equal names would collide. The key of the
    data lake is part of it because an update ignores a changed one silently.
    """
    fixed_at_creation = {
        "name": settings.name,
        "model_type": settings.model_type,
        "mode": settings.mode,
        "language": settings.language,
        "labels": settings.labels,
        "lake_prefix": LAKE_PREFIX,
        "lake_key": settings.encryption.key_arn or settings.encryption.mode,
        "generation": settings.generation,
    }
    digest = hashlib.sha256(json.dumps(fixed_at_creation, sort_keys=True).encode()).hexdigest()
    return f"{settings.name}-{digest[:HASH_LENGTH]}"


def flywheel_arn(*, settings: FlywheelSettings) -> str:
    """Computed from the name, so that nothing has to import it."""
    return arn_of("comprehend", f"flywheel/{flywheel_name(settings=settings)}")


def any_generation_arn(*, settings: FlywheelSettings) -> str:
    """A pattern for IAM: a former generation serves on until a model of the present one is better."""
    return arn_of("comprehend", f"flywheel/{settings.name}-{'?' * HASH_LENGTH}")


class Flywheel(Construct):
    """Never with ActiveModelArn: an update of the stack would send it and so undo every promotion since.

    Kept when it is replaced, because an endpoint may still hang on it; deleted with the stack.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: FlywheelSettings,
        lake: s3.IBucket,
        role: DataAccessRole,
        encryption: EncryptionKey,
    ) -> None:
        super().__init__(scope, construct_id)
        self.arn = flywheel_arn(settings=settings)
        vpc = settings.training_vpc
        security = comprehend.CfnFlywheel.DataSecurityConfigProperty(
            data_lake_kms_key_id=encryption.arn,
            model_kms_key_id=encryption.arn,
            volume_kms_key_id=encryption.arn,
            vpc_config=comprehend.CfnFlywheel.VpcConfigProperty(
                subnets=list(vpc.subnets), security_group_ids=list(vpc.security_groups)
            )
            if vpc
            else None,
        )
        self.resource = comprehend.CfnFlywheel(
            self,
            "Flywheel",
            flywheel_name=flywheel_name(settings=settings),
            data_access_role_arn=role.arn,
            data_lake_s3_uri=f"s3://{lake.bucket_name}/{LAKE_PREFIX}",
            model_type=settings.model_type,
            task_config=model_kind(settings).task(settings),
            data_security_config=security if encryption.arn or vpc else None,
        )
        self.resource.cfn_options.deletion_policy = cdk.CfnDeletionPolicy.DELETE
        self.resource.cfn_options.update_replace_policy = cdk.CfnDeletionPolicy.RETAIN
