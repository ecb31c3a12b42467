"""CloudWatch alarms that watch by themselves.

MiniStack looks at an alarm only when somebody puts a metric, and then at all points of the metric's name whatever
their dimensions. Here each alarm is evaluated every few seconds over the periods it names, missing data as it says,
and its topic is told only if the topic's policy and key let CloudWatch.
"""

from __future__ import annotations

import logging
import operator
import threading
import time
from collections.abc import Callable
from typing import Any

from local.cloud.emulator import service_roles
from local.cloud.emulator.cloudwatch import metrics
from local.cloud.emulator.messages import message_keys
from local.cloud.emulator.ministack import cloudwatch, responses

_logger = logging.getLogger("cloudwatch")

_EVERY = 2.0
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


def teach() -> None:
    cloudwatch._evaluate_alarm = lambda _alarm: None
    dispatch = cloudwatch._dispatch_alarm_actions

    def dispatch_allowed(alarm: dict[str, Any], old: str, new: str, reason: str) -> Any:
        field = {"ALARM": "AlarmActions", "OK": "OKActions"}.get(new, "InsufficientDataActions")
        allowed = [action for action in alarm.get(field) or [] if _may_publish(action, alarm)]
        return dispatch({**alarm, field: allowed}, old, new, reason)

    cloudwatch._dispatch_alarm_actions = dispatch_allowed
    threading.Thread(target=_watch, name="alarms", daemon=True).start()


def _watch() -> None:
    while True:
        time.sleep(_EVERY)
        metrics.sample_queues()
        for (account, region, _), alarm in list(cloudwatch._alarms._data.items()):
            with responses.request_scope(account, region):
                _evaluate(alarm, now=time.time())


def _evaluate(alarm: dict[str, Any], *, now: float) -> None:
    values = _values(alarm, now=now)
    old, new = alarm["StateValue"], _state(alarm, values)
    if new == old:
        return
    reason = f"Threshold Crossed: {values} {alarm.get('ComparisonOperator')} {alarm.get('Threshold')}"
    alarm.update(StateValue=new, StateReason=reason, StateUpdatedTimestamp=int(now))
    cloudwatch._record_history(alarm["AlarmName"], old, new, reason)
    cloudwatch._dispatch_alarm_actions(alarm, old, new, reason)
    cloudwatch._evaluate_parent_alarms(alarm)


def _values(alarm: dict[str, Any], *, now: float) -> list[float | None]:
    """The alarm's statistic in each of its periods, the newest first; None where there is no data."""
    dimensions = cloudwatch._dims_key({each["Name"]: each["Value"] for each in alarm.get("Dimensions") or []})
    points = list(cloudwatch._metrics.get((alarm.get("Namespace"), alarm.get("MetricName"), dimensions)) or [])
    period = alarm.get("Period", 60)
    statistic = alarm.get("ExtendedStatistic") or alarm.get("Statistic", "Average")
    values: list[float | None] = []
    for number in range(alarm.get("EvaluationPeriods", 1)):
        begin, end = now - (number + 1) * period, now - number * period
        within = [point for point in points if begin <= point["Timestamp"] < end]
        values.append(cloudwatch._stat_value(cloudwatch._calc_stats(within), statistic, within) if within else None)
    return values


def _state(alarm: dict[str, Any], values: list[float | None]) -> str:
    missing = alarm.get("TreatMissingData") or "missing"
    known = [value for value in values if value is not None]
    if not known and missing in ("missing", "ignore"):
        return str(alarm["StateValue"]) if missing == "ignore" else "INSUFFICIENT_DATA"
    breaches = _COMPARISONS[alarm["ComparisonOperator"]]
    breaching = sum(breaches(value, alarm["Threshold"]) for value in known)
    if missing == "breaching":
        breaching += len(values) - len(known)
    needed = alarm.get("DatapointsToAlarm") or alarm.get("EvaluationPeriods", 1)
    return "ALARM" if breaching >= needed else "OK"


def _may_publish(action: str, alarm: dict[str, Any]) -> bool:
    if ":sns:" not in action:
        return True
    account = responses.get_account_id()
    conditions = {
        "aws:SourceArn": alarm["AlarmArn"],
        "aws:SourceAccount": account,
        # Services of AWS set this older key, which a topic's default policy asks for.
        "aws:SourceOwner": account,
    }
    needed = [("sns:Publish", action), *message_keys.needed_with("sns:Publish", action)]
    try:
        for needed_action, resource in needed:
            service_roles.check_service(
                service="cloudwatch.amazonaws.com", action=needed_action, resource=resource, conditions=conditions
            )
    except service_roles.AccessDenied as error:
        _logger.warning("The alarm %s did not reach %s: %s", alarm["AlarmName"], action, error)
        return False
    return True
