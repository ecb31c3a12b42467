from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flywheel.serving.hours import LEAD, InvalidServingHoursError, WeeklyTime, is_open
from flywheel.serving.target import EndpointTarget

MONDAY = datetime(2026, 11, 16, tzinfo=UTC)
SEVEN, SEVENTEEN = "cron(0 7 ? * MON-FRI *)", "cron(0 17 ? * MON-FRI *)"


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """Day 0 is a Monday."""
    return MONDAY + timedelta(days=day, hours=hour, minutes=minute)


def open_at(moment: datetime, *, start: str = SEVEN, end: str = SEVENTEEN) -> bool:
    return is_open(start=WeeklyTime.of(start), end=WeeklyTime.of(end), now=moment)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (at(0, 7), True),
        (at(0, 16, 59), True),
        (at(0, 17), False),
        (at(0, 7) - LEAD, True),
        (at(0, 7) - LEAD - timedelta(seconds=1), False),
        (at(1, 3), False),
        (at(4, 18), False),
        (at(5, 12), False),
        (at(6, 12), False),
        (at(7, 7), True),
    ],
)
def test_office_hours(moment: datetime, expected: bool) -> None:
    assert open_at(moment) is expected


def test_an_endpoint_has_a_look_of_the_schedule_and_the_longest_usual_creation_before_it_is_needed() -> None:
    assert timedelta(minutes=15 + 15) < LEAD <= timedelta(hours=1)


def test_hours_across_midnight() -> None:
    night = {"start": "cron(0 22 ? * * *)", "end": "cron(0 4 ? * * *)"}
    assert open_at(at(2, 23), **night)
    assert open_at(at(3, 3, 59), **night)
    assert not open_at(at(3, 4), **night)
    assert not open_at(at(3, 12), **night)


def test_hours_from_one_day_of_the_week_to_another() -> None:
    week = {"start": "cron(30 6 ? * MON *)", "end": "cron(0 20 ? * FRI *)"}
    assert open_at(at(2, 2), **week)
    assert not open_at(at(5, 2), **week)
    assert open_at(at(7, 6, 30), **week)


def test_days_may_wrap_around_the_end_of_the_week() -> None:
    assert WeeklyTime.of("cron(0 7 ? * SAT-MON *)").days == frozenset({5, 6, 0})
    assert WeeklyTime.of("cron(0 7 ? * TUE,THU *)").days == frozenset({1, 3})


@given(
    st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=400)).map(MONDAY.__add__),
    st.integers(0, 59),
    st.integers(0, 23),
    st.frozensets(st.sampled_from(["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"]), min_size=1),
)
def test_the_last_time_is_such_a_time_of_the_week_before_now(
    now: datetime, minute: int, hour: int, days: frozenset[str]
) -> None:
    time = WeeklyTime.of(f"cron({minute} {hour} ? * {','.join(sorted(days))} *)")
    last = time.last(now)
    assert now - timedelta(days=7) < last <= now
    assert (last.hour, last.minute) == (hour, minute)
    assert last.weekday() in time.days


@pytest.mark.parametrize(
    "expression",
    [
        "rate(1 day)",
        "cron(0 7 * * ? *)",
        "cron(60 7 ? * MON *)",
        "cron(0 24 ? * MON *)",
        "cron(0 7 ? * MOON *)",
        "cron(0 7 ? * MON-MOON *)",
        "cron(0 7 ? * , *)",
    ],
)
def test_other_expressions_are_refused(expression: str) -> None:
    with pytest.raises(InvalidServingHoursError, match="cron\\(MINUTE HOUR"):
        WeeklyTime.of(expression)


def test_without_hours_an_endpoint_is_wanted_always() -> None:
    target = EndpointTarget(inference_units=1, maximum_inference_units=0)
    assert target.in_hours(at(6, 3))
    assert not target.scales
    assert EndpointTarget(inference_units=1, maximum_inference_units=3).scales
