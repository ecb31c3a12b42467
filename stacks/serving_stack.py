"""The Serving stack: the endpoint that follows the active model, and the API in front of it."""

from __future__ import annotations

from constructs import Construct

from stacks.api.rest_api import Api
from stacks.constructs.project_stack import ProjectStack
from stacks.flywheel.queues import let_rules_send
from stacks.serving.alarms import ServingAlarms
from stacks.serving.endpoint_name import endpoint_arn
from stacks.serving.machine import ServeMachine, serve_machine_arn
from stacks.serving.parameters import ServingParameters
from stacks.serving.removal import ServingRemoval
from stacks.serving.role import EndpointRole
from stacks.serving.steps import ServingSteps
from stacks.serving.triggers import ServingTriggers
from stacks.serving.wanted import ServingWish

from .deployed_flywheel import DeployedFlywheel
from .settings import FlywheelSettings


class ServingStack(ProjectStack):
    def __init__(self, scope: Construct, construct_id: str, *, settings: FlywheelSettings) -> None:
        super().__init__(
            scope,
            construct_id,
            settings=settings,
            description="Live predictions of the active model of an Amazon Comprehend flywheel",
        )
        parameters = ServingParameters(
            self, "Parameters", concurrency_is_a_setting=settings.reserved_concurrency is not None
        )
        flywheel = DeployedFlywheel(self, "Flywheel", settings=settings)
        endpoint = endpoint_arn(settings=settings)
        machine_arn = serve_machine_arn(settings=settings)
        encrypted = flywheel.encryption.key is not None
        role = (
            EndpointRole(self, "EndpointAccess", encryption=flywheel.encryption, endpoint_arn=endpoint)
            if encrypted
            else None
        )
        functions = flywheel.functions(
            log_retention_days=parameters.log_retention_days,
            environment={
                "ENDPOINT_ARN": endpoint,
                "ENDPOINT_ROLE_ARN": role.arn if role else "",
                "SERVE_MACHINE_ARN": machine_arn,
                "REVIEW_THRESHOLD": parameters.review_threshold.value_as_string,
            },
        )
        steps = ServingSteps(
            self,
            "Steps",
            functions=functions,
            flywheel=flywheel,
            endpoint_arn=endpoint,
            endpoint_role_arn=role.arn if role else None,
            smoke_test_key=parameters.smoke_test_key.value_as_string,
        )
        machine = ServeMachine(
            self,
            "Serve",
            settings=settings,
            steps=steps,
            endpoint_arn=endpoint,
            parameters=parameters,
            encryption=flywheel.encryption,
        )
        triggers = ServingTriggers(self, "Triggers", flywheel=flywheel, machine_arn=machine.arn)
        removal = ServingRemoval(
            self,
            "Removal",
            functions=functions,
            machine_arn=machine_arn,
            machine=machine.resource,
            needed=[steps.bring_endpoint, steps.report_serving],
            report=steps.report_serving,
            undelivered=triggers.undelivered,
        )
        let_rules_send(triggers.undelivered, rule_arns=[rule.attr_arn for rule in [*triggers.rules, removal.stopped]])
        wish = ServingWish(
            self,
            "Serving",
            settings=settings,
            wish={
                "inference_units": parameters.inference_units.value_as_string,
                "maximum_inference_units": parameters.maximum_inference_units.value_as_string,
                "smoke_test_key": parameters.smoke_test_key.value_as_string,
                "smoke_test_minimum": parameters.smoke_test_minimum.value_as_string,
                "hours_start": parameters.serving_hours_start.value_as_string,
                "hours_end": parameters.serving_hours_end.value_as_string,
            },
        )
        # Deleted in the opposite order: first the wish, then what starts the machine, then the endpoint.
        for trigger in triggers.rules:
            trigger.node.add_dependency(removal)
            wish.node.add_dependency(trigger)
        ServingAlarms(
            self,
            "Alarms",
            topic=flywheel.topic,
            undelivered=triggers.undelivered,
            machine_arn=machine.arn,
            flywheel_name=settings.name,
        )
        api = Api(
            self,
            "Api",
            settings=settings,
            functions=functions,
            access=flywheel.access,
            encryption=flywheel.encryption,
            parameters=parameters,
        )
        self._publish(
            ServeMachineArn=machine.arn,
            EndpointArn=endpoint,
            ApiUrl=api.url,
            CallersPolicyArn=api.callers_policy_arn,
        )
