"""A Step Functions Standard machine in JSONata with its log group, as the flywheel has them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.constructs.arn import arn_of
from stacks.constructs.encryption_key import EncryptionKey
from stacks.constructs.function import FlywheelFunction
from stacks.constructs.role import Permission, ServiceRole, on_behalf_of
from stacks.constructs.stack_parameters import as_number

SECONDS_OF_A_CALL = 60
"""Of a service that is called without a function."""


class StateMachine(Construct):
    """The L1 resource: the L2 one would attach wider permissions to the role."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        machine_name: str,
        comment: str,
        definition: sfn.IChainable,
        role: ServiceRole,
        waits: cdk.Duration,
        log_retention_days: cdk.CfnParameter,
        encryption: EncryptionKey,
        names_executions: bool = True,
    ) -> None:
        """`machine_name` is fixed, so that roles can name the machine; `names_executions`: whoever starts one names it
        by a number or by content, so the machine is another one in each deployment (`name_in_deployment`). `waits` are
        the budgets of what it waits for, together: an execution may take so long, and what its tasks take on top."""
        super().__init__(scope, construct_id)
        log_group = logs.CfnLogGroup(
            self,
            "Logs",
            # This prefix keeps the size of CloudWatch Logs' resource policy within its limit.
            log_group_name=f"/aws/vendedlogs/states/{machine_name}",
            retention_in_days=as_number(log_retention_days),
            kms_key_id=encryption.arn,
        )
        log_group.apply_removal_policy(cdk.RemovalPolicy.DESTROY)
        graph = sfn.StateGraph(definition.start_state, machine_name).to_graph_json(sfn.QueryLanguage.JSONATA)
        for state in graph["States"].values():
            # The CDK knows a time-out that is computed by its name in JSONPath only.
            if "TimeoutSecondsPath" in state:
                state["TimeoutSeconds"] = state.pop("TimeoutSecondsPath")
        self.resource = sfn.CfnStateMachine(
            self,
            "Machine",
            state_machine_name=name_in_deployment(machine_name) if names_executions else machine_name,
            state_machine_type="STANDARD",
            role_arn=role.arn,
            definition_string=cdk.Stack.of(self).to_json_string(
                {
                    "Comment": comment,
                    "QueryLanguage": "JSONata",
                    "TimeoutSeconds": waits.to_seconds() + seconds_of_tasks(graph["States"]),
                    **graph,
                }
            ),
            tracing_configuration=sfn.CfnStateMachine.TracingConfigurationProperty(enabled=True),
            logging_configuration=sfn.CfnStateMachine.LoggingConfigurationProperty(
                level="ALL",
                include_execution_data=False,
                destinations=[
                    sfn.CfnStateMachine.LogDestinationProperty(
                        cloud_watch_logs_log_group=sfn.CfnStateMachine.CloudWatchLogsLogGroupProperty(
                            log_group_arn=log_group.attr_arn
                        )
                    )
                ],
            ),
        )

    @property
    def arn(self) -> str:
        return self.resource.ref


def executions_of(machine_arn: str) -> str:
    """What the ARNs of a machine's executions begin with."""
    return machine_arn.replace(":stateMachine:", ":execution:")


def name_in_deployment(machine_name: str) -> str:
    """With eight digits that are the stack's own: what replaces a destroyed stack gets others.

    Step Functions remembers the names of a machine's executions for 90 days, also when the machine is gone: the first
    turns of the next deployment would be taken for those of the former one.
    """
    guid = cdk.Fn.select(2, cdk.Fn.split("/", cdk.Aws.STACK_ID))
    return f"{machine_name}-{cdk.Fn.select(0, cdk.Fn.split('-', guid))}"


def seconds_of_tasks(states: Mapping[str, Any]) -> int:
    """What the tasks of a definition take at most, once each, with every attempt and every pause of their retries."""
    seconds = 0.0
    for state in states.values():
        if state["Type"] == "Map":
            seconds += seconds_of_tasks(state["ItemProcessor"]["States"])
        if state["Type"] == "Task":
            # A computed one belongs to what is waited for: people, not functions.
            timeout = state.get("TimeoutSeconds", SECONDS_OF_A_CALL)
            of_attempt = timeout if isinstance(timeout, int | float) else 0
            seconds += of_attempt
            for retry in state.get("Retry", []):
                pauses = (retry["IntervalSeconds"] * retry["BackoffRate"] ** n for n in range(retry["MaxAttempts"]))
                seconds += sum(min(pause, retry.get("MaxDelaySeconds", pause)) + of_attempt for pause in pauses)
    return math.ceil(seconds)


def machine_role(
    scope: Construct, *, description: str, functions: Construct | Sequence[Construct], permissions: Sequence[Permission]
) -> ServiceRole:
    """Lets a machine call the functions below `functions`, write logs and traces, and do what `permissions` say."""
    parents = [functions] if isinstance(functions, Construct) else functions
    arns = [child.arn for parent in parents for child in parent.node.children if isinstance(child, FlywheelFunction)]
    return ServiceRole(
        scope,
        "Service",
        service="states.amazonaws.com",
        description=description,
        trust_condition=on_behalf_of(arn_of("states", "stateMachine:*")),
        permissions=[
            Permission(actions=["lambda:InvokeFunction"], resources=arns),
            *permissions,
            Permission(
                actions=[
                    "logs:CreateLogDelivery",
                    "logs:DeleteLogDelivery",
                    "logs:DescribeLogGroups",
                    "logs:DescribeResourcePolicies",
                    "logs:GetLogDelivery",
                    "logs:ListLogDeliveries",
                    "logs:PutResourcePolicy",
                    "logs:UpdateLogDelivery",
                    "xray:GetSamplingRules",
                    "xray:GetSamplingTargets",
                    "xray:PutTelemetryRecords",
                    "xray:PutTraceSegments",
                ],
                resources=["*"],
                wildcard_reason="Log delivery and X-Ray know no resource: Step Functions' guide demands them so.",
            ),
        ],
    )


def permissions_to_run(machine_arn: str) -> list[Permission]:
    """What the role of a machine needs to run another one to its end (Step Functions' guide, nested executions)."""
    rule = "rule/StepFunctionsGetEventsForStepFunctionsExecutionRule"
    return [
        Permission(actions=["states:StartExecution"], resources=[machine_arn]),
        Permission(
            actions=["states:DescribeExecution", "states:StopExecution"],
            resources=[f"{executions_of(machine_arn)}:*"],
            wildcard_reason="Each execution has a name of its own.",
        ),
        Permission(
            actions=["events:PutTargets", "events:PutRule", "events:DescribeRule"],
            resources=[arn_of("events", rule)],
        ),
    ]


def permissions_for_children(machine_arn: str) -> list[Permission]:
    """What the role of a machine needs to run the children of a distributed map, which are executions of itself."""
    reason = "Step Functions names the children of a distributed map."
    executions = executions_of(machine_arn)
    return [
        Permission(actions=["states:StartExecution"], resources=[machine_arn]),
        Permission(
            actions=["states:DescribeExecution", "states:StopExecution"],
            resources=[f"{executions}:*"],
            wildcard_reason=reason,
        ),
        Permission(actions=["states:RedriveExecution"], resources=[f"{executions}/*"], wildcard_reason=reason),
    ]
