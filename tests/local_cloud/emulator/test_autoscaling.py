"""Application Auto Scaling in the emulator: its answers, its IAM, and endpoints that it really scales."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.cloud import CloudAccount
from tests.local_cloud.resources import Aws, allow, create_bucket, create_machine, create_role, run, until
from tests.local_cloud.trained_models import data_access_role, endpoint_status, serving_endpoint

MINUTE = 2.0
DIMENSION = "comprehend:document-classifier-endpoint:DesiredInferenceUnits"
POLICY: dict[str, Any] = {
    "TargetValue": 70.0,
    "PredefinedMetricSpecification": {"PredefinedMetricType": "ComprehendInferenceUtilization"},
}


@pytest.fixture(scope="module")
def endpoint(account: CloudAccount) -> str:
    bucket = create_bucket(account)
    return serving_endpoint(account, bucket=bucket, role=data_access_role(account, bucket))


@pytest.fixture
def scalable(account: CloudAccount, endpoint: str) -> str:
    """The endpoint IN_SERVICE with one unit and not registered."""
    target = of(endpoint)
    scaling = account.client("application-autoscaling")
    if scaling.describe_scalable_targets(ServiceNamespace="comprehend")["ScalableTargets"]:
        scaling.deregister_scalable_target(**target)
    comprehend = account.client("comprehend")
    until(lambda: endpoint_status(account, endpoint) == "IN_SERVICE")
    if units(account, endpoint) != 1:
        comprehend.update_endpoint(EndpointArn=endpoint, DesiredInferenceUnits=1)
        until(lambda: endpoint_status(account, endpoint) == "IN_SERVICE")
    return endpoint


def of(endpoint: str) -> dict[str, Any]:
    return {"ServiceNamespace": "comprehend", "ResourceId": endpoint, "ScalableDimension": DIMENSION}


def units(account: CloudAccount, endpoint: str) -> int:
    described = account.client("comprehend").describe_endpoint(EndpointArn=endpoint)["EndpointProperties"]
    return int(described["DesiredInferenceUnits"])


def refused(call: Callable[..., Any], code: str, **request: Any) -> None:
    with pytest.raises(ClientError) as raised:
        call(**request)
    assert raised.value.response["Error"]["Code"] == code


def evaluate(account: CloudAccount) -> list[dict[str, Any]]:
    answer = account.endpoint.administer("POST", "/_local/auto-scaling/evaluate")
    return list(answer["scaled"])


def test_target_and_policy_are_described_as_they_were_made_and_go_together(
    account: CloudAccount, scalable: str
) -> None:
    scaling, cloudwatch = account.client("application-autoscaling"), account.client("cloudwatch")
    arn = scaling.register_scalable_target(**of(scalable), MinCapacity=1, MaxCapacity=3)["ScalableTargetARN"]
    assert arn.startswith(f"arn:aws:application-autoscaling:{account.region}:{account.account}:scalable-target/")
    made = scaling.put_scaling_policy(
        **of(scalable),
        PolicyName="busy",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=POLICY,
    )
    assert made["PolicyARN"].endswith(f":resource/comprehend/{scalable}:policyName/busy")
    scaling.register_scalable_target(**of(scalable), MaxCapacity=4)
    (target,) = scaling.describe_scalable_targets(ServiceNamespace="comprehend", ResourceIds=[scalable])[
        "ScalableTargets"
    ]
    assert (target["MinCapacity"], target["MaxCapacity"], target["ScalableTargetARN"]) == (1, 4, arn)
    assert target["RoleARN"].endswith("/AWSServiceRoleForApplicationAutoScaling_ComprehendEndpoint")
    (policy,) = scaling.describe_scaling_policies(ServiceNamespace="comprehend", ResourceId=scalable)["ScalingPolicies"]
    assert policy["TargetTrackingScalingPolicyConfiguration"] == POLICY
    assert policy["Alarms"] == made["Alarms"]
    high, low = (alarm["AlarmName"] for alarm in made["Alarms"])
    alarms = cloudwatch.describe_alarms(AlarmNames=[high, low])["MetricAlarms"]
    assert {alarm["AlarmName"]: alarm["Threshold"] for alarm in alarms} == {high: 70.0, low: 63.0}
    scaling.deregister_scalable_target(**of(scalable))
    assert not scaling.describe_scaling_policies(ServiceNamespace="comprehend")["ScalingPolicies"]
    assert not scaling.describe_scalable_targets(ServiceNamespace="comprehend")["ScalableTargets"]
    assert not cloudwatch.describe_alarms(AlarmNames=[high, low])["MetricAlarms"]


def test_the_guides_commands(account: CloudAccount, scalable: str, aws: Aws, tmp_path: Path) -> None:
    """As the Comprehend guide has them, "Auto scaling with endpoints"."""
    words = [
        "--service-namespace",
        "comprehend",
        "--resource-id",
        scalable,
        "--scalable-dimension",
        DIMENSION,
    ]
    scaling = partial(aws, account, "application-autoscaling")
    scaling("register-scalable-target", *words, "--min-capacity", "1", "--max-capacity", "2")
    (target,) = scaling("describe-scalable-targets", "--service-namespace", "comprehend", "--resource-ids", scalable)[
        "ScalableTargets"
    ]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 2)
    (tmp_path / "config.json").write_text(json.dumps(POLICY))
    configuration = ["--target-tracking-scaling-policy-configuration", f"file://{tmp_path / 'config.json'}"]
    put = ["--policy-name", "TestPolicy", "--policy-type", "TargetTrackingScaling", *configuration]
    assert len(scaling("put-scaling-policy", *words, *put)["Alarms"]) == 2
    (policy,) = scaling("describe-scaling-policies", "--service-namespace", "comprehend")["ScalingPolicies"]
    assert policy["TargetTrackingScalingPolicyConfiguration"] == POLICY
    scaling("delete-scaling-policy", *words, "--policy-name", "TestPolicy")
    scaling("deregister-scalable-target", *words)
    assert scaling("describe-scalable-targets", "--service-namespace", "comprehend")["ScalableTargets"] == []


def test_what_cannot_be_is_refused(account: CloudAccount, scalable: str) -> None:
    scaling = account.client("application-autoscaling")
    register = scaling.register_scalable_target
    policy = partial(scaling.put_scaling_policy, **of(scalable), PolicyName="busy")
    for wrong in (
        {**of(scalable), "MinCapacity": 1},
        {**of(scalable), "MinCapacity": 0, "MaxCapacity": 2},
        {**of(scalable), "MinCapacity": 3, "MaxCapacity": 2},
        {**of(f"{scalable}-other"), "MinCapacity": 1, "MaxCapacity": 2},
        {**of("endpoint/live"), "MinCapacity": 1, "MaxCapacity": 2},
        {**of(scalable), "ServiceNamespace": "ecs", "MinCapacity": 1, "MaxCapacity": 2},
        {**of(scalable), "ScalableDimension": "ecs:service:DesiredCount", "MinCapacity": 1, "MaxCapacity": 2},
    ):
        refused(register, "ValidationException", **wrong)
    refused(scaling.deregister_scalable_target, "ObjectNotFoundException", **of(scalable))
    tracking = {"PolicyType": "TargetTrackingScaling", "TargetTrackingScalingPolicyConfiguration": POLICY}
    refused(policy, "ObjectNotFoundException", **tracking)
    register(**of(scalable), MinCapacity=1, MaxCapacity=2)
    refused(policy, "ValidationException", PolicyType="StepScaling")
    refused(policy, "ValidationException", TargetTrackingScalingPolicyConfiguration=POLICY)
    refused(policy, "ValidationException", PolicyType="TargetTrackingScaling")
    refused(scaling.delete_scaling_policy, "ObjectNotFoundException", **of(scalable), PolicyName="busy")
    policy(**tracking)
    scaling.delete_scaling_policy(**of(scalable), PolicyName="busy")
    assert not scaling.describe_scaling_policies(ServiceNamespace="comprehend")["ScalingPolicies"]


def test_an_endpoint_outside_of_the_capacity_registered_is_brought_into_it(
    account: CloudAccount, scalable: str
) -> None:
    scaling = account.client("application-autoscaling")
    for minimum, maximum, expected in ((2, 3, 2), (1, 1, 1)):
        scaling.register_scalable_target(**of(scalable), MinCapacity=minimum, MaxCapacity=maximum)
        until(lambda: endpoint_status(account, scalable) == "IN_SERVICE")
        assert units(account, scalable) == expected
    latest, first = scaling.describe_scaling_activities(ServiceNamespace="comprehend", ResourceId=scalable)[
        "ScalingActivities"
    ][:2]
    assert (first["Description"], first["Cause"]) == (
        "Setting desired inference units to 2.",
        "minimum capacity was set to 2",
    )
    assert (latest["StatusCode"], latest["Cause"]) == ("Successful", "maximum capacity was set to 1")


def test_an_endpoint_is_scaled_out_under_load_and_in_after_it_within_its_capacity(
    account: CloudAccount, scalable: str
) -> None:
    scaling, comprehend = account.client("application-autoscaling"), account.client("comprehend")
    scaling.register_scalable_target(**of(scalable), MinCapacity=1, MaxCapacity=2)
    scaling.put_scaling_policy(
        **of(scalable),
        PolicyName="busy",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=POLICY,
    )
    # Nothing is known of an endpoint that nobody calls.
    assert not evaluate(account)
    account.endpoint.administer("PUT", "/_local/auto-scaling/settings", {"minute_seconds": MINUTE})

    def load(characters: int) -> list[dict[str, Any]]:
        """Scalings begun after the endpoint took a text of so many characters; none when it was throttled."""
        return evaluate(account) if classified(comprehend, scalable, "a" * characters) else []

    # A unit takes 100 characters a second.
    (scaled,) = until(lambda: load(int(150 * MINUTE)))
    assert (scaled["endpoint_arn"], scaled["units"]) == (scalable, 2)
    assert "-AlarmHigh-" in scaled["cause"]
    until(lambda: endpoint_status(account, scalable) == "IN_SERVICE")
    assert units(account, scalable) == 2
    (scaled,) = until(lambda: load(10))
    assert (scaled["endpoint_arn"], scaled["units"]) == (scalable, 1)
    assert "-AlarmLow-" in scaled["cause"]
    until(lambda: endpoint_status(account, scalable) == "IN_SERVICE")
    assert units(account, scalable) == 1


def test_a_busy_endpoint_is_scaled_out_by_itself(account: CloudAccount, scalable: str) -> None:
    scaling, comprehend = account.client("application-autoscaling"), account.client("comprehend")
    account.endpoint.administer("PUT", "/_local/auto-scaling/settings", {"minute_seconds": 0.5})
    scaling.register_scalable_target(**of(scalable), MinCapacity=1, MaxCapacity=2)
    scaling.put_scaling_policy(
        **of(scalable),
        PolicyName="busy",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={**POLICY, "TargetValue": 10.0},
    )
    until(lambda: not classified(comprehend, scalable, "a" * 20) or units(account, scalable) == 2)
    until(lambda: (classified(comprehend, scalable, "a" * 20), units(account, scalable) == 2)[1])


def test_metrics_of_an_endpoint_count_what_it_answered(account: CloudAccount, scalable: str) -> None:
    comprehend, cloudwatch = account.client("comprehend"), account.client("cloudwatch")

    def total(metric: str, statistic: str) -> float:
        now = datetime.now(tz=UTC)
        found = cloudwatch.get_metric_statistics(
            Namespace="AWS/Comprehend",
            MetricName=metric,
            Dimensions=[{"Name": "EndpointArn", "Value": scalable}],
            StartTime=now - timedelta(hours=1),
            EndTime=now + timedelta(minutes=1),
            Period=60,
            Statistics=[statistic],
        )["Datapoints"]
        return float(sum(point[statistic] for point in found))

    def totals() -> list[float]:
        return [
            total("ConsumedInferenceUnits", "Sum"),
            total("RequestedInferenceUnits", "Sum"),
            total("InferenceUtilization", "Sum"),
            total("ProvisionedInferenceUnits", "SampleCount"),
        ]

    comprehend.update_endpoint(EndpointArn=scalable, DesiredInferenceUnits=2)
    until(lambda: endpoint_status(account, scalable) == "IN_SERVICE")
    before = totals()
    until(lambda: classified(comprehend, scalable, "goal " * 6))
    # A unit handles 6,000 characters a minute, and there are two.
    grown = [after - former for former, after in zip(before, totals(), strict=True)]
    assert grown == pytest.approx([0.005, 0.005, 0.25, 1])
    assert total("ProvisionedInferenceUnits", "Maximum") >= 2


def test_caller_needs_the_action_the_endpoint_the_alarms_and_the_first_one_the_service_role(
    account: CloudAccount, scalable: str
) -> None:
    here = f"{account.region}:{account.account}"
    target = f"arn:aws:application-autoscaling:{here}:scalable-target/*"
    register = {**of(scalable), "MinCapacity": 1, "MaxCapacity": 2}
    of_comprehend = {"StringEquals": {"application-autoscaling:service-namespace": "comprehend"}}
    of_ecs = {"StringEquals": {"application-autoscaling:service-namespace": "ecs"}}
    may = allow("application-autoscaling:RegisterScalableTarget", on=target, when=of_comprehend)
    may_not = allow("application-autoscaling:RegisterScalableTarget", on=target, when=of_ecs)
    may_endpoint = allow("comprehend:DescribeEndpoint", "comprehend:UpdateEndpoint", on=scalable)
    iam = account.client("iam")
    role = "AWSServiceRoleForApplicationAutoScaling_ComprehendEndpoint"
    iam.delete_service_linked_role(RoleName=role)
    principal = {"StringEquals": {"iam:AWSServiceName": "comprehend.application-autoscaling.amazonaws.com"}}
    may_link = allow(
        "iam:CreateServiceLinkedRole", on=f"arn:aws:iam::{account.account}:role/aws-service-role/*", when=principal
    )
    for statements in (
        [may, may_endpoint],
        [may, may_link],
        [may_endpoint, may_link],
        [may_not, may_endpoint, may_link],
    ):
        caller = create_role(account, *statements, trusted={"AWS": account.account})
        scaling = account.client("application-autoscaling", role_arn=caller)
        refused(scaling.register_scalable_target, "AccessDeniedException", **register)
    caller = create_role(account, may, may_endpoint, may_link, trusted={"AWS": account.account})
    scaling = account.client("application-autoscaling", role_arn=caller)
    scaling.register_scalable_target(**register)
    assert iam.get_role(RoleName=role)["Role"]["Path"].endswith("/comprehend.application-autoscaling.amazonaws.com/")
    without_link = create_role(account, may, may_endpoint, trusted={"AWS": account.account})
    account.client("application-autoscaling", role_arn=without_link).register_scalable_target(**register)
    policy = {
        **of(scalable),
        "PolicyName": "busy",
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": POLICY,
    }
    may_put = allow("application-autoscaling:PutScalingPolicy", on=target)
    without_alarms = create_role(account, may_put, trusted={"AWS": account.account})
    put = account.client("application-autoscaling", role_arn=without_alarms).put_scaling_policy
    refused(put, "AccessDeniedException", **policy)
    refused(scaling.describe_scalable_targets, "AccessDeniedException", ServiceNamespace="comprehend")


def test_machine_needs_the_same_and_sees_the_errors_by_their_names(account: CloudAccount, scalable: str) -> None:
    def state(action: str, **arguments: Any) -> dict[str, Any]:
        return {
            "Call": {
                "Type": "Task",
                "Resource": f"arn:aws:states:::aws-sdk:applicationautoscaling:{action}",
                "Arguments": {**of(scalable), **arguments},
                "End": True,
            }
        }

    permissions = [
        allow("application-autoscaling:*"),
        allow("comprehend:DescribeEndpoint", "comprehend:UpdateEndpoint", on=scalable),
        allow("cloudwatch:PutMetricAlarm", "cloudwatch:DescribeAlarms", "cloudwatch:DeleteAlarms"),
        allow("iam:CreateServiceLinkedRole"),
    ]
    register = state("registerScalableTarget", MinCapacity=1, MaxCapacity=2)
    for granted in ([], permissions[:1], permissions[1:]):
        denied = run(account, create_machine(account, register, permissions=granted))
        assert denied["error"] == "ApplicationAutoScaling.ApplicationAutoScalingException"
    registered = run(account, create_machine(account, register, permissions=permissions))
    assert registered["status"] == "SUCCEEDED", registered["cause"]
    deregister = create_machine(account, state("deregisterScalableTarget"), permissions=permissions)
    assert run(account, deregister)["status"] == "SUCCEEDED"
    assert run(account, deregister)["error"] == "ApplicationAutoScaling.ObjectNotFoundException"


def classified(comprehend: Any, endpoint: str, text: str) -> bool:
    """Whether the endpoint took the text, False when it was throttled."""
    try:
        comprehend.classify_document(EndpointArn=endpoint, Text=text)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ThrottlingException":
            raise
        return False
    return True
