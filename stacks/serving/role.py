"""The role with which Comprehend opens a model under a customer managed key, to answer with it."""

from __future__ import annotations

import aws_cdk as cdk
from constructs import Construct

from stacks.constructs.role import ServiceRole
from stacks.flywheel.encryption_key import EncryptionKey


class EndpointRole(Construct):
    def __init__(self, scope: Construct, construct_id: str, *, encryption: EncryptionKey, endpoint_arn: str) -> None:
        super().__init__(scope, construct_id)
        self.role = ServiceRole(
            self,
            "Service",
            service="comprehend.amazonaws.com",
            description="Comprehend's endpoint opens the encrypted model.",
            permissions=encryption.job_permissions(),
            trust_condition={
                "StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID},
                "ArnLike": {"aws:SourceArn": endpoint_arn},
            },
        )

    @property
    def arn(self) -> str:
        return self.role.arn
