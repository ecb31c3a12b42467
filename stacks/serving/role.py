"""The role with which Comprehend opens a model under a customer managed key, to answer with it."""

from __future__ import annotations

from constructs import Construct

from stacks.constructs.role import ServiceRole, on_behalf_of
from stacks.flywheel.access import FlywheelAccess


def endpoint_role(scope: Construct, construct_id: str, *, access: FlywheelAccess) -> ServiceRole:
    return ServiceRole(
        Construct(scope, construct_id),
        "Service",
        service="comprehend.amazonaws.com",
        description="Comprehend's endpoint opens the encrypted model.",
        permissions=access.encryption.job_permissions(),
        trust_condition=on_behalf_of(access.names.endpoint_arn),
    )
