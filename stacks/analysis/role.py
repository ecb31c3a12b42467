"""The role that Comprehend takes on to read the input of analysis jobs and to write their output."""

from __future__ import annotations

from constructs import Construct

from stacks.constructs.role import Permission, ServiceRole
from stacks.flywheel.access import FlywheelAccess
from stacks.flywheel.data_access_role import permission_in_vpc, trust_of_comprehend


class AnalysisRole(Construct):
    """Not for what people drop: it reads and writes only what the functions make of it."""

    def __init__(self, scope: Construct, construct_id: str, *, access: FlywheelAccess) -> None:
        super().__init__(scope, construct_id)
        self.role = ServiceRole(
            self,
            "Service",
            service="comprehend.amazonaws.com",
            description="Comprehend reads the documents of analysis jobs and writes what it answers.",
            permissions=[
                Permission(actions=["s3:ListBucket"], resources=[access.intake.bucket_arn]),
                Permission(
                    actions=["s3:GetObject", "s3:PutObject"],
                    resources=[access.intake.arn_for_objects("analysis/jobs/*")],
                    wildcard_reason="Jobs come and go; Comprehend names the folder of a job's output after the job.",
                ),
                *access.encryption.permissions(through=["s3"]),
                *access.encryption.job_permissions(),
                *([permission_in_vpc()] if access.settings.training_vpc else []),
            ],
            trust_condition=trust_of_comprehend(),
        )

    @property
    def arn(self) -> str:
        return self.role.arn
