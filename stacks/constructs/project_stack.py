"""What every stack of one flywheel has in common."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.settings import FlywheelSettings


class ProjectStack(cdk.Stack):
    """Bound to no account and no Region, so that one assembly deploys anywhere, unless it is in an environment's stage.

    Its id is its name also in a stage, which would put its own name before it.
    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: FlywheelSettings, description: str) -> None:
        super().__init__(
            scope,
            construct_id,
            stack_name=construct_id,
            description=description,
            synthesizer=cdk.DefaultStackSynthesizer(),
            tags=settings.tags,
        )
        for key, value in settings.tags.items():
            cdk.Tags.of(self).add(key, value)
        if settings.permissions_boundary:
            boundary = iam.ManagedPolicy.from_managed_policy_arn(self, "Boundary", settings.permissions_boundary)
            iam.PermissionsBoundary.of(self).apply(boundary)

    def _publish(self, **outputs: str) -> None:
        """The names of the outputs are an interface."""
        for name, value in outputs.items():
            cdk.CfnOutput(self, name, value=value).override_logical_id(name)
