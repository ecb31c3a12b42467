"""The role that Comprehend takes on to import models, and to read and write in the jobs that try them."""

from __future__ import annotations

from constructs import Construct

from flywheel.records.imports import WORK
from stacks.constructs.role import Permission, ServiceRole
from stacks.flywheel.access import FlywheelAccess
from stacks.flywheel.role import comprehend_role

TRIALS = f"{WORK}*"


def import_role(scope: Construct, construct_id: str, *, access: FlywheelAccess) -> ServiceRole:
    return comprehend_role(
        scope,
        construct_id,
        settings=access.settings,
        encryption=access.encryption,
        description="Comprehend imports models, and answers the documents that try them.",
        permissions=[
            Permission(actions=["s3:ListBucket"], resources=[access.intake.bucket_arn]),
            Permission(
                actions=["s3:GetObject", "s3:PutObject"],
                resources=[access.intake.arn_for_objects(TRIALS)],
                wildcard_reason="Each promotion has a trial; Comprehend names the folder of a job's output.",
            ),
            *use_source_key(access),
        ],
    )


def use_source_key(access: FlywheelAccess) -> list[Permission]:
    """The key of the account that trains the models, as Comprehend's guide lists it for an import (reference 11)."""
    key = access.settings.source_key_arn
    if key is None:
        return []
    return [Permission(actions=["kms:CreateGrant", "kms:Decrypt", "kms:GenerateDataKey"], resources=[key])]
