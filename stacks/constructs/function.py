"""The Lambda functions of the flywheel: one way to make one, for all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3_assets as s3_assets
from aws_cdk import aws_sqs as sqs
from aws_cdk.aws_lambda import CfnFunction
from constructs import Construct

from stacks.constructs.encryption_key import EncryptionKey
from stacks.constructs.role import Permission, ServiceRole, permission_to_send
from stacks.constructs.stack_parameters import as_number
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
_TRACING = Permission(
    actions=["xray:PutTraceSegments", "xray:PutTelemetryRecords"],
    resources=["*"],
    wildcard_reason="X-Ray's write actions know no resource.",
)
LONGEST = cdk.Duration.minutes(15)
"""The longest that a function may run."""
ONE_PROCESSOR_MIB = 1769
"""With so much memory comes one whole processor."""
MOST_STORAGE_MIB = 10_240


@dataclass(frozen=True, kw_only=True)
class Functions:
    """What the functions of one stack have in common."""

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
    flywheel: cdk.CfnResource | None = None
    """Where it is in the same stack. Roles and functions know its computed ARN: when it is replaced, they must not
    change to the new one before it is there."""


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
    """The module `handlers.<wing>.<name>` of the code asset, on Python 3.13 and arm64, with X-Ray, a role and logs."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        wing: str,
        functions: Functions,
        description: str,
        permissions: Sequence[Permission],
        environment: Sequence[str],
        encrypted: Sequence[str] = ("s3",),
        timeout: cdk.Duration,
        memory_mib: int = 256,
        storage_mib: int | None = None,
        busy_attempts: int = 0,
        dead_letters: sqs.IQueue | None = None,
        construct_id: str | None = None,
    ) -> None:
        """The construct is named after the module, and so is the state that calls it, unless `construct_id` is given.
        `encrypted` names the services through which the function touches data under the flywheel's key. `busy_attempts`
        are the further calls of a state while the function raises ServiceBusy: given if it can."""
        self.name = name
        self.state = name.title().replace("_", "")
        self.timeout = timeout
        self.busy_attempts = busy_attempts
        super().__init__(scope, construct_id or self.state)
        log_group = logs.CfnLogGroup(
            self,
            "Logs",
            log_group_name=f"/comprehend-flywheel/{functions.flywheel_name}/{name}",
            retention_in_days=as_number(functions.log_retention_days),
            kms_key_id=functions.encryption.arn,
        )
        log_group.apply_removal_policy(cdk.RemovalPolicy.DESTROY)
        self.role = ServiceRole(
            self,
            "Service",
            service="lambda.amazonaws.com",
            description=description,
            permissions=[
                *permissions,
                *functions.encryption.permissions(through=encrypted),
                *([permission_to_send(dead_letters)] if dead_letters else []),
                # The ARN that CloudFormation gives already ends in the streams' wildcard.
                Permission(actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[log_group.attr_arn]),
                _TRACING,
                *([_NETWORK_INTERFACES] if functions.vpc else []),
            ],
        )
        if functions.flywheel is not None:
            self.role.resource.add_resource_dependency(functions.flywheel)
        self.resource = CfnFunction(
            self,
            "Function",
            description=description,
            runtime=PYTHON,
            architectures=["arm64"],
            handler=f"handlers.{wing}.{name}.handler",
            code=CfnFunction.CodeProperty(s3_bucket=functions.code.s3_bucket_name, s3_key=functions.code.s3_object_key),
            layers=[functions.powertools_layer_arn],
            role=self.role.arn,
            memory_size=memory_mib,
            timeout=timeout.to_seconds(),
            ephemeral_storage=CfnFunction.EphemeralStorageProperty(size=storage_mib) if storage_mib else None,
            vpc_config=CfnFunction.VpcConfigProperty(
                subnet_ids=list(functions.vpc.subnets), security_group_ids=list(functions.vpc.security_groups)
            )
            if functions.vpc
            else None,
            reserved_concurrent_executions=functions.reserved_concurrency,
            tracing_config=CfnFunction.TracingConfigProperty(mode="Active"),
            logging_config=CfnFunction.LoggingConfigProperty(log_group=log_group.ref),
            dead_letter_config=CfnFunction.DeadLetterConfigProperty(target_arn=dead_letters.queue_arn)
            if dead_letters
            else None,
            environment=CfnFunction.EnvironmentProperty(
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

    @property
    def arn(self) -> str:
        return self.resource.attr_arn
