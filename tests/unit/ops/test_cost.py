"""What `flywheel cost` computes: every figure is a count times a price, and nothing that is unknown is made up."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from flywheel.evaluation import holdout_cost
from flywheel.records.decisions import Evidence
from flywheel.serving.target import EndpointTarget
from ops.deployment.published import Parameters
from ops.tables.cost import costs_view, money
from ops.tables.terminal import result_console
from ops.verbs import prices
from ops.verbs.cost import Costs, Line, Per, Range, charge, costs_of
from ops.verbs.usage import (
    PUBLISHED_TRAINING_SECONDS,
    BucketSize,
    LastHoldout,
    TrainingTimes,
    TrainingTimesOf,
    TurnTransitions,
    Usage,
    inference_units,
    training_times,
)

START = datetime(2026, 11, 21, 12, tzinfo=UTC)
PUBLISHED = TrainingTimes(seconds=PUBLISHED_TRAINING_SECONDS, of=TrainingTimesOf.PUBLISHED)
FLYWHEEL = "arn:aws:comprehend:us-east-1:111122223333:flywheel/news-0a1b2c3d"
MODEL = "arn:aws:comprehend:us-east-1:111122223333:document-classifier/news/version/1"


def usage(**counted: Any) -> Usage:
    return Usage.model_validate({"models": 0, "training": PUBLISHED, "inference_units": 0} | counted)


def costs(
    found: Usage,
    *,
    region: str = "us-east-1",
    models_to_keep: int = 5,
    evidence: Evidence = Evidence.HOLDOUT,
    holdout_documents: int = 2000,
) -> Costs:
    parameters = Parameters(ModelsToKeep=models_to_keep, Evidence=evidence, HoldoutDocuments=holdout_documents)
    return costs_of(found, name="news", region=region, parameters=parameters)


def line(of: Costs, what: str) -> Line:
    (found,) = [line for line in of.lines if line.what == what]
    return found


def dollars(low: str, high: str | None = None) -> Range:
    return Range.of(Decimal(low), Decimal(high or low))


def test_models_cost_what_there_are_now_up_to_what_is_kept() -> None:
    assert line(costs(usage(models=2)), "Model versions").dollars == dollars("1.00", "2.50")


def test_models_beyond_the_limit_are_not_forgotten() -> None:
    found = line(costs(usage(models=7, older_models=3)), "Model versions")
    assert found.dollars == dollars("5.00")
    assert "3 of older generations" in found.basis
    assert line(costs(usage(models=1, older_models=3)), "Model versions").dollars == dollars("2.00", "4.00")


def test_training_is_billed_by_the_second() -> None:
    times = TrainingTimes(seconds=(Decimal(3601), Decimal(1200)), of=TrainingTimesOf.MODELS)
    found = line(costs(usage(training=times)), "Training")
    assert found.per is Per.TURN
    assert money(found.dollars) == "$1.00 to $3.00"
    assert found.dollars.high == Decimal("3.000833")


def test_without_a_training_the_published_range_is_named_as_such() -> None:
    found = line(costs(usage()), "Training")
    assert found.dollars == dollars("4.05", "7.15")
    assert "published" in found.basis


def test_the_holdout_of_a_fresh_flywheel_costs_at_most_both_models() -> None:
    found = line(costs(usage()), "Hold-out")
    assert found.dollars == Range.of(0, holdout_cost(documents=2000, models=2))


def test_an_answer_that_is_kept_is_not_paid_for_again() -> None:
    kept = LastHoldout(documents=100, units=400, answered=frozenset({MODEL}))
    asked = line(costs(usage(holdout=kept, active_model_arn=MODEL)), "Hold-out")
    assert asked.dollars == Range.of(
        holdout_cost(documents=100, models=1, units=4), holdout_cost(documents=2000, models=2, units=4)
    )
    both = line(costs(usage(holdout=kept, active_model_arn="another")), "Hold-out")
    assert both.dollars.low == holdout_cost(documents=100, models=2, units=4)


def test_a_holdout_that_was_larger_than_allowed_now_is_still_what_is_asked() -> None:
    kept = LastHoldout(documents=1000, units=3000)
    found = line(costs(usage(holdout=kept, active_model_arn=MODEL), holdout_documents=100), "Hold-out")
    assert found.dollars == Range.of(holdout_cost(documents=1000, models=2))


def test_the_iterations_own_metrics_cost_nothing_more() -> None:
    kept = LastHoldout(documents=100, units=400)
    found = line(costs(usage(holdout=kept), evidence=Evidence.ITERATION), "Hold-out")
    assert found.dollars == dollars("0")


def test_what_is_free_for_an_account_may_be_used_up() -> None:
    found = costs(usage(alarms=14, metrics=22, dashboards=1))
    assert line(found, "Alarms").dollars == dollars("0.40", "1.40")
    assert line(found, "Custom metrics").dollars == dollars("0", "6.60")
    assert line(found, "Dashboard").dollars == dollars("0", "3.00")


def test_a_key_only_if_there_is_one() -> None:
    assert line(costs(usage(keys=1)), "Customer managed key").dollars == dollars("1.00")
    assert "Customer managed key" not in [each.what for each in costs(usage()).lines]


def test_storage_by_the_bytes_there_are() -> None:
    buckets = (BucketSize(name="intake", bytes=2**30), BucketSize(name="logs", bytes=2**29, more=True))
    found = line(costs(usage(buckets=buckets)), "S3 storage")
    assert found.dollars == dollars("0.0345")
    assert "at least, because logs" in found.basis


def test_an_endpoint_costs_every_hour() -> None:
    assert line(costs(usage(inference_units=1)), "Endpoints").dollars == dollars("1314")
    none = line(costs(usage()), "Endpoints")
    assert none.dollars == dollars("0")
    assert "nothing here is billed by the hour" in none.basis


def test_a_wanted_endpoint_costs_its_units_up_to_what_auto_scaling_may_add() -> None:
    wanted = EndpointTarget(inference_units=1, maximum_inference_units=3)
    found = costs(usage(wanted=wanted))
    assert line(found, "Endpoint").dollars == dollars("1314", "3942")
    assert "MaximumInferenceUnits" in line(found, "Endpoint").basis
    assert "nothing here is billed by the hour" not in str(found)
    assert found.a_month == dollars("1314", "3944.50"), "and models, nothing else"


def test_a_wanted_endpoint_costs_its_serving_hours_only() -> None:
    hours = {"hours_start": "cron(0 8 ? * MON-FRI *)", "hours_end": "cron(0 18 ? * MON-FRI *)"}
    wanted = EndpointTarget(inference_units=2, maximum_inference_units=0, **hours)
    found = line(costs(usage(wanted=wanted)), "Endpoint")
    assert money(found.dollars) == "$840.80", "233.6 hours of two units"
    assert "234 hours a month" in found.basis
    assert "MaximumInferenceUnits" not in found.basis


def test_endpoints_besides_the_wanted_one_are_not_forgotten() -> None:
    wanted = EndpointTarget(inference_units=1, maximum_inference_units=0)
    found = costs(usage(wanted=wanted, inference_units=2))
    assert line(found, "Other endpoints").dollars == dollars("2628")
    assert "Other endpoints" not in [each.what for each in costs(usage(wanted=wanted, inference_units=None)).lines]


def test_what_the_service_does_not_know_is_left_out_and_said() -> None:
    found = costs(usage(inference_units=None))
    assert "Endpoints" not in [each.what for each in found.lines]
    assert any("ListEndpoints" in sentence for sentence in found.left_out)
    assert any("turn machine" in sentence for sentence in found.left_out)


def test_transitions_of_the_turn_machine() -> None:
    found = costs(usage(transitions=TurnTransitions(turn="turn-000003", count=300)))
    assert line(found, "Turn machine").dollars == dollars("0.0075")
    assert not any("turn machine" in sentence for sentence in found.left_out)


def test_totals_hold_every_line_of_their_kind_and_no_other() -> None:
    found = costs(usage(models=5, keys=1, alarms=12, transitions=TurnTransitions(turn="turn-000003", count=400)))
    assert found.a_month == dollars("3.70", "4.70")
    assert found.a_turn == dollars("4.06", "13.16")


def test_money_is_decimal_in_json_too() -> None:
    found = costs(usage(models=3))
    model = found.model_dump(mode="json")["lines"][0]
    assert model["dollars"] == {"low": "1.50", "high": "2.50"}
    assert Costs.model_validate_json(found.model_dump_json()) == found


def test_another_region_is_said_to_differ() -> None:
    assert any("eu-west-1" in sentence for sentence in costs(usage(), region="eu-west-1").left_out)
    assert not any("differ" in sentence for sentence in costs(usage()).left_out)


def test_free_amounts_never_make_money() -> None:
    free = charge("Alarms", per=Per.MONTH, quantity=Range.of(3), price=prices.ALARM, basis="")
    assert free.dollars == dollars("0", "0.30")


def test_every_price_names_a_source_and_what_is_recalled_is_marked() -> None:
    table = {name: value for name, value in vars(prices).items() if isinstance(value, prices.Price)}
    assert all(price.source and price.unit for price in table.values())
    assert {name for name, price in table.items() if price.verified} == {"TRAINING", "MODEL", "INFERENCE_UNIT"}


def test_training_times_prefer_what_is_billed() -> None:
    def model(**times: datetime) -> dict[str, Any]:
        return {"DocumentClassifierArn": MODEL, "Status": "TRAINED", **times}

    def iteration(status: str, **more: Any) -> dict[str, Any]:
        return {"Status": status, "CreationTime": START, **more}

    end = START + timedelta(seconds=90)
    iterations = [
        iteration("COMPLETED", EndTime=end, TrainedModelArn=MODEL),
        iteration("COMPLETED", EndTime=START),  # trained nothing: only test data were new
        iteration("FAILED", EndTime=START, TrainedModelArn=MODEL),
        iteration("TRAINING"),
    ]
    trained = model(TrainingStartTime=START, TrainingEndTime=START + timedelta(seconds=60.5))
    assert training_times(models=[trained, model()], iterations=iterations) == TrainingTimes(
        seconds=(Decimal("60.5"),), of=TrainingTimesOf.MODELS
    )
    assert training_times(models=[model(TrainingStartTime=START)], iterations=iterations) == TrainingTimes(
        seconds=(Decimal(90),), of=TrainingTimesOf.ITERATIONS
    )
    assert training_times(models=[], iterations=iterations[1:]) == PUBLISHED


@pytest.fixture
def comprehend() -> Any:
    return boto3.client("comprehend", region_name="us-east-1", aws_access_key_id="1", aws_secret_access_key="none")


@pytest.fixture
def answers(comprehend: Any) -> Iterator[Stubber]:
    with Stubber(comprehend) as stubber:
        yield stubber


def units(comprehend: Any) -> int | None:
    return inference_units(comprehend, name="news", models={MODEL})


def test_endpoints_of_the_flywheel_and_of_its_models_count_and_no_others(comprehend: Any, answers: Stubber) -> None:
    endpoints = [
        {"FlywheelArn": FLYWHEEL, "Status": "IN_SERVICE", "CurrentInferenceUnits": 2, "DesiredInferenceUnits": 9},
        {"ModelArn": MODEL, "Status": "CREATING", "DesiredInferenceUnits": 3},
        {"ModelArn": MODEL, "Status": "FAILED", "DesiredInferenceUnits": 5},
        {"ModelArn": f"{MODEL}0", "Status": "IN_SERVICE", "CurrentInferenceUnits": 7},
    ]
    answers.add_response("list_endpoints", {"EndpointPropertiesList": endpoints[:2], "NextToken": "more"})
    answers.add_response("list_endpoints", {"EndpointPropertiesList": endpoints[2:]})
    assert units(comprehend) == 5


def test_a_service_without_endpoints_is_not_one_that_refuses(comprehend: Any, answers: Stubber) -> None:
    answers.add_client_error("list_endpoints", "UnknownOperationException")
    assert units(comprehend) is None
    answers.add_client_error("list_endpoints", "AccessDeniedException")
    with pytest.raises(ClientError, match="AccessDenied"):
        units(comprehend)


def test_the_table_shows_every_line_and_both_totals_in_eighty_columns() -> None:
    found = costs(usage(models=5, alarms=14, buckets=(BucketSize(name="intake", bytes=10**6),)))
    console = result_console()
    console.file = io.StringIO()
    console.width = 80
    console.print(costs_view(found))
    text = console.file.getvalue()
    assert all(each.what in text for each in found.lines)
    assert money(found.a_month) in text
    assert money(found.a_turn) in text
    assert "< $0.01" in text
    assert "recalled" in text
