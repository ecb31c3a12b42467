"""The functions that the serve machine calls, and the one that has it remove the endpoint."""

from __future__ import annotations

import functools

import aws_cdk as cdk
from constructs import Construct

from stacks.constructs.arn import arn_of
from stacks.constructs.function import LONGEST, FlywheelFunction, Functions
from stacks.constructs.retries import BUSY_ATTEMPTS
from stacks.constructs.role import Permission, ServiceRole, pass_to_comprehend
from stacks.flywheel.access import READ, WRITE, FlywheelAccess
from stacks.names import SERVING_TARGET

BRING_TIMEOUT = cdk.Duration.minutes(2)
"""handlers/serving/bring_endpoint.py holds its lease a little longer than this."""
SCALING_SERVICE = "comprehend.application-autoscaling.amazonaws.com"
SCALING_ROLE = f"aws-service-role/{SCALING_SERVICE}/AWSServiceRoleForApplicationAutoScaling_ComprehendEndpoint"
SCALING = (
    Permission(
        actions=[
            "application-autoscaling:RegisterScalableTarget",
            "application-autoscaling:DeregisterScalableTarget",
            "application-autoscaling:PutScalingPolicy",
        ],
        resources=[arn_of("application-autoscaling", "scalable-target/*")],
        wildcard_reason="Application Auto Scaling names a target when it is registered.",
    ),
    Permission(
        actions=[
            "application-autoscaling:DescribeScalableTargets",
            "application-autoscaling:DescribeScalingPolicies",
        ],
        resources=["*"],
        wildcard_reason="Application Auto Scaling's lists know no resource.",
    ),
    Permission(
        actions=["cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms"],
        resources=[arn_of("cloudwatch", "alarm:TargetTracking-*")],
        wildcard_reason="Application Auto Scaling names the alarms of a policy.",
    ),
    Permission(
        actions=["cloudwatch:DescribeAlarms"],
        resources=[arn_of("cloudwatch", "alarm:*")],
        wildcard_reason="Asking for alarms by the beginning of their names is asking for all of them.",
    ),
    Permission(
        actions=["iam:CreateServiceLinkedRole"],
        resources=[f"arn:{cdk.Aws.PARTITION}:iam::{cdk.Aws.ACCOUNT_ID}:role/{SCALING_ROLE}"],
        condition={"StringEquals": {"iam:AWSServiceName": SCALING_SERVICE}},
    ),
)
"""To have an endpoint scaled."""


class ServingSteps(Construct):
    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        functions: Functions,
        access: FlywheelAccess,
        role: ServiceRole | None,
        smoke_test_key: str,
    ) -> None:
        super().__init__(scope, construct_id)
        step = functools.partial(FlywheelFunction, self, wing="serving", functions=functions)
        endpoint = access.names.endpoint_arn
        endpoint_actions = ("CreateEndpoint", "UpdateEndpoint", "DescribeEndpoint", "DeleteEndpoint", "TagResource")
        self.bring_endpoint = step(
            "bring_endpoint",
            description="Brings the endpoint one change nearer to what is wanted: the only function that changes it.",
            timeout=BRING_TIMEOUT,
            environment=[*access.identity, "PARAMETER_PREFIX", "ENDPOINT_ARN", "ENDPOINT_ROLE_ARN"],
            busy_attempts=BUSY_ATTEMPTS,
            permissions=[
                access.objects("promotions/*", actions=READ),
                access.objects("serving/*", actions=(*WRITE, "DeleteObject")),
                access.list_intake(),
                *access.former_generations("DescribeFlywheel", "CreateEndpoint", "UpdateEndpoint"),
                *([access.active_model()] if access.imports else []),
                access.tags(),
                access.models(access.kind.describe_model, "CreateEndpoint", "UpdateEndpoint"),
                Permission(actions=[f"comprehend:{action}" for action in endpoint_actions], resources=[endpoint]),
                *access.encryption.job_permissions(),
                access.parameters(SERVING_TARGET, "active-model-arn", actions=("GetParameter",)),
                access.parameters("endpoint-arn", actions=("GetParameter", "PutParameter", "DeleteParameters")),
                *SCALING,
                *([pass_to_comprehend(role.arn)] if role else []),
            ],
        )
        self.smoke_test = step(
            "smoke_test",
            description="Asks the endpoint about a small labelled file.",
            timeout=LONGEST,
            environment=[*access.identity, "PARAMETER_PREFIX", "LABEL_DELIMITER", "ENDPOINT_ARN"],
            permissions=[
                access.objects(smoke_test_key, actions=("GetObject",)),
                access.objects("serving/smoke-tests/*", actions=("PutObject",)),
                *access.thresholds("GetObject"),
                access.list_intake(),
                access.task(),
                Permission(actions=[f"comprehend:{access.kind.detect}"], resources=[endpoint]),
                access.parameters(SERVING_TARGET, actions=("GetParameter",)),
            ],
        )
        self.report_serving = step(
            "report_serving",
            description="Notes how a run of the serve machine ended.",
            timeout=cdk.Duration.minutes(1),
            environment=[*access.identity, "PARAMETER_PREFIX", "ENDPOINT_ARN"],
            permissions=[
                access.objects("serving/*", actions=WRITE),
                access.objects("promotions/*", actions=READ),
                access.objects("promotions/requests/*", actions=("PutObject",)),
                access.list_intake(),
                access.active_model(),
                access.parameters("active-model-arn", "previous-model-arn", actions=("GetParameter",)),
            ],
        )
