"""What `flywheel endpoint` computes and how it is shown."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from rich.console import Console

from flywheel.comprehend.endpoint import EndpointStatus
from flywheel.records.serving import ServingState, ServingStatus, SmokeTest
from flywheel.serving.target import EndpointTarget
from ops.tables.endpoint import endpoint_view
from ops.verbs.endpoint import Dollars, EndpointReport, EndpointThere, Scaling, costs_so_far, hours_a_month, most_wanted

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
MODELS = "arn:aws:comprehend:us-east-1:111122223333:document-classifier/news/version/"
ENDPOINT = "arn:aws:comprehend:us-east-1:111122223333:document-classifier-endpoint/news"
NOTHING = Dollars(an_hour=Decimal(0), a_month=Decimal(0))
ONE_UNIT = Dollars(an_hour=Decimal("1.80"), a_month=Decimal("1314.00"))


def target(**members: Any) -> EndpointTarget:
    return EndpointTarget.model_validate({"inference_units": "1", "maximum_inference_units": "0"} | members)


def there(**members: Any) -> EndpointThere:
    return EndpointThere.model_validate(
        {
            "arn": ENDPOINT,
            "status": EndpointStatus.IN_SERVICE,
            "model_arn": f"{MODELS}2",
            "desired_model_arn": f"{MODELS}2",
            "flywheel_arn": "arn:aws:comprehend:us-east-1:111122223333:flywheel/news-0a1b2c3d",
            "desired_units": 1,
            "current_units": 1,
            "created_at": NOW,
            "changed_at": NOW,
        }
        | members
    )


def report(**members: Any) -> EndpointReport:
    costs = dict.fromkeys(("costs_now", "costs_wanted", "costs_at_most"), NOTHING)
    return EndpointReport.model_validate({"name": "news", "region": "us-east-1"} | costs | members)


def shown(found: EndpointReport) -> str:
    console = Console(file=io.StringIO(), width=110)
    console.print(endpoint_view(found))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        ({}, Decimal(730)),
        # Ten hours and the 45 minutes before them, on five of seven days.
        (
            {"hours_start": "cron(0 8 ? * MON-FRI *)", "hours_end": "cron(0 18 ? * MON-FRI *)"},
            730 * Decimal("10.75") * 5 / 168,
        ),
        (
            {"hours_start": "cron(0 22 ? * * *)", "hours_end": "cron(0 2 ? * * *)"},
            730 * Decimal("4.75") * 7 / 168,
        ),
    ],
)
def test_hours_of_a_month_are_those_in_which_the_endpoint_is_there(hours: dict[str, str], expected: Decimal) -> None:
    assert hours_a_month(target(**hours)) == pytest.approx(expected)


def test_without_a_stack_it_would_be_there_at_all_hours() -> None:
    assert hours_a_month(None) == 730


def test_nothing_scales_where_nothing_is_wanted() -> None:
    assert most_wanted(None) == 0
    assert most_wanted(target(inference_units="0", maximum_inference_units="4")) == 0
    assert most_wanted(target(inference_units="2", maximum_inference_units="4")) == 4
    assert most_wanted(target(inference_units="2", maximum_inference_units="1")) == 2


@pytest.mark.parametrize(
    ("endpoint", "units"),
    [
        (there(status=EndpointStatus.CREATING, current_units=None, desired_units=2), 2),
        (there(status=EndpointStatus.UPDATING, current_units=1, desired_units=2), 1),
        (there(status=EndpointStatus.FAILED, current_units=None, desired_units=2), 0),
    ],
)
def test_an_endpoint_is_billed_from_its_creation_on(endpoint: EndpointThere, units: int) -> None:
    assert endpoint.billed_units == units


def test_without_a_serving_stack_nothing_is_wanted_and_there_is_nothing() -> None:
    words = shown(report())
    assert "no Serving stack is deployed" in words
    assert "there is none" in words
    assert "As wanted" not in words


def test_an_endpoint_that_serves_the_active_model() -> None:
    found = report(
        wanted=target(maximum_inference_units="3"),
        endpoint=there(),
        scaling=Scaling(least=1, most=3),
        active_model_arn=f"{MODELS}2",
        costs_now=ONE_UNIT,
        state=ServingState(status=ServingStatus.IN_SERVICE, reason="It answers.", since=NOW, at=NOW),
    )
    words = shown(found)
    for part in ("1 inference unit, up to 3 by auto scaling", "at all hours", "in service since", "the active one"):
        assert part in words
    assert "1 to 3 inference units" in words
    assert "$1.80 an hour, $1,314.00 a month" in words
    assert "none has run" in words


def test_an_endpoint_that_does_not_serve_the_active_model_says_which_one_it_is() -> None:
    words = shown(report(endpoint=there(desired_model_arn=f"{MODELS}3"), active_model_arn=f"{MODELS}3"))
    assert "not the active one, which is news/version/3. The endpoint moves to it." in words
    pinned = shown(report(endpoint=there(flywheel_arn=None), active_model_arn=f"{MODELS}3"))
    assert "pinned: it follows no promotion" in pinned
    assert "moves to it" not in pinned


def test_a_smoke_test_is_shown_with_the_model_it_was_of() -> None:
    test = SmokeTest(
        model_arn=f"{MODELS}1",
        endpoint_arn=ENDPOINT,
        key="test/smoke.csv",
        documents=10,
        right=7,
        minimum=0.8,
        at=NOW,
    )
    words = shown(report(endpoint=there(), smoke_test=test))
    assert "7 of 10 documents" in words
    assert "news/version/1" in words


def test_serving_hours_are_shown() -> None:
    hours = {"hours_start": "cron(0 8 ? * MON-FRI *)", "hours_end": "cron(0 18 ? * MON-FRI *)"}
    assert "(UTC): now is outside them" in shown(report(wanted=target(**hours), in_hours=False))


@pytest.mark.parametrize(
    ("endpoint", "dollars"),
    [
        (there(), "18.00"),
        (there(current_units=3), "54.00"),
        (there(status=EndpointStatus.FAILED), "0.00"),
        (there(created_at=NOW + timedelta(days=1)), "0.00"),
        (there(created_at=None), None),
        (None, None),
    ],
)
def test_what_an_endpoint_has_cost_is_its_age_times_its_units(
    endpoint: EndpointThere | None, dollars: str | None
) -> None:
    expected = Decimal(dollars) if dollars is not None else None
    assert costs_so_far(endpoint, now=NOW + timedelta(hours=10)) == expected
