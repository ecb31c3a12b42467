"""The Serving stack: the endpoint that follows the active model, and the API in front of it."""

from __future__ import annotations

from constructs import Construct

from stacks.api.rest_api import Api
from stacks.constructs.project_stack import ProjectStack
from stacks.constructs.role import ServiceRole
from stacks.deployed_flywheel import deployed_flywheel
from stacks.flywheel.queues import let_rules_send
from stacks.serving.alarms import ServingAlarms
from stacks.serving.machine import ServeMachine
from stacks.serving.parameters import ServingParameters
from stacks.serving.removal import ServingRemoval
from stacks.serving.role import endpoint_role
from stacks.serving.steps import ServingSteps
from stacks.serving.target import ServingTarget
from stacks.serving.triggers import ServingTriggers
from stacks.settings import FlywheelSettings


class ServingStack(ProjectStack):
    def __init__(self, scope: Construct, construct_id: str, *, settings: FlywheelSettings) -> None:
        super().__init__(
            scope,
            construct_id,
            settings=settings,
            description="Live predictions of the active model of an Amazon Comprehend flywheel",
        )
        self._parameters = ServingParameters(self, "Parameters", settings=settings)
        self._access = deployed_flywheel(self, "Flywheel", settings=settings)
        endpoint = self._access.names.endpoint_arn
        role = endpoint_role(self, "EndpointAccess", access=self._access) if self._access.encryption.key else None
        self._functions = self._access.functions(
            self,
            parameters=self._parameters,
            environment={
                "ENDPOINT_ARN": endpoint,
                "ENDPOINT_ROLE_ARN": role.arn if role else "",
                "SERVE_MACHINE_ARN": self._access.names.serve_machine_arn,
            },
        )
        machine = self._add_serving(role)
        api = Api(self, "Api", functions=self._functions, access=self._access, parameters=self._parameters)
        self._publish(
            ServeMachineArn=machine.arn,
            EndpointArn=endpoint,
            ApiUrl=api.url,
            CallersPolicyArn=api.callers_policy_arn,
            **({"FeedbackPolicyArn": api.feedback_policy_arn} if api.feedback_policy_arn else {}),
        )

    def _add_serving(self, role: ServiceRole | None) -> ServeMachine:
        access, parameters = self._access, self._parameters
        steps = ServingSteps(
            self,
            "Steps",
            functions=self._functions,
            access=access,
            role=role,
            smoke_test_key=parameters.smoke_test_key.value_as_string,
        )
        machine = ServeMachine(self, "Serve", steps=steps, access=access, parameters=parameters)
        triggers = ServingTriggers(self, "Triggers", access=access, machine_arn=machine.arn)
        removal = ServingRemoval(
            self,
            "Removal",
            functions=self._functions,
            machine_arn=access.names.serve_machine_arn,
            machine=machine.resource,
            needed=[steps.bring_endpoint, steps.report_serving],
            report=steps.report_serving,
            undelivered=triggers.undelivered,
        )
        let_rules_send(triggers.undelivered, rules=[*triggers.rules, removal.stopped])
        target = ServingTarget(self, "Serving", names=access.names, parameters=parameters)
        # Deleted in the opposite order: first the target, then what starts the machine, then the endpoint.
        for trigger in triggers.rules:
            trigger.node.add_dependency(removal)
            target.node.add_dependency(trigger)
        ServingAlarms(
            self,
            "Alarms",
            topic=access.topic,
            undelivered=triggers.undelivered,
            machine_arn=machine.arn,
            flywheel_name=access.settings.name,
        )
        return machine
