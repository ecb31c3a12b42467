"""The serving hours: a start and an end as cron expressions in UTC. The one that came last decides."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

LEAD = timedelta(minutes=45)
"""The endpoint is created this long before the hours start. Creating it takes minutes, commonly said to be 5 to 15
(reference 2.8, unverified), and the schedule runs every 15."""
_CRON = re.compile(r"cron\(([0-9]{1,2}) ([0-9]{1,2}) \? \* (\*|[A-Z,-]+) \*\)")
_DAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")


class InvalidServingHoursError(ValueError):
    def __init__(self, expression: str) -> None:
        super().__init__(
            f"{expression!r} is not a time of serving hours: write it as cron(MINUTE HOUR ? * DAYS *), in UTC, such as "
            "cron(0 7 ? * MON-FRI *)."
        )


@dataclass(frozen=True, kw_only=True)
class WeeklyTime:
    """A time of day (UTC) on some days of the week; Monday is 0."""

    minute: int
    hour: int
    days: frozenset[int]

    @classmethod
    def of(cls, expression: str) -> WeeklyTime:
        """Parse the part of EventBridge's cron syntax for times of the week. Raises InvalidServingHoursError."""
        found = _CRON.fullmatch(expression)
        if found is None:
            raise InvalidServingHoursError(expression)
        minute, hour = int(found[1]), int(found[2])
        days = _days(found[3])
        if minute > 59 or hour > 23 or not days:
            raise InvalidServingHoursError(expression)
        return cls(minute=minute, hour=hour, days=days)

    def last(self, now: datetime) -> datetime:
        """The latest of these times that is not after `now`."""
        return next(
            time
            for back in range(8)
            if (time := self._on(now - timedelta(days=back))).weekday() in self.days and time <= now
        )

    def _on(self, day: datetime) -> datetime:
        return day.replace(hour=self.hour, minute=self.minute, second=0, microsecond=0)


def is_open(*, start: WeeklyTime, end: WeeklyTime, now: datetime) -> bool:
    """Whether the endpoint should exist at `now` (UTC): from LEAD before a start to the next end."""
    return start.last(now + LEAD) > end.last(now)


def _days(text: str) -> frozenset[int]:
    if text == "*":
        return frozenset(range(7))
    days: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        if first not in _DAYS or (last and last not in _DAYS):
            return frozenset()
        begin, stop = _DAYS.index(first), _DAYS.index(last or first)
        days.update(range(begin, stop + 1) if begin <= stop else (*range(begin, 7), *range(stop + 1)))
    return frozenset(days)
