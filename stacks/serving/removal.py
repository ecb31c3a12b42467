"""Removes the endpoint when the stack is destroyed: it is in no template, and billed by the hour."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.constructs.function import FlywheelFunction, Functions
from stacks.constructs.pokes import rule_on_stops
from stacks.constructs.role import Permission

MOST_TIME = cdk.Duration.hours(1)
"""All that CloudFormation gives a custom resource."""


class ServingRemoval(Construct):
    """`resource` is deleted before the machine and its functions are; what starts the machine, and the target,
    must be gone before, and so depend on it."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        functions: Functions,
        machine_arn: str,
        machine: cdk.CfnResource,
        needed: list[FlywheelFunction],
        report: FlywheelFunction,
        undelivered: sqs.IQueue,
    ) -> None:
        """`report` answers CloudFormation for a run of the machine that ended without doing so."""
        super().__init__(scope, construct_id)
        remove_endpoint = FlywheelFunction(
            self,
            "remove_endpoint",
            wing="serving",
            functions=functions,
            description="Has the serve machine remove the endpoint, when the stack is destroyed.",
            timeout=cdk.Duration.minutes(2),
            environment=["SERVE_MACHINE_ARN"],
            encrypted=[],
            permissions=[Permission(actions=["states:StartExecution"], resources=[machine_arn])],
        )
        removal = cdk.CustomResource(
            self,
            "Removal",
            service_token=remove_endpoint.arn,
            resource_type="Custom::EndpointRemoval",
            service_timeout=MOST_TIME,
        )
        self.resource = removal
        stops = Construct(self, "Stops")
        self.stopped = rule_on_stops(
            stops, word="Removal", machine_arn=machine_arn, report=report, undelivered=undelivered
        )
        removal.node.add_dependency(stops)
        removal.node.add_dependency(machine)
        for step in needed:
            removal.node.add_dependency(step)
