"""The deployed alarms: each is quiet at its limit, calls people one step beyond, and watches what turns really give."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest

from flywheel.records.decisions import DecisionKind
from local.cloud import CloudAccount
from tests.local_cloud.pipeline import CONTEXT, LONG, STACK, Pipeline, documents, paused
from tests.local_cloud.resources import Synthesise, messages, until

LIMITS = {
    "TurnDeadLetters": (0, 1),
    "UndeliveredEvents": (0, 1),
    "TurnFailed": (0, 1),
    "TurnTimedOut": (0, 1),
    "TurnAborted": (0, 1),
    "PromotionDeadLetters": (0, 1),
    "PromotionFailed": (0, 1),
    "PromotionTimedOut": (0, 1),
    "PromotionAborted": (0, 1),
    "StartTurnErrors": (0, 1),
    "StartPromotionErrors": (0, 1),
    "ApprovalWaiting": (0, 1),
    "WaitingForAPerson": (0, 1),
    "UploadsNotPrepared": (0, 1),
    "TrainDatasetQuota": (39, 40),
    "TestDatasetQuota": (39, 40),
    "Drift": (0.01, 0.0099),
}
"""Of each alarm that a number sets off: the last quiet number and the first that calls."""
OWN = "ComprehendFlywheel"
Metric = tuple[str, str, frozenset[tuple[str, str]]]


@dataclass(kw_only=True)
class Watched:
    """The deployed alarms and what became of them."""

    account: CloudAccount
    pipeline: Pipeline
    told: set[str] = field(default_factory=set)
    """The alarms that people were told about."""
    emitted: set[Metric] = field(default_factory=set)
    """The metrics that there were after the turns."""

    def alarms(self) -> dict[str, dict[str, Any]]:
        """As CloudWatch describes them, by the construct's name."""
        found = self.account.client("cloudwatch").describe_alarms()["MetricAlarms"]
        return {short(alarm["AlarmName"]): dict(alarm) for alarm in found}

    def states(self) -> dict[str, str]:
        return {name: alarm["StateValue"] for name, alarm in self.alarms().items()}

    def give(self, name: str, value: float) -> None:
        alarm = self.alarms()[name]
        self.account.client("cloudwatch").put_metric_data(
            Namespace=alarm["Namespace"],
            MetricData=[{"MetricName": alarm["MetricName"], "Dimensions": alarm["Dimensions"], "Value": value}],
        )

    def was_told(self, name: str) -> bool:
        for notification in messages(self.account, self.pipeline.inbox):
            if "AlarmName" in notification["Message"]:
                message = json.loads(notification["Message"])
                assert message["NewStateValue"] == "ALARM"
                self.told.add(short(message["AlarmName"]))
        return name in self.told

    def metrics(self) -> set[Metric]:
        pages = self.account.client("cloudwatch").get_paginator("list_metrics").paginate()
        return {
            metric(each["Namespace"], each["MetricName"], each["Dimensions"])
            for page in pages
            for each in page["Metrics"]
        }


def short(alarm_name: str) -> str:
    match = re.search(r"Alarms(\w+?)[0-9A-F]{8}", alarm_name)
    assert match, alarm_name
    return match[1]


def metric(namespace: str, name: str, dimensions: list[Any]) -> Metric:
    return namespace, name, frozenset((each["Name"], each["Value"]) for each in dimensions)


@pytest.fixture(scope="module")
def silent(account: CloudAccount, synthesise: Synthesise) -> Watched:
    """Deployed, and no turn ever began."""
    assembly = synthesise(context=CONTEXT)
    pipeline = Pipeline.deploy(account, assembly, DriftFloor="0.01", MaximumDaysWithoutTurn="1")
    watched = Watched(account=account, pipeline=pipeline)
    until(lambda: watched.states()["NoTurn"] == "ALARM")
    return watched


@pytest.fixture(scope="module")
def watched(silent: Watched) -> Watched:
    """A turn that trains and one that only tests later, with every number that sets off an alarm first at its limit
    and then beyond."""
    with paused(silent.pipeline):
        silent.pipeline.upload("train/news.csv", documents())
        silent.pipeline.upload("test/news.csv", documents(10))
    # Test data alone are scored by an active model, so there has to be one.
    silent.pipeline.promotion_of(silent.pipeline.recorded("turn-000001"))
    silent.pipeline.upload("test/more.csv", documents(10))
    assert silent.pipeline.recorded("turn-000002").decision is DecisionKind.REPORT
    until(lambda: not silent.pipeline.is_running(), patience=LONG)
    silent.emitted = silent.metrics()
    for name, (quiet, _) in LIMITS.items():
        silent.give(name, quiet)
    until(lambda: set(silent.states().values()) == {"OK"}, patience=LONG)
    assert not silent.was_told("TurnFailed")
    assert silent.told <= {"NoTurn"}
    for name, (_, calling) in LIMITS.items():
        silent.give(name, calling)
    return silent


def test_every_alarm_is_in_the_table(watched: Watched) -> None:
    assert set(watched.alarms()) == {*LIMITS, "NoTurn"}


def test_days_without_a_turn_alarm_until_one_begins(watched: Watched) -> None:
    """That they alarm before is what `silent` waits for; nobody can have subscribed to the topic by then."""
    assert watched.states()["NoTurn"] == "OK"


@pytest.mark.parametrize("name", LIMITS)
def test_a_number_beyond_the_limit_calls_people(watched: Watched, name: str) -> None:
    until(lambda: watched.was_told(name), patience=LONG)
    assert watched.states()[name] == "ALARM"


def test_alarms_watch_what_a_turn_gives(watched: Watched) -> None:
    """The same dimensions, no more and no less: CloudWatch takes others for another metric."""
    own = {
        metric(alarm["Namespace"], alarm["MetricName"], alarm["Dimensions"])
        for alarm in watched.alarms().values()
        if alarm["Namespace"] == OWN
    }
    assert len(own) == 6
    assert own <= watched.emitted


def test_the_dashboard_shows_what_a_turn_gives(watched: Watched) -> None:
    cloudwatch = watched.account.client("cloudwatch")
    name = f"{STACK}-{watched.account.region}"
    body = json.loads(cloudwatch.get_dashboard(DashboardName=name)["DashboardBody"])
    shown = {
        (each[0], each[1], frozenset(zip(dimensions[::2], dimensions[1::2], strict=True)))
        for widget in body["widgets"]
        for each in widget["properties"].get("metrics", [])
        for dimensions in [[part for part in each[2:] if isinstance(part, str)]]
    }
    # No turn and no promotion ended otherwise than well.
    absent = {"ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted"}
    # And nothing is served here.
    absent |= {"PredictionConfidence", "LowConfidencePredictions", "ThrottledPredictions", "InferenceUtilization"}
    absent |= {"ServingBehind", "SmokeTestFailed"}
    assert {found[1] for found in shown - watched.emitted} <= absent
    assert any(found[1] == "TrainingDocuments" for found in shown)


def test_the_numbers_of_a_turn_have_no_other_dimensions(watched: Watched) -> None:
    dimensions = {tuple(sorted(name for name, _ in found[2])) for found in watched.emitted if found[0] == OWN}
    assert dimensions == {("Flywheel",), ("Flywheel", "Label")}


def test_how_long_a_turn_took_is_measured(watched: Watched) -> None:
    record = watched.pipeline.record("turn-000001")
    assert record is not None
    assert record.began_at is not None
    points = watched.account.client("cloudwatch").get_metric_statistics(
        Namespace=OWN,
        MetricName="TurnDuration",
        Dimensions=[{"Name": "Flywheel", "Value": CONTEXT["name"]}],
        StartTime=record.began_at,
        EndTime=datetime.now(tz=record.began_at.tzinfo),
        Period=86_400,
        Statistics=["Maximum"],
    )["Datapoints"]
    assert max(point["Maximum"] for point in points) >= (record.ended_at - record.began_at).total_seconds() - 1
