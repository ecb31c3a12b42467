"""One Lambda function of the flywheel with its own role and log group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_comprehend as comprehend
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

from stacks.constructs.role import Permission, ServiceRole
from stacks.constructs.stack_parameters import as_number
from stacks.flywheel.encryption_key import EncryptionKey
from stacks.settings import Vpc

CODE = Path(__file__).parents[2] / "lambdas"
PYTHON = "python3.13"

_NETWORK_INTERFACES = Permission(
    actions=[
        "ec2:AssignPrivateIpAddresses",
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:UnassignPrivateIpAddresses",
    ],
    resources=["*"],
    # Lambda's guide: a call out of the function's own code carries this key, the service's own calls do not.
    condition={"Null": {"lambda:SourceFunctionArn": "true"}},
    wildcard_reason="Lambda makes network interfaces with the function's role, and demands these without a resource.",
)
"""What Lambda needs to run a function in a VPC."""


@dataclass(frozen=True, kw_only=True)
class Functions:
    """What the functions of one flywheel have in common."""

    flywheel_name: str
    """The setting: it begins the log groups' names and is the service name in logs, metrics and traces."""
    code: s3_assets.Asset
    powertools_layer_arn: str
    log_retention_days: cdk.CfnParameter
    encryption: EncryptionKey
    environment: Mapping[str, str]
    """Every variable that a function may ask for."""
    vpc: Vpc | None = None
    reserved_concurrency: int | None = None


def function_code(scope: Construct) -> s3_assets.Asset:
    """All of `lambdas/`, without what Python leaves there when tests run."""
    return s3_assets.Asset(
        scope,
        "FunctionCode",
        path=str(CODE),
        exclude=["**/__pycache__", "**/*.pyc", "**/.*"],
        ignore_mode=cdk.IgnoreMode.GLOB,
    )


def powertools_layer_arn(*, version: str) -> str:
    """The ARN of AWS's public layer, which CloudFormation looks up in the Region it deploys to.

    Not by a template parameter: a stack keeps the value that a parameter had when it was first deployed, so another
    version or another runtime, as its default, would never arrive.
    """
    name = f"/aws/service/powertools/python/arm64/{PYTHON}/{version}"
    return cdk.CfnDynamicReference(cdk.CfnDynamicReferenceService.SSM, name).to_string()


class FlywheelFunction(Construct):
    """The module `handlers.<wing>.<name>` of the code asset, on Python 3.13 and arm64, with X-Ray."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        wing: str,
        name: str,
        functions: Functions,
        description: str,
        permissions: Sequence[Permission],
        environment: Sequence[str],
        encrypted: Sequence[str] = ("s3",),
        timeout: cdk.Duration,
        memory_mib: int = 256,
        ephemeral_storage_mib: int | None = None,
        dead_letter_queue_arn: str | None = None,
    ) -> None:
        """`encrypted` names the services through which the function touches data under the flywheel's key."""
        super().__init__(scope, construct_id)
        self.name = name
        self.timeout = timeout
        encryption = functions.encryption
        log_group = logs.CfnLogGroup(
            self,
            "Logs",
            log_group_name=f"/comprehend-flywheel/{functions.flywheel_name}/{name}",
            retention_in_days=as_number(functions.log_retention_days),
            kms_key_id=encryption.arn,
        )
        log_group.apply_removal_policy(cdk.RemovalPolicy.DESTROY)
        tracing = Permission(
            actions=["xray:PutTraceSegments", "xray:PutTelemetryRecords"],
            resources=["*"],
            wildcard_reason="X-Ray's write actions know no resource.",
        )
        self.role = ServiceRole(
            self,
            "Service",
            service="lambda.amazonaws.com",
            description=description,
            permissions=[
                *permissions,
                *([] if not encrypted else encryption.permissions(through=encrypted)),
                *(
                    [Permission(actions=["sqs:SendMessage"], resources=[dead_letter_queue_arn])]
                    if dead_letter_queue_arn
                    else []
                ),
                # The ARN that CloudFormation gives already ends in the streams' wildcard.
                Permission(actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[log_group.attr_arn]),
                tracing,
                *([_NETWORK_INTERFACES] if functions.vpc else []),
            ],
        )
        self.resource = lambda_.CfnFunction(
            self,
            "Function",
            description=description,
            runtime=PYTHON,
            architectures=["arm64"],
            handler=f"handlers.{wing}.{name}.handler",
            code=lambda_.CfnFunction.CodeProperty(
                s3_bucket=functions.code.s3_bucket_name, s3_key=functions.code.s3_object_key
            ),
            layers=[functions.powertools_layer_arn],
            role=self.role.arn,
            memory_size=memory_mib,
            timeout=timeout.to_seconds(),
            ephemeral_storage=lambda_.CfnFunction.EphemeralStorageProperty(size=ephemeral_storage_mib)
            if ephemeral_storage_mib
            else None,
            vpc_config=lambda_.CfnFunction.VpcConfigProperty(
                subnet_ids=list(functions.vpc.subnets), security_group_ids=list(functions.vpc.security_groups)
            )
            if functions.vpc
            else None,
            reserved_concurrent_executions=functions.reserved_concurrency,
            tracing_config=lambda_.CfnFunction.TracingConfigProperty(mode="Active"),
            logging_config=lambda_.CfnFunction.LoggingConfigProperty(log_group=log_group.ref),
            dead_letter_config=lambda_.CfnFunction.DeadLetterConfigProperty(target_arn=dead_letter_queue_arn)
            if dead_letter_queue_arn
            else None,
            environment=lambda_.CfnFunction.EnvironmentProperty(
                variables={
                    **{variable: functions.environment[variable] for variable in environment},
                    "POWERTOOLS_SERVICE_NAME": functions.flywheel_name,
                }
            ),
        )

        cdk.Validations.of(self.resource).acknowledge(
            cdk.Acknowledgment(
                id="AwsSolutions-L1",
                reason="Python 3.13 is maintained, and it is what the pinned Powertools layer and the tests are for.",
            )
        )

    def wait_for(self, flywheel: comprehend.CfnFlywheel) -> None:
        """Role and function know the flywheel's computed ARN: when it is replaced, they must not change to the new one
        before it is there."""
        self.role.resource.add_resource_dependency(flywheel)

    @property
    def arn(self) -> str:
        return self.resource.attr_arn
