"""Application Auto Scaling for Comprehend's endpoints as one object: operation and request in, answer out.

Target tracking on ComprehendInferenceUtilization is all it does: Comprehend's endpoints have no step scaling, and the
scheduled actions that they do have are not provided.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from local.auto_scaling.contract import AutoScalingError, checked, invalid, not_found
from local.auto_scaling.descriptions import activity_members, alarms_of, page, policy_members, target_members, words
from local.auto_scaling.dimensions import NAMESPACE, dimension_of, of_dimension, require_dimension
from local.auto_scaling.load import Load
from local.auto_scaling.ports import Alarms, Comprehend
from local.auto_scaling.state import (
    PREDEFINED_METRIC,
    Activity,
    Policy,
    Target,
    target_arn,
)
from local.auto_scaling.target_tracking import LOW_SHARE, PERIODS_ABOVE, PERIODS_BELOW, wanted_units
from local.comprehend.errors import ComprehendError
from local.comprehend.identifiers import Scope

_SUSPENSIONS = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")
_MINUTE = 60.0
_ACTIVITIES_KEPT = 1_000


class AutoScaling:
    """For any number of accounts and Regions. Thread-safe.

    ``minute`` is for how many seconds a minute of the service lasts: utilisation, alarms and cooldowns are counted in
    them. ``clock`` gives seconds since the epoch.
    """

    def __init__(
        self, *, comprehend: Comprehend, alarms: Alarms, load: Load, clock: Callable[[], float], minute: float = _MINUTE
    ) -> None:
        self._comprehend = comprehend
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
        require_dimension(given)
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
        endpoint = self._endpoint(caller, endpoint_arn)
        if endpoint is None:
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
        )
        target.minimum, target.maximum = minimum, maximum
        target.suspended = {**suspended, **request.get("SuspendedState", {})}
        self._targets[endpoint_arn] = target
        units = endpoint["DesiredInferenceUnits"]
        within = min(max(units, minimum), maximum)
        # What is not active is left as it is, as AWS says; nor is it looked at again later.
        if _in_service(endpoint) and within != units:
            bound = "minimum" if units < minimum else "maximum"
            self._scale(target, within, cause=f"{bound} capacity was set to {within}")
        return {"ScalableTargetARN": target.arn}

    def _describe_targets(self, caller: Scope, request: dict[str, Any]) -> dict[str, Any]:
        asked = request.get("ResourceIds")
        found = [
            target
            for target in self._of(caller)
            if (not asked or target.endpoint_arn in asked) and of_dimension(target.endpoint_arn, request)
        ]
        return page(found, "ScalableTargets", target_members, request)

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
            dimension = dimension_of(target.endpoint_arn)
            raise invalid(f"Policy type {type_} is not supported for {dimension}; use TargetTrackingScaling.")
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
        self._put_alarms(target, policy)
        return {"PolicyARN": policy.arn, "Alarms": alarms_of(target, policy)}

    def _describe_policies(self, caller: Scope, request: dict[str, Any]) -> dict[str, Any]:
        names, endpoint_arn = request.get("PolicyNames"), request.get("ResourceId")
        found = [
            (target, policy)
            for target in self._of(caller)
            for policy in target.policies.values()
            if endpoint_arn in (None, target.endpoint_arn)
            and of_dimension(target.endpoint_arn, request)
            and (not names or policy.name in names)
        ]
        return page(found, "ScalingPolicies", policy_members, request)

    def _delete_policy(self, caller: Scope, request: dict[str, Any]) -> dict[str, Any]:
        target = self._targets.get(request["ResourceId"])
        if target is None or target not in self._of(caller) or request["PolicyName"] not in target.policies:
            raise not_found(f"No scaling policy found for: {words(request)}, policy name: {request['PolicyName']}")
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
            and of_dimension(activity.endpoint_arn, request)
        ]
        return page(found, "ScalingActivities", activity_members, request)

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
        endpoint = self._endpoint(target.scope, target.endpoint_arn)
        if endpoint is None or not _in_service(endpoint):
            return None
        units = endpoint["DesiredInferenceUnits"]
        if at_once:
            utilisation = list(utilisation) * PERIODS_BELOW
        wanted = {policy.name: self._wanted(target, policy, units, utilisation) for policy in target.policies.values()}
        # Of several policies the one that wants the most prevails.
        name, most = max(wanted.items(), key=lambda each: each[1])
        out = most > units
        if most == units or not self._may(target, target.policies[name], out=out, now=now, at_once=at_once):
            return None
        alarm = target.policies[name].alarms[0 if out else 1]
        activity = self._scale(target, most, cause=f"monitor alarm {alarm} in state ALARM triggered policy {name}")
        if activity is not None and out:
            target.scaled_out = now
        elif activity is not None:
            target.scaled_in = now
        return activity

    def _wanted(self, target: Target, policy: Policy, units: int, utilisation: Sequence[float | None]) -> int:
        wanted = wanted_units(
            units=units, target=policy.configuration["TargetValue"], utilisation=utilisation, scale_in=policy.scales_in
        )
        return units if wanted == units else min(max(wanted, target.minimum), target.maximum)

    def _may(self, target: Target, policy: Policy, *, out: bool, now: float, at_once: bool) -> bool:
        if target.suspended["DynamicScalingOutSuspended" if out else "DynamicScalingInSuspended"]:
            return False
        # Without a cooldown of its own a policy for an endpoint of Comprehend has none.
        cooldown = policy.configuration.get("ScaleOutCooldown" if out else "ScaleInCooldown", 0)
        since = target.scaled_out if out else target.scaled_in
        return at_once or now - since >= cooldown * self.minute / _MINUTE

    def _scale(self, target: Target, units: int, *, cause: str) -> Activity | None:
        """What was begun, None when the endpoint was just changed by somebody else: then it is for the next time."""
        request = {"EndpointArn": target.endpoint_arn, "DesiredInferenceUnits": units}
        try:
            self._call("UpdateEndpoint", request, target.scope)
            status, message = "InProgress", None
        except ComprehendError as error:
            status, message = "Failed", f"Failed to set desired inference units to {units}: {error}"
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
            endpoint = self._endpoint(caller, activity.endpoint_arn)
            if endpoint is None:
                activity.status, activity.ended = "Failed", self._clock()
                activity.message = "The endpoint no longer exists."
            elif _in_service(endpoint):
                activity.status, activity.ended = "Successful", self._clock()

    def _put_alarms(self, target: Target, policy: Policy) -> None:
        value = policy.configuration["TargetValue"]
        high, low = policy.alarms
        wanted = [(high, "GreaterThanThreshold", value, PERIODS_ABOVE)]
        if policy.scales_in:
            wanted.append((low, "LessThanThreshold", LOW_SHARE * value, PERIODS_BELOW))
        else:
            self._alarms.delete(scope=target.scope, names=[low])
        for name, comparison, threshold, periods in wanted:
            alarm = {
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
            }
            self._alarms.put(scope=target.scope, alarm=alarm)

    def _remove_policy(self, target: Target, name: str) -> None:
        policy = target.policies.pop(name)
        self._alarms.delete(scope=target.scope, names=policy.alarms)

    def _of(self, caller: Scope) -> list[Target]:
        return [target for target in self._targets.values() if target.scope == caller]

    def _registered(self, caller: Scope, request: dict[str, Any]) -> Target:
        target = self._targets.get(request["ResourceId"])
        if target is None or target not in self._of(caller):
            raise not_found(f"No scalable target found for: {words(request)}")
        return target

    def _endpoint(self, caller: Scope, arn: str) -> dict[str, Any] | None:
        """Its properties, None when there is no such endpoint."""
        try:
            answer = self._call("DescribeEndpoint", {"EndpointArn": arn}, caller)
        except ComprehendError as error:
            if error.code in ("ResourceNotFoundException", "InvalidRequestException"):
                return None
            raise
        return dict(answer["EndpointProperties"])

    def _call(self, operation: str, request: dict[str, Any], caller: Scope) -> dict[str, Any]:
        return self._comprehend.call(operation=operation, request=request, account=caller.account, region=caller.region)


def _in_service(endpoint: dict[str, Any]) -> bool:
    """Only then the endpoint can be scaled."""
    return bool(endpoint["Status"] == "IN_SERVICE")


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
