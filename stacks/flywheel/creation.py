"""A flywheel that begins with an existing model: a custom resource, and the machine that works for it (decision 019).

AWS's own resource type would send the model again with every update of the stack.
"""

from __future__ import annotations

import functools
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.constructs.function import FlywheelFunction, Functions
from stacks.constructs.pokes import rule_on_stops
from stacks.constructs.poll import Poll
from stacks.constructs.role import Permission, ServiceRole, pass_to_comprehend
from stacks.constructs.state_machine import StateMachine, machine_role
from stacks.constructs.states import States
from stacks.flywheel.access import FlywheelAccess
from stacks.flywheel.parameters import FlywheelParameters
from stacks.names import LAKE_PREFIX

MOST_TIME = cdk.Duration.hours(1)
"""All that CloudFormation gives a custom resource."""
BUDGET = cdk.Duration.minutes(45)
"""For Comprehend to create or delete the flywheel. 16 minutes were seen with the data of 5,572 documents (reference
2.3)."""
BUSY_ATTEMPTS = 4
"""Together about eight minutes: with the budget less than CloudFormation's hour."""
TIMEOUT = cdk.Duration.minutes(2)
_REQUEST = "{% $states.context.Execution.Input.request %}"
_ANY_GENERATION = "An update that is rolled back leaves a flywheel of another generation to delete."


class CreationSteps(Construct):
    """The functions that the create machine calls."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        functions: Functions,
        access: FlywheelAccess,
        role: ServiceRole,
        undelivered: sqs.IQueue,
    ) -> None:
        super().__init__(scope, construct_id)
        step = functools.partial(FlywheelFunction, self, wing="creation", functions=functions, timeout=TIMEOUT)
        any_generation = access.names.any_generation_arn
        self.change_flywheel = step(
            "change_flywheel",
            description="Creates the flywheel with its initial model, changes or deletes it for CloudFormation.",
            environment=[],
            encrypted=[],
            busy_attempts=BUSY_ATTEMPTS,
            permissions=[
                Permission(
                    actions=[
                        "comprehend:CreateFlywheel",
                        "comprehend:DeleteFlywheel",
                        "comprehend:DescribeFlywheel",
                        "comprehend:ListFlywheelIterationHistory",
                        "comprehend:ListTagsForResource",
                        "comprehend:TagResource",
                        "comprehend:UntagResource",
                        # Of no model: IAM refuses an update that names one.
                        "comprehend:UpdateFlywheel",
                    ],
                    resources=[any_generation],
                    wildcard_reason=_ANY_GENERATION,
                ),
                Permission(
                    actions=[f"comprehend:{access.kind.describe_model}", "comprehend:CreateFlywheel"],
                    resources=[str(access.settings.initial_model_arn)],
                ),
                pass_to_comprehend(role.arn),
                *access.encryption.job_permissions(),
                Permission(actions=["cloudformation:DescribeStacks"], resources=[cdk.Aws.STACK_ID]),
            ],
        )
        self.report_flywheel = step(
            "report_flywheel",
            description="Answers CloudFormation about the flywheel, and notes with which model it began.",
            environment=["INTAKE_BUCKET"],
            encrypted=["s3", "sqs"],
            dead_letters=undelivered,
            permissions=[
                access.objects("promotions/initial/*", actions=("PutObject",)),
                access.flywheel_of_any_generation("DescribeFlywheel", "DeleteFlywheel"),
            ],
        )


class CreateMachine(Construct):
    """Creates the flywheel, changes or deletes it, waits until that is done, and answers CloudFormation."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        steps: CreationSteps,
        access: FlywheelAccess,
        parameters: FlywheelParameters,
    ) -> None:
        super().__init__(scope, construct_id)
        self._steps = steps
        self._parameters = parameters
        self._states = States(
            self, report=steps.report_flywheel, failure={"request": _REQUEST}, ends_in="CreationFailed"
        )
        role = machine_role(
            self,
            description="The create machine calls its functions and asks Comprehend how far the flywheel is.",
            functions=steps,
            permissions=[
                Permission(
                    actions=["comprehend:DescribeFlywheel"],
                    resources=[access.names.any_generation_arn],
                    wildcard_reason=_ANY_GENERATION,
                )
            ],
        )
        machine = StateMachine(
            self,
            "Machine",
            machine_name=access.names.create_machine,
            # CloudFormation's ids name them, which are never given twice.
            names_executions=False,
            comment="One request of CloudFormation about the flywheel: change it, wait, answer.",
            definition=self._definition(),
            role=role,
            waits=BUDGET,
            log_retention_days=parameters.log_retention_days,
            encryption=access.encryption,
        )
        self.resource = machine.resource
        self.arn = machine.arn

    def _definition(self) -> sfn.Chain:
        steps, states = self._steps, self._states
        change = states.call(
            steps.change_flywheel,
            payload={"request": _REQUEST},
            assign={"flywheelArn": "{% $states.result.Payload.flywheel_arn %}"},
        )
        report = states.call(steps.report_flywheel, payload={"request": _REQUEST}).next(
            sfn.Succeed.jsonata(self, "Answered")
        )
        choice = sfn.Choice.jsonata(self, "HasToWait")
        creation = self._poll("FlywheelCreation", successes=["ACTIVE"], failures=["FAILED"], error="FlywheelFailed")
        deletion = self._poll("FlywheelDeletion", successes=[], done_if_gone=True)
        choice.when(_awaited("ACTIVE"), creation).when(_awaited("GONE"), deletion).otherwise(report)
        creation.next(report)
        deletion.next(report)
        return change.next(choice)

    def _poll(self, construct_id: str, **ends: Any) -> Poll:
        return Poll(
            self,
            construct_id,
            action="describeFlywheel",
            arguments={"FlywheelArn": "{% $flywheelArn %}"},
            properties="FlywheelProperties",
            seconds=self._parameters.poll_seconds,
            budget=BUDGET,
            failed=self._states.failed,
            **ends,
        )


class Creation(Construct):
    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        functions: Functions,
        access: FlywheelAccess,
        role: ServiceRole,
        undelivered: sqs.IQueue,
        parameters: FlywheelParameters,
    ) -> None:
        super().__init__(scope, construct_id)
        self._access = access
        self._steps = CreationSteps(
            self, "Steps", functions=functions, access=access, role=role, undelivered=undelivered
        )
        self._machine = CreateMachine(self, "Create", steps=self._steps, access=access, parameters=parameters)
        self._provide_flywheel = FlywheelFunction(
            self,
            "provide_flywheel",
            wing="creation",
            functions=functions,
            description="Has the create machine do what CloudFormation asks about the flywheel.",
            timeout=TIMEOUT,
            environment=["CREATE_MACHINE_ARN"],
            encrypted=[],
            permissions=[Permission(actions=["states:StartExecution"], resources=[self._machine.arn])],
        )
        self._stops = Construct(self, "Stops")
        self.stopped = rule_on_stops(
            self._stops,
            word="Creation",
            machine_arn=self._machine.arn,
            report=self._steps.report_flywheel,
            undelivered=undelivered,
        )

    def flywheel(self, *, lake: s3.IBucket, role: ServiceRole) -> cdk.CfnResource:
        """The custom resource. Whoever depends on it waits until the flywheel is ACTIVE."""
        settings, encryption = self._access.settings, self._access.encryption
        vpc = settings.training_vpc
        security: dict[str, Any] = {}
        if encryption.arn:
            security = {f"{of}KmsKeyId": encryption.arn for of in ("DataLake", "Model", "Volume")}
        if vpc:
            security["VpcConfig"] = {"Subnets": list(vpc.subnets), "SecurityGroupIds": list(vpc.security_groups)}
        flywheel = cdk.CfnResource(
            self,
            "Flywheel",
            type="Custom::FlywheelWithModel",
            properties={
                "ServiceToken": self._provide_flywheel.arn,
                "ServiceTimeout": MOST_TIME.to_seconds(),
                "FlywheelArn": self._access.names.flywheel_arn,
                "InitialModelArn": settings.initial_model_arn,
                "InitialModelData": list(settings.initial_model_data),
                "ModelType": settings.model_type,
                "LanguageCode": settings.language,
                **({} if settings.entity_types else {"Mode": settings.mode}),
                "Labels": list(settings.task_labels),
                "DataAccessRoleArn": role.arn,
                "DataLakeS3Uri": f"s3://{lake.bucket_name}/{LAKE_PREFIX}",
                "DataSecurityConfig": security,
                "Tags": [{"Key": key, "Value": value} for key, value in sorted(settings.tags.items())],
            },
        )
        for needed in (self._steps, self._machine, self._stops):
            flywheel.node.add_dependency(needed)
        return flywheel


def _awaited(status: str) -> sfn.Condition:
    return sfn.Condition.jsonata(f"{{% $states.input.awaited = '{status}' %}}")
