"""EventBridge: rules with patterns and schedules, and what their targets get."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tests.simulation.api import REGION, ApiError, Caller

if TYPE_CHECKING:
    from tests.simulation.deployment.stack import Rule, Target
    from tests.simulation.kernel import Kernel

_LARGEST_ENTRY = 1024 * 1024
_SECONDS = {"minute": 60.0, "hour": 3600.0, "day": 86400.0}


class Events:
    """`deliver` gets each event for a target; it may lose, delay or repeat it."""

    def __init__(self, kernel: Kernel, *, deliver: Callable[[str, Rule, Target, Any], None]) -> None:
        self._kernel = kernel
        self._deliver = deliver
        self._rules: dict[tuple[str, str], tuple[Rule, Fits]] = {}
        """By account and ARN."""
        self.least_period = 0.0
        """Seconds: schedules that are due more often are due so often. Most looks find nothing, and cost the most."""
        self._by_source: dict[tuple[str, str], list[tuple[Rule, Fits]]] = {}
        """By account and source: all rules of the project name the sources of their events."""
        self._count = 0
        self.open_to: dict[str, Callable[[Caller, Mapping[str, Any]], bool]] = {}
        """By account: whether its default bus takes an entry of somebody in another account."""
        self.failing: set[str] = set()
        """Accounts whose default buses take no entry: that is told in the answer, and no error of the request."""

    def add(self, rule: Rule, *, account: str) -> None:
        """Also in the place of one that was there."""
        key = (account, rule.arn)
        known = self._rules.get(key)
        if known is not None and known[0] is rule:
            return
        self._rules[key] = (rule, matcher(rule.pattern or {}))
        self._sort()
        if rule.schedule and known is None:
            self._kernel.later(self._kernel.random("schedules").uniform(0, 60), lambda: self._tick(key))

    def remove(self, rule: Rule, *, account: str) -> None:
        self._rules.pop((account, rule.arn), None)
        self._sort()

    def _sort(self) -> None:
        self._by_source.clear()
        for (account, _), (rule, fits) in self._rules.items():
            for source in (rule.pattern or {}).get("source", ()):
                self._by_source.setdefault((account, source), []).append((rule, fits))

    def _tick(self, key: tuple[str, str]) -> None:
        rule = self._rules[key][0] if key in self._rules else None
        if rule is None or not rule.schedule:
            return
        if rule.enabled:
            detail: dict[str, Any] = {}
            self._send(key[0], rule, self.event(key[0], "aws.events", "Scheduled Event", detail))
        self._kernel.later(max(self.least_period, period(rule.schedule)), lambda: self._tick(key))

    def event(self, account: str, source: str, detail_type: str, detail: Mapping[str, Any]) -> dict[str, Any]:
        return {**self._event(account, source, detail_type, detail), "time": self._time()}

    def _time(self) -> str:
        return datetime.fromtimestamp(self._kernel.now, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def _event(self, account: str, source: str, detail_type: str, detail: Mapping[str, Any]) -> dict[str, Any]:
        """Without its time."""
        self._count += 1
        return {
            "version": "0",
            "id": f"event-{self._count:06d}",
            "detail-type": detail_type,
            "source": source,
            "account": account,
            "time": None,
            "region": REGION,
            "resources": [],
            "detail": dict(detail),
        }

    def publish(
        self, account: str, source: str, detail_type: str, detail: Mapping[str, Any], *, sender: str | None = None
    ) -> None:
        """An event on the account's default bus, of another account's `sender` if one is named."""
        event = self._event(sender or account, source, detail_type, detail)
        for rule, fits in self._by_source.get((account, source), ()):
            # Most events fit no rule, and no pattern of the project looks at the time.
            if rule.enabled and fits(event):
                event["time"] = self._time()
                self._send(account, rule, event)

    def _send(self, account: str, rule: Rule, event: dict[str, Any]) -> None:
        for target in rule.targets:
            content = event if target.input is None else json.loads(target.input)
            if target.input_path is not None:
                content = _at(event, target.input_path)
            self._deliver(account, rule, target, content)

    def answer(self, operation: str, parameters: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        if operation != "PutEvents":
            raise NotImplementedError(f"The simulated EventBridge has no {operation}.")
        size = sum(len(entry["Detail"].encode()) for entry in parameters["Entries"])
        if size > _LARGEST_ENTRY:
            raise ApiError("ValidationException", "Total size of the entries in the request is over the limit.")
        answers: list[dict[str, Any]] = []
        for entry in parameters["Entries"]:
            bus = entry.get("EventBusName", "default")
            account = bus.split(":")[4] if bus.startswith("arn:") else caller.account
            if account != caller.account and not self.open_to.get(account, _closed)(caller, entry):
                raise ApiError(
                    "AccessDeniedException",
                    f"User: {caller.arn} is not authorized to perform: events:PutEvents on resource: {bus} because no "
                    "resource-based policy allows the events:PutEvents action",
                )
            if account in self.failing:
                answers.append({"ErrorCode": "InternalFailure", "ErrorMessage": "not now"})
                continue
            detail = json.loads(entry["Detail"])
            self.publish(account, entry["Source"], entry["DetailType"], detail, sender=caller.account)
            answers.append({"EventId": f"entry-{self._count:06d}"})
        return {"FailedEntryCount": sum("ErrorCode" in each for each in answers), "Entries": answers}


def _closed(_caller: Caller, _entry: Mapping[str, Any]) -> bool:
    return False


def period(expression: str) -> float:
    """Of a schedule, in seconds. A cron expression counts as once a day."""
    match = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", expression)
    return int(match[1]) * _SECONDS[match[2]] if match else _SECONDS["day"]


Fits = Callable[[Any], bool]


def matcher(pattern: Mapping[str, Any]) -> Fits:
    """Whether an event fits a pattern ("Event patterns" of the EventBridge guide). There are many events for each
    pattern, and most do not fit: so it is read once."""
    members = [(name, _member(wanted)) for name, wanted in pattern.items()]

    def fits(found: Any) -> bool:
        if not isinstance(found, dict):
            return False
        for name, one in members:  # noqa: SIM110 - a generator takes longer than what it asks
            if not one(found.get(name)):
                return False
        return True

    return fits


def _member(wanted: Any) -> Fits:
    if isinstance(wanted, Mapping):
        return matcher(wanted)
    tests = [_value(each) for each in wanted]

    def fits(found: Any) -> bool:
        for value in found if isinstance(found, list) else (found,):
            for test in tests:
                if test(value):
                    return True
        return False

    return fits


def _value(wanted: Any) -> Fits:
    match wanted:
        case {"prefix": str(prefix)}:
            return lambda found: isinstance(found, str) and found.startswith(prefix)
        case {"suffix": str(suffix)}:
            return lambda found: isinstance(found, str) and found.endswith(suffix)
        case {"exists": bool(there)}:
            return lambda found: (found is not None) == there
        case {"anything-but": other}:
            others = other if isinstance(other, list) else [other]
            return lambda found: found is not None and found not in others
        case dict():
            raise NotImplementedError(f"The simulated EventBridge has no {wanted}.")
        case _:
            return lambda found: bool(wanted == found)


def _at(event: Mapping[str, Any], path: str) -> Any:
    found: Any = event
    for name in path.removeprefix("$").strip(".").split("."):
        found = found[name]
    return found
