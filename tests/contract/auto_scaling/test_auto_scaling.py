"""When the local Application Auto Scaling scales: alarms over minutes, cooldowns, suspensions, several policies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from local.auto_scaling.contract import AutoScalingError
from local.auto_scaling.load import Load
from local.auto_scaling.service import AutoScaling
from local.auto_scaling.state import PREDEFINED_METRIC
from local.comprehend.errors import in_use, not_found
from local.comprehend.identifiers import Scope
from local.comprehend.inferences import Inference

ACCOUNT, REGION = "111122223333", "us-east-1"
ENDPOINT = f"arn:aws:comprehend:{REGION}:{ACCOUNT}:document-classifier-endpoint/live"
DIMENSION = "comprehend:document-classifier-endpoint:DesiredInferenceUnits"
TARGET: dict[str, Any] = {"ServiceNamespace": "comprehend", "ResourceId": ENDPOINT, "ScalableDimension": DIMENSION}


class OneEndpoint:
    """Its units are changed at once, unless it is busy."""

    def __init__(self) -> None:
        self.now, self.in_service, self.refuses, self.there = 1, True, False, True
        self.arns = {ENDPOINT}

    def call(self, *, operation: str, request: dict[str, Any], account: str, region: str) -> dict[str, Any]:
        known = request["EndpointArn"] in self.arns
        if not self.there or not known or (account, region) != (ACCOUNT, REGION):
            raise not_found("There is no such endpoint.")
        if operation == "UpdateEndpoint":
            if self.refuses:
                raise in_use("it is UPDATING")
            self.now = request["DesiredInferenceUnits"]
            return {}
        status = "IN_SERVICE" if self.in_service else "UPDATING"
        return {"EndpointProperties": {"DesiredInferenceUnits": self.now, "Status": status}}


class KeptAlarms:
    def __init__(self) -> None:
        self.alarms: dict[str, dict[str, Any]] = {}

    def put(self, *, scope: Scope, alarm: dict[str, Any]) -> None:
        assert scope == Scope(account=ACCOUNT, region=REGION)
        self.alarms[alarm["AlarmName"]] = alarm

    def delete(self, *, scope: Scope, names: Sequence[str]) -> None:
        assert scope == Scope(account=ACCOUNT, region=REGION)
        for name in names:
            self.alarms.pop(name, None)


class Minutes:
    """An endpoint that is registered, and a clock that goes on by minutes of load."""

    def __init__(self) -> None:
        self.time = 1_000_000.0
        self.endpoint, self.alarms, self.load = OneEndpoint(), KeptAlarms(), Load()
        self.service = AutoScaling(
            comprehend=self.endpoint, alarms=self.alarms, load=self.load, clock=lambda: self.time
        )

    def call(self, operation: str, *, account: str = ACCOUNT, **request: Any) -> dict[str, Any]:
        return self.service.call(operation=operation, request=request, account=account, region=REGION)

    def register(self, minimum: int = 1, maximum: int = 4, **more: Any) -> None:
        self.call("RegisterScalableTarget", **TARGET, MinCapacity=minimum, MaxCapacity=maximum, **more)

    def track(self, target: float = 70, name: str = "busy", **more: Any) -> dict[str, Any]:
        return self.call(
            "PutScalingPolicy",
            **TARGET,
            PolicyName=name,
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration={
                "TargetValue": float(target),
                "PredefinedMetricSpecification": {"PredefinedMetricType": PREDEFINED_METRIC},
                **more,
            },
        )

    def pass_by(self, minutes: int, *, percent: float | None) -> list[int]:
        """Units after each minute in which the endpoint was so busy; None: nobody called it."""
        seen = []
        for _ in range(minutes):
            if percent is not None:
                units = self.endpoint.now
                inference = Inference(
                    scope=Scope(account=ACCOUNT, region=REGION),
                    endpoint_arn=ENDPOINT,
                    model_arn="",
                    characters=round(percent * units * 60),
                    units=units,
                    characters_a_second=100.0 * units,
                )
                self.load.record(inference, now=self.time + 30)
            self.time += 60
            self.service.evaluate()
            seen.append(self.endpoint.now)
        return seen


@pytest.fixture
def minutes() -> Minutes:
    return Minutes()


def test_three_busy_minutes_scale_out_to_what_the_load_needs(minutes: Minutes) -> None:
    minutes.register()
    minutes.track()
    assert minutes.pass_by(3, percent=100) == [1, 1, 2]


def test_it_never_grows_beyond_the_maximum(minutes: Minutes) -> None:
    minutes.register(maximum=3)
    minutes.track()
    assert minutes.pass_by(6, percent=500)[-1] == 3


def test_two_busy_minutes_or_a_gap_among_them_are_not_enough(minutes: Minutes) -> None:
    minutes.register()
    minutes.track()
    assert minutes.pass_by(2, percent=100) == [1, 1]
    assert minutes.pass_by(1, percent=None) == [1]
    assert minutes.pass_by(2, percent=100) == [1, 1]
    assert minutes.pass_by(1, percent=100) == [2]


def test_fifteen_quiet_minutes_scale_in_and_none_without_a_call_counts(minutes: Minutes) -> None:
    minutes.endpoint.now = 3
    minutes.register()
    minutes.track()
    assert set(minutes.pass_by(40, percent=None)) == {3}
    assert minutes.pass_by(15, percent=10) == [3] * 14 + [1]


def test_what_is_just_below_the_target_stays(minutes: Minutes) -> None:
    minutes.endpoint.now = 3
    minutes.register()
    minutes.track()
    assert set(minutes.pass_by(20, percent=65)) == {3}


def test_it_never_shrinks_below_the_minimum(minutes: Minutes) -> None:
    minutes.endpoint.now = 4
    minutes.register(minimum=2)
    minutes.track()
    assert minutes.pass_by(15, percent=1)[-1] == 2


def test_scaling_in_can_be_left_out_and_has_no_alarm_then(minutes: Minutes) -> None:
    minutes.endpoint.now = 3
    minutes.register()
    made = minutes.track(DisableScaleIn=True)
    assert len(made["Alarms"]) == len(minutes.alarms.alarms) == 1
    assert set(minutes.pass_by(20, percent=1)) == {3}
    assert len(minutes.track()["Alarms"]) == 2
    assert minutes.pass_by(1, percent=1) == [1]


def test_a_cooldown_is_waited_for(minutes: Minutes) -> None:
    minutes.register(maximum=8)
    minutes.track(ScaleOutCooldown=300)
    units = minutes.pass_by(9, percent=140)
    assert units == [1, 1, 2, 2, 2, 2, 2, 4, 4]


def test_a_cooldown_of_scaling_in_holds_up_no_scaling_out(minutes: Minutes) -> None:
    minutes.endpoint.now = 4
    minutes.register(maximum=8)
    minutes.track(ScaleInCooldown=1200)
    assert minutes.pass_by(15, percent=50)[-1] == 3
    assert set(minutes.pass_by(16, percent=40)) == {3}, "twenty minutes are not over"
    assert minutes.pass_by(3, percent=100)[-1] == 5
    assert minutes.pass_by(15, percent=10)[-1] == 1, "now they are"


def test_a_suspended_target_is_left_alone(minutes: Minutes) -> None:
    minutes.register(SuspendedState={"DynamicScalingOutSuspended": True})
    minutes.track()
    assert set(minutes.pass_by(5, percent=100)) == {1}
    minutes.call("RegisterScalableTarget", **TARGET, SuspendedState={"DynamicScalingOutSuspended": False})
    assert minutes.pass_by(1, percent=100) == [2]


def test_of_several_policies_the_one_that_wants_most_prevails(minutes: Minutes) -> None:
    minutes.register()
    minutes.track(70, name="modest")
    minutes.track(30, name="eager")
    assert minutes.pass_by(3, percent=90)[-1] == 3
    (activity,) = minutes.call("DescribeScalingActivities", ServiceNamespace="comprehend")["ScalingActivities"]
    assert "policy eager" in activity["Cause"]


def test_an_endpoint_that_changes_is_scaled_after_it(minutes: Minutes) -> None:
    minutes.register()
    minutes.track()
    minutes.endpoint.in_service = False
    assert set(minutes.pass_by(5, percent=100)) == {1}
    minutes.endpoint.in_service = True
    assert minutes.pass_by(1, percent=100) == [2]


def test_a_refused_change_is_told_and_tried_again(minutes: Minutes) -> None:
    minutes.register()
    minutes.track()
    minutes.endpoint.refuses = True
    assert set(minutes.pass_by(3, percent=100)) == {1}
    minutes.endpoint.refuses = False
    assert minutes.pass_by(1, percent=100) == [2]
    latest, first = minutes.call("DescribeScalingActivities", ServiceNamespace="comprehend")["ScalingActivities"]
    assert (first["StatusCode"], latest["StatusCode"]) == ("Failed", "Successful")
    assert "ResourceInUseException" in first["StatusMessage"]


def test_an_endpoint_that_is_gone_is_no_trouble(minutes: Minutes) -> None:
    minutes.register()
    minutes.track()
    minutes.endpoint.there = False
    assert set(minutes.pass_by(5, percent=100)) == {1}
    minutes.call("DeregisterScalableTarget", **TARGET)


def test_what_is_not_active_is_not_adjusted_by_registering_it(minutes: Minutes) -> None:
    minutes.endpoint.in_service = False
    minutes.register(minimum=2)
    assert minutes.endpoint.now == 1
    minutes.endpoint.in_service = True
    minutes.call("RegisterScalableTarget", **TARGET)
    assert minutes.endpoint.now == 2


def test_a_manual_change_is_left_until_scaling_starts(minutes: Minutes) -> None:
    minutes.register(minimum=2, maximum=3)
    minutes.track()
    minutes.endpoint.now = 8
    assert set(minutes.pass_by(20, percent=68)) == {8}


def test_accounts_see_only_their_own(minutes: Minutes) -> None:
    minutes.register()
    minutes.track()
    other = {"account": "999999999999"}
    assert not minutes.call("DescribeScalableTargets", **other, ServiceNamespace="comprehend")["ScalableTargets"]
    assert not minutes.call("DescribeScalingPolicies", **other, ServiceNamespace="comprehend")["ScalingPolicies"]
    for operation, more in (("DeregisterScalableTarget", {}), ("DeleteScalingPolicy", {"PolicyName": "busy"})):
        with pytest.raises(AutoScalingError) as raised:
            minutes.call(operation, **other, **TARGET, **more)
        assert raised.value.code == "ObjectNotFoundException"


def test_pages(minutes: Minutes) -> None:
    minutes.register()
    names = [f"policy-{number}" for number in range(5)]
    for name in names:
        minutes.track(name=name)
    found, token = [], dict[str, str]()
    for _ in range(3):
        page = minutes.call("DescribeScalingPolicies", ServiceNamespace="comprehend", MaxResults=2, **token)
        found += [policy["PolicyName"] for policy in page["ScalingPolicies"]]
        token = {"NextToken": page["NextToken"]} if "NextToken" in page else {}
    assert (found, token) == (names, {})
    with pytest.raises(AutoScalingError) as raised:
        minutes.call("DescribeScalingPolicies", ServiceNamespace="comprehend", NextToken="nonsense")
    assert raised.value.code == "InvalidNextTokenException"


def test_requests_against_the_contract(minutes: Minutes) -> None:
    for operation, request, code in (
        ("RegisterScalableTarget", {"ServiceNamespace": "comprehend"}, "ValidationException"),
        ("DescribeScalableTargets", {}, "ValidationException"),
        ("DescribeScalableTargets", {"ServiceNamespace": "comprehend", "MaxResults": "2"}, "ValidationException"),
        ("PutScheduledAction", {**TARGET, "ScheduledActionName": "night"}, "UnknownOperationException"),
        ("Dance", {}, "UnknownOperationException"),
    ):
        with pytest.raises(AutoScalingError) as raised:
            minutes.call(operation, **request)
        assert raised.value.code == code, operation


@pytest.mark.parametrize("kind", ["document-classifier", "entity-recognizer"])
def test_each_kind_of_endpoint_has_its_dimension(minutes: Minutes, kind: str) -> None:
    arn = f"arn:aws:comprehend:{REGION}:{ACCOUNT}:{kind}-endpoint/other"
    minutes.endpoint.arns.add(arn)
    minutes.register()
    dimension = f"comprehend:{kind}-endpoint:DesiredInferenceUnits"
    target = {"ServiceNamespace": "comprehend", "ResourceId": arn, "ScalableDimension": dimension}
    minutes.call("RegisterScalableTarget", **target, MinCapacity=1, MaxCapacity=2)
    asked = {"ServiceNamespace": "comprehend", "ScalableDimension": dimension}
    found = minutes.call("DescribeScalableTargets", **asked)["ScalableTargets"]
    assert arn in [each["ResourceId"] for each in found]
    assert {each["ScalableDimension"] for each in found} == {dimension}
    wrong = {**target, "ScalableDimension": dimension.replace(kind, "dynamodb")}
    with pytest.raises(AutoScalingError, match=dimension):
        minutes.call("RegisterScalableTarget", **wrong, MinCapacity=1, MaxCapacity=2)
