"""The parameters that only the pipeline writes, removed with the stack."""

from __future__ import annotations

import aws_cdk as cdk
from constructs import Construct

from stacks.constructs.function import FlywheelFunction, Functions
from stacks.flywheel.access import FlywheelAccess
from stacks.names import RUNTIME_PARAMETERS


class RuntimeParameters(Construct):
    """Never created by a template, because an update of the stack would reset them: a custom resource that does
    nothing until it is deleted."""

    def __init__(self, scope: Construct, construct_id: str, *, functions: Functions, access: FlywheelAccess) -> None:
        super().__init__(scope, construct_id)
        delete_runtime_parameters = FlywheelFunction(
            self,
            "delete_runtime_parameters",
            wing="promotions",
            functions=functions,
            description="Removes the parameters that the pipeline wrote, when the stack is destroyed.",
            timeout=cdk.Duration.minutes(2),
            environment=["PARAMETER_PREFIX"],
            encrypted=[],
            permissions=[access.parameters(*RUNTIME_PARAMETERS, actions=("DeleteParameters",))],
        )
        cdk.CustomResource(
            self,
            "Parameters",
            service_token=delete_runtime_parameters.arn,
            resource_type="Custom::RuntimeParameters",
            # CloudFormation would wait an hour for an answer that got lost. Lambda needs the time where it is busy: it
            # keeps an event that it has no room for, and tries again.
            service_timeout=cdk.Duration.minutes(15),
        )
