"""What IAM asks for with each operation of Application Auto Scaling."""

from __future__ import annotations

from typing import Any

from local.auto_scaling.state import SERVICE_PRINCIPAL, SERVICE_ROLE, service_role_arn, target_arn
from local.cloud.emulator.ministack import iam, responses

NAME = "application-autoscaling"

Check = tuple[str, str, dict[str, str]]


def needed(*, operation: str, request: dict[str, Any]) -> list[Check]:
    """What a caller must be allowed: action, resource and condition keys.

    Besides the action itself, on the scalable target, the caller needs what the service does with the endpoint and
    with CloudWatch's alarms, and the first one of an account creates the service-linked role.
    """
    account, region = responses.get_account_id(), responses.get_region()
    endpoint = str(request.get("ResourceId"))
    if operation.startswith("Describe"):
        return [(f"{NAME}:{operation}", "*", {})]
    conditions = {
        f"{NAME}:service-namespace": str(request.get("ServiceNamespace")),
        f"{NAME}:scalable-dimension": str(request.get("ScalableDimension")),
    }
    target = target_arn(account=account, region=region, endpoint_arn=endpoint)
    checks: list[Check] = [(f"{NAME}:{operation}", target, conditions)]
    if operation == "RegisterScalableTarget":
        checks += [(f"comprehend:{each}", endpoint, {}) for each in ("DescribeEndpoint", "UpdateEndpoint")]
        if SERVICE_ROLE not in iam._roles:
            role = service_role_arn(account)
            checks.append(("iam:CreateServiceLinkedRole", role, {"iam:AWSServiceName": SERVICE_PRINCIPAL}))
    alarms = {
        "PutScalingPolicy": ("PutMetricAlarm", "DescribeAlarms"),
        "DeleteScalingPolicy": ("DeleteAlarms",),
        "DeregisterScalableTarget": ("DeleteAlarms",),
    }
    # One right for all alarms: their names are the service's own.
    alarm = f"arn:aws:cloudwatch:{region}:{account}:alarm:TargetTracking-{endpoint}"
    checks += [(f"cloudwatch:{each}", alarm, {}) for each in alarms.get(operation, ())]
    return checks
