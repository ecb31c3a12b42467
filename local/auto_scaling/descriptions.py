"""How targets, policies and activities are described, and what lists of them give at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from local.auto_scaling.contract import AutoScalingError
from local.auto_scaling.dimensions import NAMESPACE, dimension_of
from local.auto_scaling.state import Activity, Policy, Target, service_role_arn

_PAGE = 50


def words(request: dict[str, Any]) -> str:
    id_ = request["ResourceId"]
    return f"service namespace: {NAMESPACE}, resource ID: {id_}, scalable dimension: {dimension_of(id_)}"


def _identity(endpoint_arn: str) -> dict[str, Any]:
    return {"ServiceNamespace": NAMESPACE, "ResourceId": endpoint_arn, "ScalableDimension": dimension_of(endpoint_arn)}


def target_members(target: Target) -> dict[str, Any]:
    return {
        **_identity(target.endpoint_arn),
        "MinCapacity": target.minimum,
        "MaxCapacity": target.maximum,
        "RoleARN": service_role_arn(target.scope.account),
        "CreationTime": target.created,
        "SuspendedState": target.suspended,
        "ScalableTargetARN": target.arn,
    }


def alarms_of(target: Target, policy: Policy) -> list[dict[str, str]]:
    """The alarms that the policy has, by name and ARN."""
    prefix = f"arn:aws:cloudwatch:{target.scope.region}:{target.scope.account}:alarm:"
    return [{"AlarmName": name, "AlarmARN": prefix + name} for name in policy.alarms[: 2 if policy.scales_in else 1]]


def policy_members(found: tuple[Target, Policy]) -> dict[str, Any]:
    target, policy = found
    return {
        **_identity(target.endpoint_arn),
        "PolicyARN": policy.arn,
        "PolicyName": policy.name,
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": policy.configuration,
        "Alarms": alarms_of(target, policy),
        "CreationTime": policy.created,
    }


def activity_members(activity: Activity) -> dict[str, Any]:
    members = {
        **_identity(activity.endpoint_arn),
        "ActivityId": activity.id,
        "Description": f"Setting desired inference units to {activity.units}.",
        "Cause": activity.cause,
        "StartTime": activity.started,
        "StatusCode": activity.status,
    }
    given = {"EndTime": activity.ended, "StatusMessage": activity.message}
    return {**members, **{name: value for name, value in given.items() if value is not None}}


def page(
    found: Sequence[Any], member: str, members_of: Callable[[Any], dict[str, Any]], request: dict[str, Any]
) -> dict[str, Any]:
    begin = request.get("NextToken", "0")
    if not begin.isdecimal():
        raise AutoScalingError("InvalidNextTokenException", "The NextToken is not one of this service.")
    end = int(begin) + min(request.get("MaxResults", _PAGE), _PAGE)
    more = {"NextToken": str(end)} if end < len(found) else {}
    return {member: [members_of(each) for each in found[int(begin) : end]], **more}
