"""The flywheel itself."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_comprehend as comprehend
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.constructs.encryption_key import EncryptionKey
from stacks.constructs.model_kind import model_kind
from stacks.constructs.role import ServiceRole
from stacks.flywheel.creation import Creation
from stacks.names import LAKE_PREFIX, Names
from stacks.settings import FlywheelSettings


class Flywheel(Construct):
    """Never with ActiveModelArn: an update of the stack would send it and so undo every promotion since. A flywheel
    that begins with a model is a custom resource (decision 019).

    Kept when it is replaced, because an endpoint may still hang on it; deleted with the stack.
    """

    resource: cdk.CfnResource

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: FlywheelSettings,
        lake: s3.IBucket,
        role: ServiceRole,
        encryption: EncryptionKey,
        creation: Creation | None,
    ) -> None:
        """With `creation` it begins with the settings' initial model."""
        super().__init__(scope, construct_id)
        names = Names(settings)
        self.arn = names.flywheel_arn
        if creation is not None:
            self.resource = creation.flywheel(lake=lake, role=role)
        else:
            self.resource = self._native(names, lake=lake, role=role, encryption=encryption)
        self.resource.cfn_options.deletion_policy = cdk.CfnDeletionPolicy.DELETE
        self.resource.cfn_options.update_replace_policy = cdk.CfnDeletionPolicy.RETAIN

    def _native(
        self, names: Names, *, lake: s3.IBucket, role: ServiceRole, encryption: EncryptionKey
    ) -> comprehend.CfnFlywheel:
        settings = names.settings
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
        return comprehend.CfnFlywheel(
            self,
            "Flywheel",
            flywheel_name=names.flywheel,
            data_access_role_arn=role.arn,
            data_lake_s3_uri=f"s3://{lake.bucket_name}/{LAKE_PREFIX}",
            model_type=settings.model_type,
            task_config=model_kind(settings).task(settings),
            data_security_config=security if encryption.arn or vpc else None,
        )
