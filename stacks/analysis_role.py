"""The role that Comprehend takes on to read the input of analysis jobs and to write their output."""

from __future__ import annotations

import aws_cdk as cdk
from constructs import Construct

from .deployed_flywheel import DeployedFlywheel
from .role import Permission, ServiceRole


class AnalysisRole(Construct):
    def __init__(self, scope: Construct, construct_id: str, *, flywheel: DeployedFlywheel) -> None:
        super().__init__(scope, construct_id)
        intake = flywheel.intake
        account, region, partition = cdk.Aws.ACCOUNT_ID, cdk.Aws.REGION, cdk.Aws.PARTITION
        self.role = ServiceRole(
            self,
            "Service",
            service="comprehend.amazonaws.com",
            description="Comprehend reads the documents of analysis jobs and writes what it answers.",
            permissions=[
                Permission(actions=["s3:ListBucket"], resources=[intake.bucket_arn]),
                Permission(
                    actions=["s3:GetObject", "s3:PutObject"],
                    resources=[intake.arn_for_objects("analysis/*")],
                    wildcard_reason="Jobs come and go; Comprehend names the folder of a job's output after the job.",
                ),
                *flywheel.encryption.permissions(through=["s3"]),
                *flywheel.encryption.job_permissions(),
            ],
            trust_condition={
                "StringEquals": {"aws:SourceAccount": account},
                "ArnLike": {"aws:SourceArn": f"arn:{partition}:comprehend:{region}:{account}:*"},
            },
        )
