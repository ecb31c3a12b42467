"""The role that Comprehend takes on to read the input of analysis jobs and to write their output."""

from __future__ import annotations

from constructs import Construct

from stacks.constructs.role import Permission, ServiceRole
from stacks.flywheel.access import FlywheelAccess
from stacks.flywheel.role import comprehend_role


def analysis_role(scope: Construct, construct_id: str, *, access: FlywheelAccess) -> ServiceRole:
    """Not for what people drop: it reads and writes only what the functions make of it."""
    return comprehend_role(
        scope,
        construct_id,
        settings=access.settings,
        encryption=access.encryption,
        description="Comprehend reads the documents of analysis jobs and writes what it answers.",
        permissions=[
            Permission(actions=["s3:ListBucket"], resources=[access.intake.bucket_arn]),
            Permission(
                actions=["s3:GetObject", "s3:PutObject"],
                resources=[access.intake.arn_for_objects("analysis/jobs/*")],
                wildcard_reason="Jobs come and go; Comprehend names the folder of a job's output after the job.",
            ),
        ],
    )
