"""Application Auto Scaling for Comprehend's classifier endpoints as one object: operation and request in, answer out.

Target tracking on ComprehendInferenceUtilization is all it does: Comprehend's endpoints have no step scaling, and the
scheduled actions that they do have are not provided.
"""

from __future__ import annotations

import hashlib
import threading
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from local.auto_scaling.contract import AutoScalingError, checked, invalid, not_found
from local.auto_scaling.load import Load
from local.auto_scaling.ports import Alarms, Endpoints, EndpointUnits, ScalingRefused
from local.auto_scaling.state import (
    DIMENSION,
    NAMESPACE,
    PREDEFINED_METRIC,
    Activity,
    Policy,
    Target,
    service_role_arn,
)
from local.auto_scaling.target_tracking import LOW_SHARE, PERIODS_ABOVE, PERIODS_BELOW, wanted_units
from local.comprehend.identifiers import Scope

_SUSPENSIONS = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")
_MINUTE = 60.0
_PAGE = 50
_ACTIVITIES_KEPT = 1_000


class AutoScaling:
    """For any number of accounts and Regions. Thread-safe.

    ``minute`` is for how many seconds a minute of the service lasts: utilisation, alarms and cooldowns are counted in
    them. ``clock`` gives seconds since the epoch.
    """

    def __init__(
        self,
        *,
        endpoints: Endpoints,
        alarms: Alarms,
        load: Load,
        clock: Callable[[], float],
        minute: float = _MINUTE,
    ) -> None:
        self._endpoints = endpoints
        self._alarms = alarms
        self._load = load
        self._clock = clock
        self.minute = minute
        self._lock = threading.RLock()
        self._targets: dict[str, Target] = {}
        self._activities: list[Activity] = []
        self._operations = {
            "RegisterScalableTarget": self._register,
            "DescribeScalableTargets": self._describe_targets,
            "DeregisterScalableTarget": self._deregister,
            "PutScalingPolicy": self._put_policy,
            "DescribeScalingPolicies": self._describe_policies,
            "DeleteScalingPolicy": self._delete_policy,
            "DescribeScalingActivities": self._describe_activities,
        }

    def call(self, *, operation: str, request: dict[str, Any], account: str, region: str) -> dict[str, Any]:
        """Carry out one operation. Timestamps are epoch seconds. Raises AutoScalingError."""
        given = checked(operation=operation, request=request)
        if operation not in self._operations:
            raise AutoScalingError(
                "UnknownOperationException", f"The local Application Auto Scaling does not provide {operation}."
            )
        if given["ServiceNamespace"] != NAMESPACE:
            raise invalid(f"The local Application Auto Scaling scales {NAMESPACE!r} only.")
        if given.get("ScalableDimension", DIMENSION) != DIMENSION:
            raise invalid(f"Unsupported service namespace, resource type or scalable dimension; give {DIMENSION}.")
        with self._lock:
            return self._operations[operation](Scope(account=account, region=region), given)

    def evaluate(self, *, at_once: bool = False) -> list[Activity]:
        """Scale what its policies want scaled, and return what was begun.

        ``at_once`` takes the last minute for all the minutes that an alarm needs, and no cooldown for over too soon.
        """
        with self._lock:
            begun = [self._evaluated(target, at_once=at_once) for target in self._targets.values() if target.policies]
        return [activity for activity in begun if activity is not None]

    def _register(self, caller: Scope, request: dict[str, Any]) -> dict[str, Any]:
        endpoint_arn = request["ResourceId"]
        known = self._targets.get(endpoint_arn)
        minimum = request.get("MinCapacity", known.minimum if known else None)
        maximum = request.get("MaxCapacity", known.maximum if known else None)
        if minimum is None or maximum is None:
            raise invalid("Both MinCapacity and MaxCapacity are required to register a scalable target.")
        if minimum < 1:
            raise invalid("Minimum capacity must be greater than or equal to 1.")
        if maximum < minimum:
            raise invalid("Maximum capacity cannot be less than minimum capacity.")
        units = self._units(caller, endpoint_arn)
        if units is None:
            raise invalid(f"Comprehend endpoint doesn't exist: {endpoint_arn}")
        suspended = known.suspended if known else dict.fromkeys(_SUSPENSIONS, False)
        target = known or Target(
            arn=target_arn(account=caller.account, region=caller.region, endpoint_arn=endpoint_arn),
            scope=caller,
            endpoint_arn=endpoint_arn,
            minimum=minimum,
            maximum=maximum,
            suspended=suspended,
            created=self._clock(),
            tags={},
        )
        target.minimum, target.maximum = minimum, maximum
        target.suspended = {**suspended, **request.get("SuspendedState", {})}
        target.tags.update(request.get("Tags", {}))
        self._targets[endpoint_arn] = target
        within = min(max(units.desired, minimum), maximum)
        # What is not active is left as it is, as AWS says; nor is it looked at again later.
        if units.in_service and within != units.desired:
            bound = "minimum" if units.desired < minimum else "maximum"
            self._scale(target, within, cause=f"{bound} capacity was set to {within}")
        return {"ScalableTargetARN": target.arn}

    def _describe_targets(self, caller: Scope, request: dict[str, Any]) -> dict[str, Any]:
        asked = request.get("ResourceIds")
        found = [target for target in self._of(caller) if not asked or target.endpoint_arn in asked]
        return _page(found, "ScalableTargets", _target_members, request)

    def _deregister(self, caller: Scope, request: dict[str, Any]) -> dict[str, Any]:
        target = self._registered(caller, request)
        for name in list(target.policies):
            self._remove_policy(target, name)
        del self._targets[target.endpoint_arn]
        return {}

    def _put_policy(self, caller: Scope, request: dict[str, Any]) -> dict[str, Any]:
        target = self._registered(caller, request)
        name = request["PolicyName"]
        known = target.policies.get(name)
        type_ = request.get("PolicyType", "TargetTrackingScaling" if known else "StepScaling")
        if type_ != "TargetTrackingScaling":
            raise invalid(f"Policy type {type_} is not supported for {DIMENSION}; use TargetTrackingScaling.")
        configuration = request.get("TargetTrackingScalingPolicyConfiguration")
        metric = (configuration or {}).get("PredefinedMetricSpecification", {}).get("PredefinedMetricType")
        if configuration is None or metric != PREDEFINED_METRIC:
            raise invalid(
                "Give TargetTrackingScalingPolicyConfiguration with the PredefinedMetricType "
                f"{PREDEFINED_METRIC}; the local Application Auto Scaling follows no other metric."
            )
        if configuration["TargetValue"] <= 0:
            raise invalid("TargetValue must be greater than 0.")
        policy = known or _new_policy(caller, target, name, now=self._clock())
        policy.configuration = dict(configuration)
        target.policies[name] = policy
        return {"PolicyARN": policy.arn, "Alarms": self._put_alarms(target, policy)}

    def _describe_policies(self, caller: Scope, request: dict[str, Any]) -> dict[str, Any]:
        names, endpoint_arn = request.get("PolicyNames"), request.get("ResourceId")
        found = [
            (target, policy)
            for target in self._of(caller)
            for policy in target.policies.values()
            if endpoint_arn in (None, target.endpoint_arn) and (not names or policy.name in names)
        ]
        return _page(found, "ScalingPolicies", _policy_members, request)

    def _delete_policy(self, caller: Scope, request: dict[str, Any]) -> dict[str, Any]:
        target = self._targets.get(request["ResourceId"])
        if target is None or target not in self._of(caller) or request["PolicyName"] not in target.policies:
            raise not_found(f"No scaling policy found for: {_words(request)}, policy name: {request['PolicyName']}")
        self._remove_policy(target, request["PolicyName"])
        return {}

    def _describe_activities(self, caller: Scope, request: dict[str, Any]) -> dict[str, Any]:
        self._finish_activities(caller)
        asked = request.get("ResourceId")
        found = [
            activity
            for activity in reversed(self._activities)
            if activity.endpoint_arn.split(":")[3:5] == [caller.region, caller.account]
            and asked in (None, activity.endpoint_arn)
        ]
        return _page(found, "ScalingActivities", _activity_members, request)

    def _evaluated(self, target: Target, *, at_once: bool) -> Activity | None:
        now = self._clock()
        count = 1 if at_once else PERIODS_BELOW
        utilisation: Sequence[float | None] = [
            self._load.utilisation(
                target.endpoint_arn, begin=now - (number + 1) * self.minute, end=now - number * self.minute
            )
            for number in range(count)
        ]
        if utilisation[0] is None:
            return None
        units = self._units(target.scope, target.endpoint_arn)
        if units is None or not units.in_service:
            return None
        if at_once:
            utilisation = list(utilisation) * PERIODS_BELOW
        wanted = {policy.name: self._wanted(target, policy, units, utilisation) for policy in target.policies.values()}
        # Of several policies the one that wants the most prevails.
        name, most = max(wanted.items(), key=lambda each: each[1])
        out = most > units.desired
        if most == units.desired or not self._may(target, target.policies[name], out=out, now=now, at_once=at_once):
            return None
        alarm = target.policies[name].alarms[0 if out else 1]
        activity = self._scale(target, most, cause=f"monitor alarm {alarm} in state ALARM triggered policy {name}")
        if activity is not None and out:
            target.scaled_out = now
        elif activity is not None:
            target.scaled_in = now
        return activity

    def _wanted(self, target: Target, policy: Policy, units: EndpointUnits, utilisation: Sequence[float | None]) -> int:
        wanted = wanted_units(
            units=units.desired,
            target=policy.configuration["TargetValue"],
            utilisation=utilisation,
            scale_in=not policy.configuration.get("DisableScaleIn", False),
        )
        return units.desired if wanted == units.desired else min(max(wanted, target.minimum), target.maximum)

    def _may(self, target: Target, policy: Policy, *, out: bool, now: float, at_once: bool) -> bool:
        if target.suspended["DynamicScalingOutSuspended" if out else "DynamicScalingInSuspended"]:
            return False
        # Without a cooldown of its own a policy for an endpoint of Comprehend has none.
        cooldown = policy.configuration.get("ScaleOutCooldown" if out else "ScaleInCooldown", 0)
        since = target.scaled_out if out else target.scaled_in
        return at_once or now - since >= cooldown * self.minute / _MINUTE

    def _scale(self, target: Target, units: int, *, cause: str) -> Activity | None:
        """What was begun, None when the endpoint was just changed by somebody else: then it is for the next time."""
        try:
            self._endpoints.scale(
                endpoint_arn=target.endpoint_arn, units=units, account=target.scope.account, region=target.scope.region
            )
            status, message = "InProgress", None
        except ScalingRefused as error:
            status, message = "Failed", str(error)
        now = self._clock()
        activity = Activity(
            id=str(uuid.uuid4()),
            endpoint_arn=target.endpoint_arn,
            units=units,
            cause=cause,
            started=now,
            status=status,
            ended=now if message else None,
            message=message,
        )
        self._activities = [*self._activities, activity][-_ACTIVITIES_KEPT:]
        return None if message else activity

    def _finish_activities(self, caller: Scope) -> None:
        for activity in self._activities:
            if activity.status != "InProgress" or activity.endpoint_arn.split(":")[4] != caller.account:
                continue
            units = self._units(caller, activity.endpoint_arn)
            if units is None:
                activity.status, activity.ended = "Failed", self._clock()
                activity.message = "The endpoint no longer exists."
            elif units.in_service:
                activity.status, activity.ended = "Successful", self._clock()

    def _put_alarms(self, target: Target, policy: Policy) -> list[dict[str, str]]:
        value = policy.configuration["TargetValue"]
        high, low = policy.alarms
        wanted = [(high, "GreaterThanThreshold", value, PERIODS_ABOVE)]
        if not policy.configuration.get("DisableScaleIn", False):
            wanted.append((low, "LessThanThreshold", LOW_SHARE * value, PERIODS_BELOW))
        else:
            self._alarms.delete(account=target.scope.account, region=target.scope.region, names=[low])
        return [
            {
                "AlarmName": name,
                "AlarmARN": self._alarms.put(
                    account=target.scope.account,
                    region=target.scope.region,
                    alarm={
                        "AlarmName": name,
                        "AlarmDescription": "DO NOT EDIT OR DELETE. For TargetTrackingScaling policy " + policy.arn,
                        "Namespace": "AWS/Comprehend",
                        "MetricName": "InferenceUtilization",
                        "Dimensions": [{"Name": "EndpointArn", "Value": target.endpoint_arn}],
                        "Statistic": "Sum",
                        "Period": 60,
                        "EvaluationPeriods": periods,
                        "Threshold": threshold,
                        "ComparisonOperator": comparison,
                        "AlarmActions": [policy.arn],
                    },
                ),
            }
            for name, comparison, threshold, periods in wanted
        ]

    def _remove_policy(self, target: Target, name: str) -> None:
        policy = target.policies.pop(name)
        self._alarms.delete(account=target.scope.account, region=target.scope.region, names=policy.alarms)

    def _of(self, caller: Scope) -> list[Target]:
        return [target for target in self._targets.values() if target.scope == caller]

    def _registered(self, caller: Scope, request: dict[str, Any]) -> Target:
        target = self._targets.get(request["ResourceId"])
        if target is None or target not in self._of(caller):
            raise not_found(f"No scalable target found for: {_words(request)}")
        return target

    def _units(self, caller: Scope, endpoint_arn: str) -> EndpointUnits | None:
        return self._endpoints.units(endpoint_arn=endpoint_arn, account=caller.account, region=caller.region)


def _words(request: dict[str, Any]) -> str:
    return f"service namespace: {NAMESPACE}, resource ID: {request['ResourceId']}, scalable dimension: {DIMENSION}"


def target_arn(*, account: str, region: str, endpoint_arn: str) -> str:
    """The ARN of an endpoint's scalable target."""
    id_ = hashlib.sha256(f"{endpoint_arn} {DIMENSION}".encode()).hexdigest()[:34]
    return f"arn:aws:application-autoscaling:{region}:{account}:scalable-target/{id_}"


def _new_policy(caller: Scope, target: Target, name: str, *, now: float) -> Policy:
    prefix = f"TargetTracking-{target.endpoint_arn}"
    return Policy(
        arn=(
            f"arn:aws:autoscaling:{caller.region}:{caller.account}:scalingPolicy:{uuid.uuid4()}:"
            f"resource/{NAMESPACE}/{target.endpoint_arn}:policyName/{name}"
        ),
        name=name,
        configuration={},
        alarms=(f"{prefix}-AlarmHigh-{uuid.uuid4()}", f"{prefix}-AlarmLow-{uuid.uuid4()}"),
        created=now,
    )


def _identity(endpoint_arn: str) -> dict[str, Any]:
    return {"ServiceNamespace": NAMESPACE, "ResourceId": endpoint_arn, "ScalableDimension": DIMENSION}


def _target_members(target: Target) -> dict[str, Any]:
    return {
        **_identity(target.endpoint_arn),
        "MinCapacity": target.minimum,
        "MaxCapacity": target.maximum,
        "RoleARN": service_role_arn(target.scope.account),
        "CreationTime": target.created,
        "SuspendedState": target.suspended,
        "ScalableTargetARN": target.arn,
    }


def _policy_members(found: tuple[Target, Policy]) -> dict[str, Any]:
    target, policy = found
    alarms = policy.alarms[: 1 if policy.configuration.get("DisableScaleIn", False) else 2]
    return {
        **_identity(target.endpoint_arn),
        "PolicyARN": policy.arn,
        "PolicyName": policy.name,
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": policy.configuration,
        "Alarms": [
            {
                "AlarmName": name,
                "AlarmARN": f"arn:aws:cloudwatch:{target.scope.region}:{target.scope.account}:alarm:{name}",
            }
            for name in alarms
        ],
        "CreationTime": policy.created,
    }


def _activity_members(activity: Activity) -> dict[str, Any]:
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


def _page(
    found: Sequence[Any], member: str, members_of: Callable[[Any], dict[str, Any]], request: dict[str, Any]
) -> dict[str, Any]:
    begin = request.get("NextToken", "0")
    if not begin.isdecimal():
        raise AutoScalingError("InvalidNextTokenException", "The NextToken is not one of this service.")
    end = int(begin) + min(request.get("MaxResults", _PAGE), _PAGE)
    more = {"NextToken": str(end)} if end < len(found) else {}
    return {member: [members_of(each) for each in found[int(begin) : end]], **more}
